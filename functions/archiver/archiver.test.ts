import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseDeletion } from '../../sdk/consumer/archive/deletion.ts';
import { deletionKey, sessionFolder } from '../../sdk/consumer/archive/layout.ts';
import { parseManifest } from '../../sdk/consumer/archive/manifest.ts';
import {
  type ArchiveWorld,
  startArchiveWorld,
  WORLD_STREAMS,
  WrittenSession,
} from '../../test/support/archive-world.ts';
import { splitShard } from '../../test/support/local-streams.ts';
import { waitFor } from '../../test/support/wait.ts';

/** Archivers as processes, against Kinesis, DynamoDB, S3 and EventBridge over HTTP. archiver.long.test.ts has more of it. */

/** What is gathered is written soon, because the test waits for it. */
const SOON = { ARCHIVE_MAX_AGE_SECONDS: '1' };
/** Processes start, and a lease runs out: a few seconds on an idle machine. */
const LONG_MS = 90_000;

let world: ArchiveWorld;
beforeAll(async () => {
  world = await startArchiveWorld(1);
});
afterAll(() => world[Symbol.asyncDispose]());

const manifestOf = async (rtmsStreamId: string) => {
  const key = `${sessionFolder('all/', rtmsStreamId)}manifest.json`;
  const stored = await world.s3.store.get(key);
  return stored && parseManifest(stored.body, key);
};

test('a worker is killed, a shard is split, and each frame is in S3 once; what is revoked is gone', {
  timeout: 240_000,
}, async () => {
  const meeting = new WrittenSession(world.client, 'meeting-1');
  const revoked = new WrittenSession(world.client, 'meeting-2');
  const first = world.start(SOON);
  await meeting.begin();
  await revoked.begin();
  // 90 seconds of the runner's clock: one minute is over, and the next one is not.
  await meeting.speak([1, 2], 90, 1_000);
  await revoked.speak([1, 2], 90, 1_000);
  await revoked.say('this must go');
  await waitFor(async () => {
    expect((await world.stored('meeting-1')).names).not.toEqual([]);
    expect((await world.stored('meeting-2')).frames).toHaveLength(180);
  }, LONG_MS);
  first.process.kill('SIGKILL');
  await meeting.speak([1, 2], 30, 1_000);
  await meeting.say('and on');
  await splitShard(world.client, WORLD_STREAMS.media);
  await meeting.speak([1, 2], 60, 1_000);
  await revoked.revoke();
  const second = world.start(SOON);
  await meeting.end();
  await waitFor(async () => expect(await manifestOf('meeting-1')).toBeDefined(), LONG_MS);
  expect(await world.stored('meeting-1')).toMatchObject(meeting.wanted);
  expect(await manifestOf('meeting-1')).toMatchObject({
    verdict: 'complete',
    because: 'ended',
    revision: 1,
    frames: 360,
    problems: [],
  });
  expect(world.eventBridge.events).toEqual([
    {
      source: 'rtms-kinesis',
      detailType: 'RTMS Recording Ready',
      detail: expect.objectContaining({ rtmsStreamId: 'meeting-1', verdict: 'complete' }),
    },
  ]);
  await waitFor(async () => {
    const key = deletionKey('all/', 'meeting-2');
    const record = parseDeletion((await world.s3.store.get(key))?.body ?? Buffer.from('{}'), key);
    expect(record).toMatchObject({ left: 0, kept: [], eventId: 'meeting-2/1/3' });
    expect(record.deleted.length).toBeGreaterThanOrEqual(3);
  }, LONG_MS);
  expect((await world.stored('meeting-2')).names).toEqual([]);
  second.process.kill('SIGTERM');
  expect(await second.exited).toEqual({ code: 0, signal: null });

  const [verified, exported, gone] = await Promise.all([
    world.rtms('verify', 'meeting-1', '--json'),
    world.rtms('export', 'meeting-1', '--layout', 'none', '--out', 'files'),
    world.rtms('verify', 'meeting-2', '--json'),
  ]);
  expect([verified.code, JSON.parse(verified.stdout)]).toMatchObject([
    0,
    { verdict: 'complete', finalised: true, problems: [], isOpen: false },
  ]);
  expect([exported.code, exported.stdout]).toEqual([0, expect.stringContaining('360 frames')]);
  expect([gone.code, JSON.parse(gone.stderr)]).toMatchObject([
    1,
    { error: { code: 'export/revoked' } },
  ]);
  const key = `${sessionFolder('all/', 'meeting-1')}${(await manifestOf('meeting-1'))?.objects[1]?.name}`;
  await world.s3.store.remove([{ key, versionId: 'null', isDeleteMarker: false }], false);
  const damaged = await world.rtms('verify', 'meeting-1', '--json');
  expect([damaged.code, JSON.parse(damaged.stdout)]).toMatchObject([
    4,
    {
      verdict: 'contradictory',
      problems: expect.arrayContaining([expect.stringContaining('cannot be read')]),
    },
  ]);
});
