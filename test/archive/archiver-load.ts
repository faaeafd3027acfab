/**
 * What one archiver takes of a core for 200 meetings at once: `node test/archive/archiver-load.ts [meetings] [seconds]`.
 *
 * A machine that also runs Kinesis and S3 cannot play 200 meetings in real time. So this measures CPU seconds of the archiver's
 * process alone, in two parts, and adds them up: what it takes for the media of some meetings beyond polling (reading, writing,
 * finalising), and what it takes to poll as many shards as 200 meetings need. HTTP without TLS.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { meetingLoad, shardsFor } from '../../infra/planning/meeting-load.ts';
import { DEFAULT_MEDIA_REQUEST } from '../../rtms/protocol/params.ts';
import {
  type ArchiveWorld,
  startArchiveWorld,
  WORLD_STREAMS,
  WrittenSession,
} from '../support/archive-world.ts';
import { mediaRecord, packed, START_MS } from '../support/test-records.ts';

const MEETINGS = 200;
const TICKS_PER_SECOND = 100;
const IDLE_MS = 10_000;

/** CPU seconds of a process of Linux so far. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** A camera of 1.25 Mb/s as the runner writes it: 25 frames a second, a fifth of a second in one record. */
async function film(world: ArchiveWorld, rtmsStreamId: string, second: number): Promise<void> {
  const Records = Array.from({ length: 5 }, (_, part) => {
    const records = Array.from({ length: 5 }, (_, index) => {
      const sequence = second * 25 + part * 5 + index + 1;
      const atMs = START_MS + sequence * 40;
      const payload = Buffer.alloc(sequence % 50 === 1 ? 50_000 : 5_300, sequence);
      const times = { capturedAtMs: atMs, receivedAtMs: atMs + 20 };
      return mediaRecord({ rtmsStreamId, sequence, mediaType: 2, codec: 7, payload, ...times });
    });
    const { data } = packed(records, `${rtmsStreamId}#v#7`);
    return { Data: data, PartitionKey: `${rtmsStreamId}#v#7` };
  });
  await put(world, Records);
}

async function put(world: ArchiveWorld, records: { Data: Uint8Array; PartitionKey: string }[]) {
  let Records = records;
  while (Records.length > 0) {
    const answer = await world.client.send(
      new PutRecordsCommand({ StreamName: WORLD_STREAMS.media, Records }),
    );
    const failed = answer.Records?.map(({ ErrorCode }) => ErrorCode !== undefined) ?? [];
    Records = Records.filter((_, index) => failed[index]);
    if (Records.length > 0) await sleep(100);
  }
}

const [meetings = 10, seconds = 60] = process.argv.slice(2).map(Number);

/** A meeting of three people, one camera and a transcript, as fast as Kinesis takes it. */
async function play(world: ArchiveWorld, rtmsStreamId: string, length: number): Promise<void> {
  const session = new WrittenSession(world.client, rtmsStreamId);
  await session.begin();
  for (let second = 0; second < length; second += 1) {
    await session.speak([1, 2, 3], 50);
    await film(world, rtmsStreamId, second);
    await session.say('a line of what somebody says in a second of a meeting');
  }
  await session.end();
}

/** CPU seconds for a second of one meeting, beyond what polling takes. */
async function media(): Promise<number> {
  await using world = await startArchiveWorld(16);
  const child = world.start({ ARCHIVE_MAX_AGE_SECONDS: '30', ARCHIVE_BUFFER_MIB: '512' });
  const ready = () => world.log.filter(({ event }) => event === 'recording_ready').length;
  const played = async (name: string, count: number, length: number) => {
    const before = ready();
    const all = Array.from({ length: count }, (_, index) => `${name}-${index}`);
    await Promise.all(all.map((id) => play(world, id, length)));
    // The camera is in no ledger, so the verdict does not matter here; that every session is finalised does.
    while (ready() < before + count) await sleep(100);
  };
  // The code is compiled and the connections are open when it counts.
  await played('warm', 4, 20);
  const idleBefore = cpuSeconds(child.pid);
  await sleep(IDLE_MS);
  const idle = ((cpuSeconds(child.pid) - idleBefore) / IDLE_MS) * 1_000;
  const [before, beganMs] = [cpuSeconds(child.pid), performance.now()];
  await played('m', meetings, seconds);
  const polled = (idle * (performance.now() - beganMs)) / 1_000;
  return (cpuSeconds(child.pid) - before - polled) / (meetings * seconds);
}

async function polling(shards: number): Promise<number> {
  await using world = await startArchiveWorld(shards);
  const child = world.start({ ARCHIVE_MAX_AGE_SECONDS: '90' });
  // All shards are claimed, and the SDK is warm.
  await sleep(15_000);
  const before = cpuSeconds(child.pid);
  await sleep(20_000);
  return (cpuSeconds(child.pid) - before) / 20;
}

const load = meetingLoad(DEFAULT_MEDIA_REQUEST);
const shards = shardsFor(load.media, MEETINGS, 0.4);
const perMeeting = await media();
const idle = await polling(shards);
const cores = perMeeting * MEETINGS + idle;
process.stdout.write(
  `${JSON.stringify({
    meetings,
    seconds,
    msOfCpuPerMeetingSecond: Number((perMeeting * 1_000).toFixed(3)),
    shards,
    pollingCores: Number(idle.toFixed(3)),
    coresFor200Meetings: Number(cores.toFixed(3)),
  })}\n`,
);
