import { setTimeout as sleep } from 'node:timers/promises';
import { PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { expect, test } from 'vitest';
import { sessionFolder } from '../../sdk/consumer/archive/layout.ts';
import { parseManifest } from '../../sdk/consumer/archive/manifest.ts';
import {
  type ArchiveWorld,
  startArchiveWorld,
  WORLD_STREAMS,
  WrittenSession,
} from '../../test/support/archive-world.ts';
import { splitShard } from '../../test/support/local-streams.ts';
import { waitFor } from '../../test/support/wait.ts';

/** Several archivers as processes, through what may befall them. Every run has bounds that an idle machine meets ten times over. */

const LONG_MS = 180_000;

const manifestOf = async ({ s3 }: ArchiveWorld, rtmsStreamId: string) => {
  const key = `${sessionFolder('all/', rtmsStreamId)}manifest.json`;
  const stored = await s3.store.get(key);
  return stored && parseManifest(stored.body, key);
};

const becomesReady = (world: ArchiveWorld, session: WrittenSession, verdict = 'complete') =>
  waitFor(async () => {
    const manifest = await manifestOf(world, session.rtmsStreamId);
    expect(manifest).toMatchObject({ verdict });
    expect(await world.stored(session.rtmsStreamId)).toMatchObject(session.wanted);
  }, LONG_MS);

test('three workers, of which one freezes for a minute and two are killed, over shards that are split', {
  timeout: 600_000,
}, async () => {
  await using world = await startArchiveWorld(4);
  const sessions = Array.from(
    { length: 12 },
    (_, index) => new WrittenSession(world.client, `m-${index}`),
  );
  const speak = async (count: number) => {
    for (const session of sessions) await session.speak([1, 2, 3], count, 500);
  };
  const [first, second] = [world.start(), world.start(), world.start()];
  for (const session of sessions) await session.begin();
  await speak(60);
  await waitFor(async () => expect((await world.stored('m-0')).names).not.toEqual([]), LONG_MS);
  first.process.kill('SIGSTOP');
  await speak(60);
  await splitShard(world.client, WORLD_STREAMS.media, 'shardId-000000000000', 2n ** 125n);
  second.process.kill('SIGKILL');
  await speak(60);
  // Its leases have long run out: others have its shards, and have written its minutes.
  await sleep(60_000);
  first.process.kill('SIGCONT');
  await speak(60);
  world.start();
  await sleep(5_000);
  first.process.kill('SIGKILL');
  await speak(60);
  for (const session of sessions) await session.end();
  for (const session of sessions) await becomesReady(world, session);
});

test('S3 is away: reading pauses at the buffer, the lag is told, and nothing is lost', {
  timeout: 600_000,
}, async () => {
  await using world = await startArchiveWorld(1);
  const session = new WrittenSession(world.client, 'm');
  world.start({ ARCHIVE_BUFFER_MIB: '1' });
  await session.begin();
  await session.speak([1], 100, 100);
  await waitFor(async () => expect((await world.stored('m')).frames).toHaveLength(100), LONG_MS);
  world.s3Faults.mode = 'refuse';
  // 20 MB, of which the worker may hold one.
  for (let round = 0; round < 200; round += 1) await session.speak([1, 2, 3], 200, 100);
  const waits = () => world.log.filter(({ event }) => event === 'archive_waits');
  await waitFor(() => expect(waits().length).toBeGreaterThan(5), LONG_MS);
  const held = Math.max(...waits().map((line) => Number(line['waitingBytes'])));
  expect(held).toBeLessThan(8 * 1024 * 1024);
  expect(Number(waits().at(-1)?.['lagMs'])).toBeGreaterThan(30_000);
  world.s3Faults.mode = 'pass';
  await session.end();
  await becomesReady(world, session);
});

test('a worker that was frozen through a revocation brings nothing back', {
  timeout: 600_000,
}, async () => {
  await using world = await startArchiveWorld(1);
  const session = new WrittenSession(world.client, 'm');
  const first = world.start({ ARCHIVE_MAX_AGE_SECONDS: '10' });
  await session.begin();
  await session.speak([1, 2], 100, 1_000);
  await waitFor(
    async () => expect((await world.stored('m')).frames.length).toBeGreaterThan(0),
    LONG_MS,
  );
  await session.speak([1, 2], 100, 1_000);
  // It holds slices that are not written.
  await sleep(2_000);
  first.process.kill('SIGSTOP');
  await session.revoke();
  await session.end();
  world.start();
  await waitFor(
    () => expect(world.log.some(({ event }) => event === 'recording_deleted')).toBe(true),
    LONG_MS,
  );
  first.process.kill('SIGCONT');
  await sleep(30_000);
  expect(await world.stored('m')).toMatchObject({ names: [] });
});

test('a session that never ends is finalised when it is silent, and again when something comes later', {
  timeout: 600_000,
}, async () => {
  await using world = await startArchiveWorld(1);
  const session = new WrittenSession(world.client, 'm');
  world.start({ ARCHIVE_IDLE_SECONDS: '10' });
  await session.begin();
  await session.speak([1], 100);
  await waitFor(
    async () =>
      expect(await manifestOf(world, 'm')).toMatchObject({
        because: 'idle',
        isOpen: true,
        revision: 1,
      }),
    LONG_MS,
  );
  await session.speak([1], 100);
  await waitFor(
    async () =>
      expect(await manifestOf(world, 'm')).toMatchObject({
        because: 'late_records',
        revision: 2,
        frames: 200,
      }),
    LONG_MS,
  );
});

test('damaged records are kept aside, and those around them are archived', {
  timeout: 600_000,
}, async () => {
  await using world = await startArchiveWorld(1);
  const session = new WrittenSession(world.client, 'm');
  await session.begin();
  await session.speak([1], 10);
  const Records = [{ Data: Buffer.from([1, 2, 3]), PartitionKey: 'm' }];
  for (const StreamName of Object.values(WORLD_STREAMS))
    await world.client.send(new PutRecordsCommand({ StreamName, Records }));
  await session.speak([1], 10);
  await session.end();
  world.start();
  await becomesReady(world, session);
  const damaged = await Array.fromAsync(world.s3.store.list('all/damaged/'));
  expect(damaged.map(({ sizeBytes }) => sizeBytes)).toEqual([3, 3]);
});
