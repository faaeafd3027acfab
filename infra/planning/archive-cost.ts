import type { Config } from '../config/schema.ts';
import { meetingLoad } from './meeting-load.ts';

type TaskHour = (task: {
  readonly prices: Config['prices'];
  readonly runner: Pick<Config['runner'], 'cpu' | 'memoryMiB'>;
}) => number;

const GIB = 1024 ** 3;
const SECONDS_PER_HOUR = 3600;
/** A row of its session, and a part of a checkpoint with the marks of its shard. */
const ROWS_PER_OBJECT = 3;
/** Looks at the rows of two groups twice a second, and at the sessions every ten seconds, in read units. */
const ROW_CALLS_PER_HOUR = 2 * 2 * SECONDS_PER_HOUR + 2 * 360;

/** Alarms of the archive: those that page, and all. */
const ALARMS = { essential: 1, all: 3 } as const;

export function archiveAlarmCount({
  monitoring,
  records,
}: Pick<Config, 'monitoring' | 'records'>): number {
  return records.archive === undefined ? 0 : ALARMS[monitoring.alarms];
}

/**
 * The archive: its tasks; a write and a read of each object, with a row and a checkpoint in DynamoDB; and a month of what was
 * written in the hour, because storage is paid for as long as it is kept. Meetings are taken to last an hour.
 *
 * @param taskHour dollars for one task for an hour, without its network
 */
export function archiveCost(
  config: Config,
  meetings: number,
  taskHour: TaskHour,
): { readonly item: string; readonly dollarsPerHour: number }[] {
  const { prices, network, records, zoom } = config;
  const load = meetingLoad(zoom.media);
  const { archive } = records;
  if (archive === undefined) return [];
  const address = network.kind === 'public' ? prices.publicIpv4Hour : 0;
  const tasks = archive.tasks * (taskHour({ prices, runner: archive }) + address);
  const objects = meetings * (load.sources + 1) * 60;
  const requests =
    ((objects + 2 * meetings) * prices.s3MillionWrites +
      (objects + 4 * meetings) * prices.s3MillionReads +
      objects * ROWS_PER_OBJECT * prices.dynamoDbMillionWrites +
      meetings * prices.eventBridgeMillionEvents) /
    1e6;
  const rows = (archive.tasks * ROW_CALLS_PER_HOUR * prices.dynamoDbMillionReads) / 1e6;
  const bytes = meetings * (load.media.bytesPerSecond + load.events.bytesPerSecond);
  const gigabytes = (bytes * SECONDS_PER_HOUR) / GIB;
  return [
    { item: 'Archive, writing', dollarsPerHour: tasks + requests + rows },
    { item: 'Archive, a month in S3', dollarsPerHour: gigabytes * prices.s3GbMonth },
  ];
}
