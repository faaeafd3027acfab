import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { sessionFolder } from '../../sdk/consumer/archive/layout.ts';
import { parseManifest } from '../../sdk/consumer/archive/manifest.ts';
import {
  type ArchiveWorld,
  startArchiveWorld,
  WrittenSession,
} from '../../test/support/archive-world.ts';
import { waitFor } from '../../test/support/wait.ts';

/**
 * S3 is away for ten minutes by the clock: five in which its connections open and nothing is answered, five in which they are
 * refused. Nothing here is faster than it is, as the iterators of Kinesis, the leases and the time-outs of S3 are what matters.
 */
const HALF_MS = 300_000;
const BUFFER_MIB = 4;
const LONG_MS = 300_000;

/** Memory of a process of Linux, MB. */
function megabytes(pid: number): number {
  const [, kib] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1_000;
}

/** Three people who speak without a pause, in real time, until the signal comes. */
async function speak(session: WrittenSession, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await session.speak([1, 2, 3], 50);
    await session.say('a line');
    await sleep(1_000, undefined, { signal }).catch(() => undefined);
  }
}

const waits = ({ log }: ArchiveWorld) => log.filter(({ event }) => event === 'archive_waits');

test('ten minutes without S3: nothing is lost, memory stays, and the lag is told', {
  timeout: 2_000_000,
}, async () => {
  await using world = await startArchiveWorld(2);
  const child = world.start({
    ARCHIVE_BUFFER_MIB: String(BUFFER_MIB),
    ARCHIVE_MAX_AGE_SECONDS: '20',
  });
  const sessions = Array.from(
    { length: 4 },
    (_, index) => new WrittenSession(world.client, `m-${index}`, Date.now()),
  );
  const stopping = new AbortController();
  for (const session of sessions) await session.begin();
  const speaking = Promise.all(sessions.map((session) => speak(session, stopping.signal)));
  await waitFor(async () => {
    for (const { rtmsStreamId } of sessions)
      expect((await world.stored(rtmsStreamId)).frames.length).toBeGreaterThan(0);
  }, LONG_MS);
  world.s3Faults.mode = 'stall';
  // A meeting that begins and ends while S3 is away is there afterwards, as all others are.
  const short = new WrittenSession(world.client, 'short', Date.now());
  await short.begin();
  await short.speak([1], 100);
  await short.end();
  const rssMb: number[] = [];
  for (const mode of ['stall', 'refuse'] as const) {
    world.s3Faults.mode = mode;
    for (let passedMs = 0; passedMs < HALF_MS; passedMs += 10_000) {
      await sleep(10_000);
      rssMb.push(megabytes(child.pid));
    }
  }
  // The buffer is full after a minute. What comes later stays in Kinesis.
  const [early, late] = [Math.max(...rssMb.slice(6, 18)), Math.max(...rssMb.slice(-12))];
  const held = Math.max(...waits(world).map((line) => Number(line['waitingBytes'])));
  const last = waits(world).at(-1);
  process.stdout.write(
    `${waits(world).length} lines archive_waits; at most ${held} bytes wait; ${early.toFixed(0)} MB of memory in minutes 2 and 3, ` +
      `${late.toFixed(0)} in 9 and 10; in the end S3 had failed for ${last?.['failingMs']} ms, and the archive was ${last?.['lagMs']} ms behind\n`,
  );
  expect(held).toBeLessThan(3 * BUFFER_MIB * 1024 * 1024);
  expect(late - early).toBeLessThan(100);
  expect(Number(last?.['lagMs'])).toBeGreaterThan(2 * HALF_MS - 60_000);
  expect(Number(last?.['failingMs'])).toBeGreaterThan(2 * HALF_MS - 120_000);
  world.s3Faults.mode = 'pass';
  stopping.abort();
  await speaking;
  for (const session of sessions) await session.end();
  for (const { rtmsStreamId, wanted } of [...sessions, short]) {
    const key = `${sessionFolder('all/', rtmsStreamId)}manifest.json`;
    await waitFor(async () => {
      const stored = await world.s3.store.get(key);
      expect(stored && parseManifest(stored.body, key)).toMatchObject({ verdict: 'complete' });
    }, LONG_MS);
    expect(await world.stored(rtmsStreamId)).toMatchObject(wanted);
  }
});
