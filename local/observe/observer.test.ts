import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateStreamCommand, KinesisClient, PutRecordCommand } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { encodeMediaRecord } from '../../shared/record/encode-media-record.ts';
import type { MediaRecord } from '../../shared/record/media-record.ts';
import { eventBytes, mediaRecord, START_MS } from '../../test/support/test-records.ts';
import { type KinesisServer, startKinesisServer } from '../kinesis/server.ts';
import { Observer } from './observer.ts';

/** The recorder behind `npm start -- --live`, on a Kinesis that several meetings are written to. */

const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
const streams = { media: 'media', events: 'events' };

let root: string;
let server: KinesisServer;
let client: KinesisClient;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'rtms-observer-'));
  server = await startKinesisServer();
  client = new KinesisClient({
    region: 'us-east-1',
    credentials,
    endpoint: server.url,
    requestHandler: new NodeHttpHandler(),
  });
  for (const StreamName of Object.values(streams))
    await client.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
});
afterAll(async () => {
  client.destroy();
  await server.close();
  await rm(root, { recursive: true });
});

async function put(StreamName: string, PartitionKey: string, Data: Uint8Array): Promise<void> {
  await client.send(new PutRecordCommand({ StreamName, PartitionKey, Data }));
}

const media = (rtmsStreamId: string, changes: Partial<MediaRecord> = {}) =>
  put('media', rtmsStreamId, encodeMediaRecord(mediaRecord({ rtmsStreamId, ...changes })));

async function started(rtmsStreamId: string): Promise<void> {
  const data = {
    product: 'meeting',
    entityId: 'a/b==',
    media: {},
    requestedAtMs: START_MS,
    claimedAtMs: START_MS,
    streamingAtMs: START_MS,
  } as const;
  await put('events', rtmsStreamId, eventBytes('session_started', data, 1, { rtmsStreamId }));
}

async function ended(rtmsStreamId: string): Promise<void> {
  const data = { stopReason: 6, restartable: false, ledger: [] };
  await put('events', rtmsStreamId, eventBytes('session_ended', data, 2, { rtmsStreamId }));
}

const filesOf = (id: string) => readdir(join(root, id)).catch(() => []);

test('one meeting of which nothing can be written leaves the files of the others complete', async () => {
  // No folder can be made where a file is.
  await writeFile(join(root, 'blocked'), '');
  for (const id of ['blocked', 'odd', 'sound']) await started(id);
  for (let sequence = 1; sequence <= 3; sequence++) {
    for (const id of ['blocked', 'odd', 'sound']) await media(id, { sequence });
    const odd = { sequence, mediaType: 2 as const, codec: 7 };
    await media('odd', { ...odd, payload: Buffer.alloc(0) });
    await media('odd', { ...odd, userId: 8, codec: 99, payload: Buffer.from('no start code') });
  }
  const endpoints = { kinesis: server.url };
  const aws = { region: 'us-east-1', credentials, endpoints, streams };
  const observer = new Observer(aws, (id) => join(root, id));
  try {
    // A meeting that ended is complete while others go on.
    await ended('sound');
    await vi.waitFor(
      async () => expect(await filesOf('sound')).toEqual(['audio-7-ada.wav', 'meeting.wav']),
      { timeout: 8_000, interval: 50 },
    );
    expect(await filesOf('odd')).toEqual(['audio-7-ada.wav.partial', 'meeting.wav.partial']);
  } finally {
    const written = await observer.close();
    const notes = written.flatMap((files) => files.notes).sort();
    expect(notes).toEqual([
      '3 of video 7 in no file: picture without an H.264 unit',
      '3 of video 8 in no file: codec that this version does not know',
      'blocked: its files ended with EEXIST',
    ]);
  }
  expect(await filesOf('odd')).toEqual(['audio-7-ada.wav', 'meeting.wav']);
});
