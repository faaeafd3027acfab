/**
 * What one archiver takes of a core while many meetings are recorded at once, in real time:
 * `node test/archive/archiver-load.ts --meetings 200 --seconds 120 --camera`.
 *
 * This process plays the meetings and holds Kinesis, DynamoDB and S3; the archiver is a process of its own, and only its CPU
 * time counts: from the first record until the last manifest is written, reading back included. A machine that cannot play
 * 200 meetings plays fewer, on as many fewer shards, and the figure for 200 is scaled. HTTP without TLS.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { readConfig } from '../../infra/config/schema.ts';
import { archiveCost } from '../../infra/planning/archive-cost.ts';
import { taskHour } from '../../infra/planning/cost-model.ts';
import { meetingLoad, shardsFor } from '../../infra/planning/meeting-load.ts';
import { DEFAULT_MEDIA_REQUEST } from '../../rtms/protocol/params.ts';
import { type ArchiveWorld, startArchiveWorld } from '../support/archive-world.ts';
import { commandOptions, wholeNumber } from '../support/command-options.ts';
import { LoadMeeting, type LoadRecord, STEP_MS } from './load-meeting.ts';

const PLANNED_MEETINGS = 200;
const TICKS_PER_SECOND = 100;
/** As shards are planned with: keys are placed by hash, so some shards get twice the average. */
const SHARD_LOAD = 0.4;
const MOST_RECORDS = 500;
const MOST_BYTES = 4 * 1024 * 1024;
/** The code is compiled and the connections are open when it counts. */
const WARM = { meetings: 4, seconds: 20 };

const { values } = commandOptions(
  'node test/archive/archiver-load.ts: CPU of one archiver while meetings are recorded in real time',
  {
    options: {
      meetings: { type: 'string', default: '50' },
      seconds: { type: 'string', default: '120' },
      camera: { type: 'boolean', default: false },
      'cpu-prof': { type: 'string' },
    },
  },
);
const { camera: hasCamera } = values;
const meetings = wholeNumber('meetings', values.meetings, 1);
const seconds = wholeNumber('seconds', values.seconds, 1);

/** CPU seconds of a process of Linux so far, all its threads together. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** The most memory that a process of Linux ever had, MB. */
function mostMegabytes(pid: number): number {
  const [, kib] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kib) / 1_000);
}

async function put(world: ArchiveWorld, records: readonly LoadRecord[]): Promise<void> {
  const byStream = Map.groupBy(records, ({ streamName }) => streamName);
  for (const [StreamName, ofStream] of byStream) {
    let call: LoadRecord[] = [];
    let bytes = 0;
    const send = async () => {
      let Records = call.map(({ data, partitionKey }) => ({
        Data: data,
        PartitionKey: partitionKey,
      }));
      [call, bytes] = [[], 0];
      while (Records.length > 0) {
        const answer = await world.client.send(new PutRecordsCommand({ StreamName, Records }));
        const failed = answer.Records?.map(({ ErrorCode }) => ErrorCode !== undefined) ?? [];
        Records = Records.filter((_, index) => failed[index]);
        if (Records.length > 0) await sleep(100);
      }
    };
    for (const record of ofStream) {
      if (call.length === MOST_RECORDS || bytes + record.data.length > MOST_BYTES) await send();
      call.push(record);
      bytes += record.data.length;
    }
    await send();
  }
}

/** Plays meetings in real time. @returns how late a step came at most, ms */
async function play(world: ArchiveWorld, all: readonly LoadMeeting[], length: number) {
  await put(
    world,
    all.flatMap((meeting) => meeting.begin()),
  );
  const beganMs = performance.now();
  let lateMs = 0;
  for (let step = 0; step < length * (1_000 / STEP_MS); step += 1) {
    const aheadMs = beganMs + step * STEP_MS - performance.now();
    lateMs = Math.max(lateMs, -aheadMs);
    if (aheadMs > 0) await sleep(aheadMs);
    await put(
      world,
      all.flatMap((meeting) => meeting.step()),
    );
  }
  await put(
    world,
    all.flatMap((meeting) => meeting.end()),
  );
  return lateMs;
}

const opened = (name: string, count: number) =>
  Array.from(
    { length: count },
    (_, index) => new LoadMeeting(`${name}-${index}`, Date.now(), hasCamera),
  );

const media = {
  ...DEFAULT_MEDIA_REQUEST,
  ...(!hasCamera && { video: false as const }),
  deskshare: false as const,
};
const load = meetingLoad(media);
const shards = shardsFor(load.media, meetings, SHARD_LOAD);
/** Nothing may be dropped that the archiver has not read: a machine that is busy lets it lag. */
const MOST_STORED_BYTES = 8 * 1024 ** 3;
await using world = await startArchiveWorld(shards, { maxStoredBytes: MOST_STORED_BYTES });
const child = world.start({
  ARCHIVE_MAX_AGE_SECONDS: '90',
  ARCHIVE_BUFFER_MIB: '2048',
  AWS_ENDPOINT_URL_S3: world.s3.endpoint,
  NODE_OPTIONS: [
    // As the task definition has it (infra/archive/recording-archive.ts).
    '--max-semi-space-size=64',
    ...(values['cpu-prof'] === undefined
      ? []
      : ['--cpu-prof', `--cpu-prof-dir=${values['cpu-prof']}`]),
  ].join(' '),
});
const ready = () => world.log.filter(({ event }) => event === 'recording_ready');
const played = async (name: string, count: number, length: number) => {
  const before = ready().length;
  const lateMs = await play(world, opened(name, count), length);
  const runningCpu = cpuSeconds(child.pid);
  while (ready().length < before + count) await sleep(100);
  const verdicts = new Set(
    ready()
      .slice(before)
      .map(({ verdict }) => verdict),
  );
  if (verdicts.size !== 1 || !verdicts.has('complete'))
    throw new Error(`a recording is not complete: ${[...verdicts].join(', ')}`);
  return { lateMs, runningCpu };
};
await played('warm', WARM.meetings, WARM.seconds);
const [before, beganMs, ownBefore] = [cpuSeconds(child.pid), performance.now(), process.cpuUsage()];
const { lateMs, runningCpu } = await played('m', meetings, seconds);
const cpu = cpuSeconds(child.pid) - before;
const wallSeconds = (performance.now() - beganMs) / 1_000;
const own = process.cpuUsage(ownBefore);
const perMeetingSecond = cpu / (meetings * seconds);
const config = readConfig({ zoom: { media }, records: { archive: { tasks: 1 } } });
const dollars = archiveCost(config, PLANNED_MEETINGS, taskHour).map(({ item, dollarsPerHour }) => [
  item,
  Number((dollarsPerHour / PLANNED_MEETINGS).toFixed(5)),
]);
const round = (value: number, digits = 3) => Number(value.toFixed(digits));
process.stdout.write(
  `${JSON.stringify({
    meetings,
    seconds,
    camera: hasCamera,
    shards,
    cpuSeconds: round(cpu, 2),
    ofWhichAfterTheEnd: round(cpu + before - runningCpu, 2),
    wallSeconds: round(wallSeconds, 1),
    msOfCpuPerMeetingSecond: round(perMeetingSecond * 1_000),
    cpuSecondsPerMeetingHour: round(perMeetingSecond * 3_600, 2),
    coresForThese: round(perMeetingSecond * meetings),
    coresFor200Meetings: round(perMeetingSecond * PLANNED_MEETINGS),
    dollarsPerMeetingHour: Object.fromEntries(dollars),
    archiverMegabytes: mostMegabytes(child.pid),
    playerCpuSeconds: round((own.user + own.system) / 1e6, 1),
    playerLateMs: Math.round(lateMs),
  })}\n`,
);
child.process.kill('SIGTERM');
await child.exited;
