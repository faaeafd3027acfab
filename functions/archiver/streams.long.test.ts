import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateStreamCommand,
  DeleteStreamCommand,
  DescribeStreamSummaryCommand,
} from '@aws-sdk/client-kinesis';
import { expect, test } from 'vitest';
import { MEDIA_PAYLOAD_TYPE } from '../../rtms/protocol/constants.ts';
import { MEDIA_TYPE_BIT } from '../../rtms/protocol/media-type.ts';
import { sessionFolder } from '../../sdk/consumer/archive/layout.ts';
import { parseManifest } from '../../sdk/consumer/archive/manifest.ts';
import type { Frame } from '../../sdk/consumer/index.ts';
import {
  type ArchiveWorld,
  startArchiveWorld,
  WORLD_STREAMS,
  WrittenSession,
} from '../../test/support/archive-world.ts';
import { missingTools, openMovie } from '../../test/support/media-tools.ts';
import { recordMeeting } from '../../test/support/recorded-meeting.ts';
import { waitFor } from '../../test/support/wait.ts';

/** An archiver as a process, through what may become of the streams that it reads, and of the meetings in them. */

const LONG_MS = 180_000;
const HOUR_MS = 3_600_000;
const OPTIONS = { timeout: 600_000 };

async function manifestOf({ s3 }: ArchiveWorld, rtmsStreamId: string) {
  const key = `${sessionFolder('all/', rtmsStreamId)}manifest.json`;
  const stored = await s3.store.get(key);
  return stored && parseManifest(stored.body, key);
}

/** Resolves when a session is finalised. */
const finalised = (world: ArchiveWorld, rtmsStreamId: string) =>
  waitFor(async () => {
    const manifest = await manifestOf(world, rtmsStreamId);
    if (manifest === undefined) throw new Error(`${rtmsStreamId} is not finalised`);
    return manifest;
  }, LONG_MS);

const logged = ({ log }: ArchiveWorld, event: string) =>
  log.filter((line) => line['event'] === event);

test(
  'records that expired while no archiver ran are declared: the verdict is incomplete, and says which',
  OPTIONS,
  async () => {
    let aheadMs = 0;
    await using world = await startArchiveWorld(1, { clock: () => Date.now() + aheadMs });
    const session = new WrittenSession(world.client, 'm', Date.now() - 60_000);
    const first = world.start();
    await session.begin();
    await session.speak([1, 2], 100, 100);
    await session.say('archived');
    await waitFor(async () => expect((await world.stored('m')).frames).toHaveLength(200), LONG_MS);
    await waitFor(async () => expect((await world.stored('m')).events).toHaveLength(2), LONG_MS);
    first.process.kill('SIGTERM');
    await first.exited;
    await session.speak([1], 50, 100);
    await session.say('expired');
    // Kinesis keeps records for a day.
    aheadMs = 25 * HOUR_MS;
    await session.speak([1, 2], 100, 100);
    await session.say('archived too');
    await session.end();
    world.start();
    const manifest = await finalised(world, 'm');
    expect(manifest).toMatchObject({
      verdict: 'incomplete',
      because: 'ended',
      problems: [],
      frames: 400,
    });
    expect(
      manifest.losses.toSorted((a, b) => Number(b['count']) - Number(a['count'])),
    ).toMatchObject([
      { kind: 'gap', cause: 'expired', mediaType: 'audio', userId: 1, count: 50 },
      { kind: 'gap', cause: 'expired', mediaType: 'events', count: 1 },
    ]);
    expect(manifest.trimmed?.map(({ stream }) => stream).toSorted()).toEqual(['events', 'media']);
    expect(logged(world, 'archive_trimmed')).toHaveLength(2);
    const verified = await world.rtms('verify', 'm', '--json');
    expect([verified.code, JSON.parse(verified.stdout)]).toMatchObject([
      1,
      { verdict: 'incomplete', problems: [], losses: manifest.losses },
    ]);
    // A session of the same archive that lost nothing is complete, although records expired while it lasted.
    const other = new WrittenSession(world.client, 'whole', Date.now() - 30_000);
    await other.begin();
    await other.speak([1], 100, 100);
    await other.end();
    expect(await finalised(world, 'whole')).toMatchObject({ verdict: 'complete', losses: [] });
  },
);

test(
  'a stream that is deleted and made again is archived from its beginning, and what was archived stays',
  OPTIONS,
  async () => {
    await using world = await startArchiveWorld(2);
    const { client } = world;
    world.start();
    const before = new WrittenSession(client, 'before');
    await before.begin();
    await before.speak([1, 2], 100);
    await before.end();
    expect(await finalised(world, 'before')).toMatchObject({ verdict: 'complete' });
    for (const StreamName of Object.values(WORLD_STREAMS)) {
      await client.send(new DeleteStreamCommand({ StreamName }));
      const look = () => client.send(new DescribeStreamSummaryCommand({ StreamName }));
      await waitFor(() => expect(look()).rejects.toThrow(), LONG_MS);
      await client.send(new CreateStreamCommand({ StreamName, ShardCount: 2 }));
    }
    const after = new WrittenSession(client, 'after');
    await after.begin();
    await after.speak([1, 2, 3], 200);
    await after.say('in the new stream');
    await after.end();
    expect(await finalised(world, 'after')).toMatchObject({ verdict: 'complete', frames: 600 });
    expect(await world.stored('after')).toMatchObject(after.wanted);
    expect(await world.stored('before')).toMatchObject(before.wanted);
    expect(logged(world, 'archive_recreated').length).toBeGreaterThan(0);
    expect(logged(world, 'archive_trimmed')).toEqual([]);
  },
);

test(
  'a meeting that goes on in another stream is one meeting for export and verify',
  OPTIONS,
  async () => {
    await using world = await startArchiveWorld(1);
    world.start();
    const startMs = Date.now() - 600_000;
    const first = new WrittenSession(world.client, 'first', startMs);
    const second = new WrittenSession(world.client, 'second', startMs + 300_000);
    await first.begin();
    await first.speak([1], 100);
    await first.end();
    await second.begin('first');
    await second.speak([1, 2], 100);
    await second.end();
    for (const id of ['first', 'second'])
      expect(await finalised(world, id)).toMatchObject({ verdict: 'complete' });
    for (const id of ['first', 'second']) {
      const verified = await world.rtms('verify', id, '--json');
      // What was said between the two is lost.
      expect([verified.code, JSON.parse(verified.stdout)]).toMatchObject([
        1,
        { streams: ['first', 'second'], verdict: 'incomplete', losses: [{ cause: 'restarted' }] },
      ]);
      const exported = await world.rtms('export', id, '--layout', 'none', '--out', id);
      expect([exported.code, exported.stdout]).toEqual([1, expect.stringContaining('300 frames')]);
    }
  },
);

test('meeting.mp4 is made, stored with its hash, told, and plays', OPTIONS, async () => {
  await using world = await startArchiveWorld(1);
  world.start({ ARCHIVE_MEETING_FILE: 'share' });
  const frames: Frame[] = [];
  const sink = { frame: async (frame: Frame) => void frames.push(frame), event: async () => {} };
  await recordMeeting(sink as never, { lengthMs: 20_000 });
  const session = new WrittenSession(world.client, 'recorded');
  await session.begin();
  for (let at = 0; at < frames.length; at += 100)
    await session.write(
      frames.slice(at, at + 100).map(({ capturedAt, receivedAt, mediaType, codec, ...frame }) => ({
        ...frame,
        mediaType: MEDIA_TYPE_BIT[mediaType],
        codec: MEDIA_PAYLOAD_TYPE[codec],
        capturedAtMs: capturedAt.getTime(),
        receivedAtMs: receivedAt.getTime(),
      })),
    );
  await session.end();
  const manifest = await finalised(world, 'recorded');
  expect(manifest.meetingLeftOut).toBeUndefined();
  const named = manifest.objects.find(({ kind }) => kind === 'meeting');
  const stored = await world.s3.store.get(`${sessionFolder('all/', 'recorded')}meeting.mp4`);
  const sha256 = createHash('sha256')
    .update(stored?.body ?? '')
    .digest('hex');
  expect(named).toMatchObject({ name: 'meeting.mp4', sizeBytes: stored?.body.length, sha256 });
  const detail = { meeting: `${sessionFolder('all/', 'recorded')}meeting.mp4` };
  expect(world.eventBridge.events.at(-1)?.detail).toMatchObject(detail);
  if (missingTools.length > 0) return;
  const folder = await mkdtemp(join(tmpdir(), 'rtms-mp4-'));
  const path = join(folder, 'meeting.mp4');
  await writeFile(path, stored?.body ?? '');
  const { streams, format } = openMovie(path);
  expect(streams.map(({ codec_name }) => codec_name)).toEqual(expect.arrayContaining(['h264']));
  expect(Math.abs(Number(format.duration) - 20)).toBeLessThan(1);
  await rm(folder, { recursive: true });
});
