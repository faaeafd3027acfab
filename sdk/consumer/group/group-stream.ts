import { setTimeout as sleep } from 'node:timers/promises';
import type * as Kinesis from '@aws-sdk/client-kinesis';
import { ServiceError } from '../../../shared/errors.ts';
import { toReadError } from '../reading/read-error.ts';
import type { EventGroup, FrameGroup } from './group-options.ts';
import type { GroupHead } from './group-rows.ts';
import type { GroupTable } from './group-table.ts';
import { registerConsumer } from './push-reader.ts';

/** The stream of a group as it is now, and where to begin in it. */
export interface GroupStream {
  /** Tells it from one of the same name that was deleted. */
  readonly createdAtMs: number;
  readonly startAt: 'TRIM_HORIZON' | Date;
  /** Undefined when the shards are polled. */
  readonly consumerArn: string | undefined;
}

/** `LATEST` is a little earlier than now, as Kinesis refuses a time that is in the future on its own clock. */
const CLOCK_MARGIN_MS = 1_000;
const REGISTER_PAUSE_MS = 500;

/**
 * Checks that a table and a stream belong together, and finds the registered consumer if there is to be one.
 *
 * @throws ServiceError `kinesis/*`, `group/*`
 */
export async function openStream(
  kinesis: typeof Kinesis,
  table: GroupTable,
  options: FrameGroup | EventGroup,
): Promise<GroupStream> {
  const { streamName, startAt = 'TRIM_HORIZON' } = options;
  const { arn, createdAtMs } = await identifyStream(kinesis, options);
  const own: GroupHead = {
    streamName,
    kind: 'onFrames' in options ? 'frames' : 'events',
    streamCreatedAtMs: createdAtMs,
    startAt: startAt === 'LATEST' ? new Date(Date.now() - CLOCK_MARGIN_MS) : startAt,
  };
  const head = await table.head(own);
  checkHead(head, own, options.table);
  const isNew = head.streamCreatedAtMs !== createdAtMs;
  if (isNew) {
    if (!options.onRecreated) throw recreated(streamName);
    options.onRecreated();
    await table.replaceStream(head, createdAtMs);
  }
  const consumerArn = await consumerArnOf(kinesis, options, arn);
  return { createdAtMs, startAt: isNew ? 'TRIM_HORIZON' : head.startAt, consumerArn };
}

async function consumerArnOf(
  kinesis: typeof Kinesis,
  { client, consumer, streamName }: FrameGroup | EventGroup,
  streamArn: string,
): Promise<string | undefined> {
  if (consumer === undefined || consumer.startsWith('arn:')) return consumer;
  const pause = () => sleep(REGISTER_PAUSE_MS);
  try {
    return await registerConsumer(kinesis, client, streamArn, consumer, pause);
  } catch (cause) {
    throw toReadError(cause, streamName, true);
  }
}

/** @throws ServiceError `kinesis/*` */
export async function identifyStream(
  kinesis: typeof Kinesis,
  { client, streamName }: Pick<FrameGroup, 'client' | 'streamName'>,
): Promise<{ readonly arn: string; readonly createdAtMs: number }> {
  try {
    const answer: Kinesis.DescribeStreamSummaryCommandOutput = await client.send(
      new kinesis.DescribeStreamSummaryCommand({ StreamName: streamName }),
    );
    const { StreamARN = '', StreamCreationTimestamp } = answer.StreamDescriptionSummary ?? {};
    return { arn: StreamARN, createdAtMs: StreamCreationTimestamp?.getTime() ?? 0 };
  } catch (cause) {
    throw toReadError(cause, streamName, false);
  }
}

/** @throws ServiceError `group/other-stream` when a table belongs to a group of another stream, or of other records */
function checkHead(
  head: GroupHead | undefined,
  own: GroupHead,
  table: string,
): asserts head is GroupHead {
  if (head?.streamName === own.streamName && head.kind === own.kind) return;
  const whose = head
    ? `belongs to a group that reads ${head.kind} of ${head.streamName}`
    : 'is not the table of a group';
  const what = `the table ${table} ${whose}; this one reads ${own.kind} of ${own.streamName}`;
  throw new ServiceError('group/other-stream', what, { detail: { table } });
}

function recreated(streamName: string): ServiceError {
  const what =
    `the stream ${streamName} was deleted and made again since this group began, so its checkpoints say nothing of what ` +
    'is in the stream now; with onRecreated the group begins with the oldest record';
  return new ServiceError('group/stream-recreated', what, { detail: { streamName } });
}
