import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateStreamCommand, KinesisClient, PutRecordCommand } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { test as base, expect } from 'vitest';
import { encodeMediaRecord } from '../../shared/record/encode-media-record.ts';
import type { MediaRecord } from '../../shared/record/media-record.ts';
import { eventBytes, mediaRecord, START_MS } from '../../test/support/test-records.ts';
import { BESIDE_OTHERS_MS, waitFor } from '../../test/support/wait.ts';
import { startKinesisServer } from '../kinesis/server.ts';
import { Observer } from './observer.ts';

/** Runs the observer of `npm start -- --live` against a Kinesis with several meetings. */

const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
const streams = { media: 'media', events: 'events' };

/** One Kinesis and one folder for each test: an observer reads, and writes the files of, all meetings of its streams. */
async function openWorld() {
  const root = await mkdtemp(join(tmpdir(), 'rtms-observer-'));
  const server = await startKinesisServer();
  const endpoints = { kinesis: server.url };
  const client = new KinesisClient({
    region: 'us-east-1',
    credentials,
    endpoint: server.url,
    requestHandler: new NodeHttpHandler(),
  });
  for (const StreamName of Object.values(streams))
    await client.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));

  async function put(StreamName: string, PartitionKey: string, Data: Uint8Array): Promise<void> {
    await client.send(new PutRecordCommand({ StreamName, PartitionKey, Data }));
  }

  return {
    root,
    filesOf: (id: string) => readdir(join(root, id)).catch(() => []),

    media: (rtmsStreamId: string, changes: Partial<MediaRecord> = {}) =>
      put('media', rtmsStreamId, encodeMediaRecord(mediaRecord({ rtmsStreamId, ...changes }))),

    async started(rtmsStreamId: string, epoch = 1): Promise<void> {
      const data = {
        product: 'meeting',
        entityId: 'a/b==',
        media: {},
        requestedAtMs: START_MS,
        claimedAtMs: START_MS,
        streamingAtMs: START_MS,
      } as const;
      const identity = { rtmsStreamId, epoch };
      await put('events', rtmsStreamId, eventBytes('session_started', data, 1, identity));
    },

    async ended(rtmsStreamId: string, epoch = 1, stopReason = 6): Promise<void> {
      const data = { stopReason, restartable: stopReason !== 6, ledger: [] };
      const identity = { rtmsStreamId, epoch };
      await put('events', rtmsStreamId, eventBytes('session_ended', data, 2, identity));
    },

    async revoked(rtmsStreamId: string, epoch: number): Promise<void> {
      const data = { timestampMs: START_MS };
      const identity = { rtmsStreamId, epoch };
      await put('events', rtmsStreamId, eventBytes('session_revoked', data, 1, identity));
    },

    observe: () =>
      new Observer({ region: 'us-east-1', credentials, endpoints, streams }, (id) =>
        join(root, id),
      ),

    async close(): Promise<void> {
      client.destroy();
      await server.close();
      await rm(root, { recursive: true });
    },
  };
}

const test = base.extend<{ world: Awaited<ReturnType<typeof openWorld>> }>({
  // Vitest finds out by the braces that this fixture needs no other one.
  // biome-ignore lint/correctness/noEmptyPattern: as said above
  world: async ({}, use) => {
    const world = await openWorld();
    await use(world);
    await world.close();
  },
});

/** The files of a meeting in which one person spoke. Documents of the whole meeting are written when it is over. */
const filesWith = (audio: string) => [
  audio,
  'events.jsonl',
  'manifest.json',
  'meeting.mkv',
  'meeting.mp4',
  'meeting.wav',
  'participants.json',
];
const partialWith = (audio: string) =>
  [audio, 'events.jsonl', 'meeting.wav'].map((name) => `${name}.partial`);
const ADA = filesWith('audio-7-ada.wav');
/** Three frames are long enough to say that somebody spoke. */
const SPOKEN = [...ADA, 'speakers.rttm'];
const PARTIAL = partialWith('audio-7-ada.wav');
const within = (check: () => Promise<void>) =>
  waitFor(check, { timeout: BESIDE_OTHERS_MS, interval: 50 });

test.concurrent('a meeting whose files cannot be written does not affect the files of others', async ({
  world,
}) => {
  const { ended, filesOf, media, observe, root, started } = world;
  // A folder cannot be created where a file is.
  await writeFile(join(root, 'blocked'), '');
  for (const id of ['blocked', 'odd', 'sound']) await started(id);
  for (let sequence = 1; sequence <= 3; sequence++) {
    for (const id of ['blocked', 'odd', 'sound']) await media(id, { sequence });
    const odd = { sequence, mediaType: 2 as const, codec: 7 };
    await media('odd', { ...odd, payload: Buffer.alloc(0) });
    await media('odd', { ...odd, userId: 8, codec: 99, payload: Buffer.from('no start code') });
  }
  const observer = observe();
  try {
    // A meeting that ended is complete while others go on.
    await ended('sound');
    await within(async () => expect(await filesOf('sound')).toEqual(SPOKEN));
    expect(await filesOf('odd')).toEqual(PARTIAL);
  } finally {
    const written = await observer.close();
    const notes = written.flatMap((files) => files.notes).sort();
    expect(notes).toEqual([
      '3 of video 7 in no file: picture without an H.264 unit',
      '3 of video 8 in no file: codec that this version does not know',
      'blocked: its files ended with EEXIST',
    ]);
  }
  expect(await filesOf('odd')).toEqual(SPOKEN);
});

test.concurrent('a stream that begins again after its end gets a folder of its own', async ({
  world,
}) => {
  const { ended, filesOf, media, observe, started } = world;
  await started('again');
  await media('again');
  const observer = observe();
  try {
    await ended('again');
    await within(async () => expect(await filesOf('again')).toEqual(ADA));
    await started('again', 2);
    await media('again', { epoch: 2, userId: 8 });
    await within(async () =>
      expect(await filesOf('again-2')).toEqual(partialWith('audio-8-ada.wav')),
    );
    await ended('again', 2);
    await within(async () =>
      expect(await filesOf('again-2')).toEqual(filesWith('audio-8-ada.wav')),
    );
    await started('again', 3);
    await media('again', { epoch: 3 });
    await within(async () => expect(await filesOf('again-3')).toEqual(PARTIAL));
  } finally {
    const paths = (await observer.close()).flatMap((files) => files.paths);
    const own = paths.filter((path) => path.includes('again'));
    expect(own).toHaveLength(3 * ADA.length);
    expect(await Promise.all(['again', 'again-2', 'again-3'].map(filesOf))).toEqual([
      ADA,
      filesWith('audio-8-ada.wav'),
      ADA,
    ]);
  }
});

test.concurrent('a stream that Zoom may start again goes on in the same files', async ({
  world,
}) => {
  const { ended, filesOf, media, observe, started } = world;
  const observer = observe();
  try {
    await started('resumed');
    await media('resumed');
    await ended('resumed', 1, 10);
    await started('resumed', 2);
    await media('resumed', { epoch: 2, capturedAtMs: START_MS + 1_000 });
    await ended('resumed', 2);
    await within(async () => expect(await filesOf('resumed')).toEqual(ADA));
  } finally {
    await observer.close();
  }
  expect(await filesOf('resumed-2')).toEqual([]);
});

test.concurrent('files that are complete when Zoom takes the consent back are removed with their folder', async ({
  world,
}) => {
  const { ended, filesOf, media, observe, revoked, root, started } = world;
  const observer = observe();
  let notes: string[] = [];
  try {
    for (const id of ['taken-back', 'kept']) {
      await started(id);
      await media(id);
      await ended(id);
    }
    await within(async () => expect(await filesOf('taken-back')).toEqual(ADA));
    await revoked('taken-back', 2);
    await within(async () => expect(existsSync(join(root, 'taken-back'))).toBe(false));
    // Frames that are still read from the other stream are not kept either.
    await media('taken-back', { epoch: 2 });
    await started('taken-back', 3);
    await media('taken-back', { epoch: 3 });
    await within(async () => {
      const read = [...observer.stats.sources.values()];
      expect(read.find((each) => each.rtmsStreamId === 'taken-back')?.frames).toBe(3);
    });
  } finally {
    const written = await observer.close();
    notes = written.flatMap((files) => files.notes);
    const paths = written.flatMap((files) => files.paths);
    expect(paths.filter((path) => path.includes('taken-back'))).toEqual([]);
  }
  expect(notes).toContain('taken-back: Zoom took the consent back, its files are removed');
  expect(existsSync(join(root, 'taken-back-2'))).toBe(false);
  expect(await filesOf('kept')).toEqual(ADA);
});

test.concurrent('neither files nor their folder are left when Zoom takes the consent back during the meeting', async ({
  world,
}) => {
  const { filesOf, media, observe, revoked, root, started } = world;
  const observer = observe();
  try {
    await started('during');
    await media('during');
    await within(async () => expect(await filesOf('during')).toEqual(PARTIAL));
    await revoked('during', 1);
    await within(async () => expect(existsSync(join(root, 'during'))).toBe(false));
  } finally {
    await observer.close();
  }
  expect(existsSync(join(root, 'during'))).toBe(false);
});
