import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestS3, type TestS3 } from '../../../test/support/local-s3.ts';
import { ScriptedHttp } from '../../../test/support/scripted-http.ts';
import { addToObject } from './merge-put.ts';
import { ObjectStore } from './object-store.ts';

/** The store against an S3 over HTTP, with the client of the AWS SDK. */

let s3: TestS3;
beforeAll(async () => {
  s3 = await startTestS3();
});
afterAll(() => s3[Symbol.asyncDispose]());

const TEXT = { contentType: 'text/plain' };
/** Words of a text, each once and sorted. */
const union = (objects: readonly Buffer[]) =>
  Buffer.from([...new Set(objects.flatMap((body) => body.toString().split(' ')))].sort().join(' '));
const addition = (key: string, words: string) => ({
  key,
  body: Buffer.from(words),
  ...TEXT,
  metadata: { fence: '1' },
  union,
});
const read = async (key: string) => (await s3.store.get(key))?.body.toString();

test('writes only where no object is, and only over the one that was read', async () => {
  const { store } = s3;
  expect(await store.get('a/1')).toBeUndefined();
  expect(await store.put('a/1', Buffer.from('x'), { ...TEXT, ifIs: 'none' })).toBe(true);
  expect(await store.put('a/1', Buffer.from('y'), { ...TEXT, ifIs: 'none' })).toBe(false);
  const first = await store.get('a/1');
  expect(first?.body.toString()).toBe('x');
  const ifIs = first?.etag ?? '';
  expect(await store.etag('a/1')).toBe(ifIs);
  expect(await store.put('a/1', Buffer.from('z'), { ...TEXT, ifIs })).toBe(true);
  expect(await store.put('a/1', Buffer.from('w'), { ...TEXT, ifIs })).toBe(false);
  expect(await read('a/1')).toBe('z');
  expect(await store.put('a/gone', Buffer.from('w'), { ...TEXT, ifIs })).toBe(false);
});

test('of eight writers of one object at once, one writes first and all are in it', async () => {
  const words = Array.from({ length: 8 }, (_, index) => `w${String(index).padStart(2, '0')}`);
  const done = await Promise.all(
    words.map((word) => addToObject(s3.store, addition('b/1', word), () => true)),
  );
  expect(done.filter((one) => one === 'written')).toHaveLength(1);
  expect(await read('b/1')).toBe(words.join(' '));
});

test('adds what is missing, leaves what is there, and stops when it may not write any more', async () => {
  const add = (words: string, mayWrite = true) =>
    addToObject(s3.store, addition('c/1', words), () => mayWrite);
  expect(await add('a b', false)).toBeUndefined();
  expect(await read('c/1')).toBeUndefined();
  expect(await add('a b')).toBe('written');
  expect(await add('a b')).toBe('there');
  expect(await add('a')).toBe('there');
  expect(await add('b c')).toBe('merged');
  expect(await add('d', false)).toBeUndefined();
  expect(await read('c/1')).toBe('a b c');
});

test('lists objects, folders and versions, and deletes versions', async () => {
  const { store } = s3;
  const keys = ['d/one/1', 'd/one/2 = 3', 'd/other/1', 'e/1'];
  for (const key of keys) await store.put(key, Buffer.from(key), { ...TEXT, ifIs: 'none' });
  const listed = await Array.fromAsync(store.list('d/'));
  expect(listed.map(({ key }) => key)).toEqual(keys.slice(0, 3));
  expect(listed[0]).toEqual({ key: 'd/one/1', sizeBytes: 7 });
  expect(await store.folders('d/', 'o')).toEqual(['one', 'other']);
  expect(await store.folders('d/', 'on')).toEqual(['one']);
  const versions = await Array.fromAsync(store.versions('d/one/'));
  expect(versions.map(({ key }) => key)).toEqual(keys.slice(0, 2));
  expect(await store.remove(versions, false)).toEqual([]);
  expect(await Array.fromAsync(store.versions('d/one/'))).toEqual([]);
  expect(await read('d/other/1')).toBe('d/other/1');
});

test('names the version `null` when it deletes it: in a bucket with versions it would stay under a delete marker', async () => {
  const sent: object[] = [];
  const send = (command: { input: object }, options: object) => {
    sent.push(command.input);
    return s3.client.send(command as never, options);
  };
  const store = await ObjectStore.open({ send }, s3.bucket);
  await store.put('null/1', Buffer.from('a'), { ...TEXT, ifIs: 'none' });
  const versions = await Array.fromAsync(store.versions('null/'));
  expect(await store.remove(versions, false)).toEqual([]);
  const Delete = { Objects: [{ Key: 'null/1', VersionId: 'null' }], Quiet: true };
  expect(sent.at(-1)).toMatchObject({ Delete });
  expect(await read('null/1')).toBeUndefined();
});

test('says of a failure whether it may pass', async () => {
  const none = await ObjectStore.open(s3.client, 'no-such-bucket');
  await expect(none.get('a')).rejects.toMatchObject({
    code: 'archive/store-refused',
    detail: { name: 'NoSuchBucket' },
  });
  const away = await ObjectStore.open(
    { send: () => Promise.reject(Object.assign(new Error('x'), { code: 'ECONNREFUSED' })) },
    'recordings',
  );
  await expect(away.get('a')).rejects.toMatchObject({
    code: 'archive/store-failed',
    retryable: true,
    detail: { name: 'ECONNREFUSED' },
  });
});

/** What S3 answers to HEAD has no body, so only the status tells. */
const xml = (code: string) => `<Error><Code>${code}</Code><Message>m</Message></Error>`;

describe('an answer of S3 says in every call whether it may pass', () => {
  let server: ScriptedHttp;
  beforeAll(async () => {
    server = await ScriptedHttp.start();
  });
  afterAll(() => server.close());

  test.each([
    [503, 'SlowDown', 'failed', 'SlowDown', 'HTTP 503'],
    [500, 'InternalError', 'failed', 'InternalError', 'HTTP 500'],
    [400, 'RequestTimeout', 'failed', 'RequestTimeout', 'HTTP 400'],
    [403, 'AccessDenied', 'refused', 'AccessDenied', 'AccessDenied'],
    [301, 'PermanentRedirect', 'refused', 'PermanentRedirect', 'PermanentRedirect'],
    [403, 'InvalidObjectState', 'refused', 'InvalidObjectState', 'AccessDenied'],
  ] as const)('%i %s: %s', async (status, code, outcome, name, nameOfHead) => {
    server.script = (socket, { head }) => {
      const body = xml(code);
      const length = `content-length: ${body.length}`;
      socket.write(`HTTP/1.1 ${status} x\r\ncontent-type: application/xml\r\n${length}\r\n\r\n`);
      if (!head.startsWith('HEAD')) socket.write(body);
    };
    await expectFailures(server, outcome, name, nameOfHead);
  });

  test('a connection that breaks within the answer: failed', async () => {
    server.script = (socket) => {
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\netag: "x"\r\n\r\nabc');
    };
    const store = await ObjectStore.open(clientOf(server), 'recordings');
    await expect(store.get('a')).rejects.toMatchObject({ code: 'archive/store-failed' });
  });
});

const clientOf = (server: ScriptedHttp) =>
  new S3Client({
    endpoint: server.url(),
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    forcePathStyle: true,
    maxAttempts: 1,
  });

async function expectFailures(
  server: ScriptedHttp,
  outcome: 'failed' | 'refused',
  name: string,
  nameOfHead: string,
): Promise<void> {
  const store = await ObjectStore.open(clientOf(server), 'recordings');
  const version = { key: 'a', versionId: 'null', isDeleteMarker: false };
  const calls = {
    get: () => store.get('a'),
    put: () => store.put('a', Buffer.from('a'), { ...TEXT, ifIs: 'none' }),
    list: () => store.list('a').next(),
    versions: () => store.versions('a').next(),
    remove: () => store.remove([version], false),
    etag: () => store.etag('a'),
  };
  for (const [call, send] of Object.entries(calls)) {
    const failure = await send().catch((error: unknown) => error);
    expect(failure, call).toMatchObject({
      code: `archive/store-${outcome}`,
      detail: { name: call === 'etag' ? nameOfHead : name },
    });
  }
}

test('streams a body of a known size and SHA-256', async () => {
  const { store } = s3;
  const text = 'x'.repeat(300_000);
  const sha256 = createHash('sha256').update(text).digest('hex');
  const body = { stream: () => Readable.from([Buffer.from(text)]), sizeBytes: text.length, sha256 };
  expect(await store.put('f/1', body, { ...TEXT, ifIs: 'none' })).toBe(true);
  expect(await read('f/1')).toBe(text);
});
