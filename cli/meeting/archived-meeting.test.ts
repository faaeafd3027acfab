import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ArchivedSession } from '../../sdk/consumer/archive/archive-reader.ts';
import { continuedBy, writeContinued } from '../../sdk/consumer/archive/continued.ts';
import { sweepSession } from '../../sdk/consumer/archive/deletion.ts';
import { archivedLine } from '../../sdk/consumer/archive/event-lines.ts';
import { inspectSession } from '../../sdk/consumer/archive/inspect-session.ts';
import { eventsName, minuteOf, sessionFolder } from '../../sdk/consumer/archive/layout.ts';
import { encodeManifest } from '../../sdk/consumer/archive/manifest.ts';
import { LedgerChecker } from '../../sdk/consumer/index.ts';
import { startTestS3, type TestS3 } from '../../test/support/local-s3.ts';
import { event, START_MS } from '../../test/support/test-records.ts';
import type { Context } from '../command.ts';
import { openArchived, refuseDeleted, sourceInArchive } from './archived-meeting.ts';

/** Sessions written into a real S3, and found again through the links between them. */

let s3: TestS3;
beforeAll(async () => {
  s3 = await startTestS3();
});
afterAll(() => s3[Symbol.asyncDispose]());

const notes: string[] = [];
const context = () =>
  ({
    deployment: { archive: `s3://${s3.bucket}/all` },
    aws: { s3: s3.client },
    output: { note: (line: string) => void notes.push(line) },
  }) as unknown as Context;

const SECONDS = 1_000;

/** A stream of a minute, which begins at this second of the meeting. */
async function archive(rtmsStreamId: string, fromS: number, continues?: string): Promise<void> {
  const atMs = START_MS + fromS * SECONDS;
  const times = { requestedAtMs: atMs, claimedAtMs: atMs, streamingAtMs: atMs };
  const started = event(
    'session_started',
    {
      product: 'meeting',
      entityId: 'm==',
      media: { audio: {} as never },
      ...times,
      ...(continues !== undefined && { continues: { rtmsStreamId: continues } as never }),
    },
    1,
    { rtmsStreamId, timeMs: atMs },
  );
  const ledger = [{ mediaType: 'events', received: 1, written: 1, lost: 0 }] as const;
  const ended = event('session_ended', { restartable: true, ledger: [...ledger] }, 2, {
    rtmsStreamId,
    timeMs: atMs + 60 * SECONDS,
  });
  const body = Buffer.concat([started, ended].map(archivedLine));
  const key = sessionFolder('all/', rtmsStreamId) + eventsName(minuteOf(atMs));
  await s3.store.put(key, body, { contentType: 'application/x-ndjson', ifIs: 'none' });
  if (continues !== undefined) await writeContinued(s3.store, 'all/', rtmsStreamId, continues);
}

const found = async (words: string) => {
  const { sessions, ...rest } = await openArchived(context(), true, words);
  return { streams: sessions.map(({ rtmsStreamId }) => rtmsStreamId), ...rest };
};

test('whichever stream is named, all that continue one another are one meeting, the oldest first', async () => {
  await archive('third', 140, 'second');
  await archive('first', 0);
  await archive('second', 70, 'first');
  await archive('other', 0);
  const streams = ['first', 'second', 'third'];
  for (const named of streams)
    expect(await found(named)).toMatchObject({ streams, deleted: [], missing: [] });
  expect(await found('other')).toMatchObject({ rtmsStreamId: 'other', streams: ['other'] });
});

test('what was said between two of them is a loss of the meeting', async () => {
  const { sessions } = await openArchived(context(), true, 'first');
  const checker = new LedgerChecker();
  for (const session of sessions) await inspectSession(session, checker);
  const { verdict, losses, problems } = checker.report();
  expect({ verdict, problems }).toEqual({ verdict: 'incomplete', problems: [] });
  expect(losses).toMatchObject([
    { rtmsStreamId: 'second', cause: 'restarted', fromMs: START_MS + 60_000 },
    { rtmsStreamId: 'third', cause: 'restarted', fromMs: START_MS + 130_000 },
  ]);
});

test('a stream that another one continues, and that has expired, is named', async () => {
  await archive('late', 0, 'expired');
  expect(await found('late')).toMatchObject({ streams: ['late'], missing: ['expired'] });
});

test('streams that name each other in a circle are each there once', async () => {
  await archive('egg', 0, 'hen');
  await archive('hen', 60, 'egg');
  expect((await found('hen')).streams.toSorted()).toEqual(['egg', 'hen']);
});

test('a link is written once, and an id with odd characters is kept whole', async () => {
  for (let time = 0; time < 2; time += 1)
    await writeContinued(s3.store, 'all/', 'a/b ü', 'before/it');
  expect(await continuedBy(s3.store, 'all/', 'before/it')).toEqual(['a/b ü']);
});

test('a meeting of which one stream was taken back is refused, from the side of each', async () => {
  await archive('kept', 0);
  await archive('revoked', 70, 'kept');
  await archive('last', 140, 'revoked');
  await sweepSession(s3.store, {
    prefix: 'all/',
    rtmsStreamId: 'revoked',
    deletes: true,
    bypassGovernance: false,
    nowMs: START_MS,
  });
  await expect(found('revoked')).rejects.toThrow(/export\/revoked/);
  for (const named of ['kept', 'last']) {
    const { deleted } = await found(named);
    expect(deleted).toEqual(['revoked']);
    expect(() => refuseDeleted(context(), deleted, undefined)).toThrow(/export\/revoked/);
    refuseDeleted(context(), deleted, true);
    expect(notes.at(-1)).toContain('REVOKED');
  }
  expect((await found('kept')).streams).toEqual(['kept', 'last']);
});

/** Writes a stream and its manifest, changes something, and reads the stream as an export does. */
async function problemsAfter(rtmsStreamId: string, change: (key: string) => Promise<unknown>) {
  await archive(rtmsStreamId, 0);
  const session = await ArchivedSession.open(s3.store, 'all/', rtmsStreamId);
  const { objects } = await inspectSession(session);
  const about = { rtmsStreamId, product: 'meeting', entityId: 'm==', because: 'ended' } as const;
  const counts = { frames: 0, events: 2, sizeBytes: 1, revision: 1, finalisedAtMs: START_MS };
  const proof = { verdict: 'complete' as const, isOpen: false, losses: [], problems: [] };
  const manifest = encodeManifest({
    version: 1,
    ...about,
    ...counts,
    ...proof,
    objects: [...objects],
  });
  const json = { contentType: 'application/json', ifIs: 'none' } as const;
  await s3.store.put(`${session.folder}manifest.json`, manifest, json);
  await change(session.folder + (objects[0]?.name ?? ''));
  const { sessions } = await openArchived(context(), true, rtmsStreamId);
  const [source] = sessions.map(sourceInArchive);
  await Array.fromAsync(source?.events() ?? []);
  await Array.fromAsync(source?.frames([]) ?? []);
  return source?.problems?.();
}

const write = (key: string, body: Buffer) =>
  s3.client.send(new PutObjectCommand({ Bucket: s3.bucket, Key: key, Body: body }));

test('an export says where the objects are not those of the manifest', async () => {
  const at = eventsName(minuteOf(START_MS));
  expect(await problemsAfter('intact', async () => undefined)).toEqual([]);
  const gone = (Key: string) => s3.client.send(new DeleteObjectCommand({ Bucket: s3.bucket, Key }));
  expect(await problemsAfter('gone', gone)).toEqual([
    `${at} is in the manifest and cannot be read`,
  ]);
  expect(await problemsAfter('emptied', (key) => write(key, Buffer.alloc(0)))).toEqual([
    `${at} is not what the manifest has the SHA-256 of`,
  ]);
  const later = eventsName(minuteOf(START_MS + 60 * SECONDS));
  const added = (key: string) => write(key.replace(at, later), Buffer.alloc(0));
  expect(await problemsAfter('added', added)).toEqual([`${later} is not in the manifest`]);
});

test('a manifest of another session is refused', async () => {
  const copied = async () => {
    const stored = await s3.store.get(`${sessionFolder('all/', 'original')}manifest.json`);
    await write(`${sessionFolder('all/', 'copy')}manifest.json`, stored?.body ?? Buffer.alloc(0));
  };
  await problemsAfter('original', copied);
  await expect(openArchived(context(), true, 'copy')).rejects.toMatchObject({
    code: 'archive/damaged',
    message: expect.stringContaining('is of another session, original'),
  });
});
