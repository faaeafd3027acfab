import { gunzipSync } from 'node:zlib';
import { fc, test as prop } from '@fast-check/vitest';
import { cbor } from '@smithy/core/cbor';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Logger } from '../../../shared/logger.ts';
import { html, refuse } from '../../../test/support/put-troubles.ts';
import { answerAll, type Script, ScriptedHttp } from '../../../test/support/scripted-http.ts';
import { putRecords } from '../put-records.ts';
import { createKinesisClient } from '../transport.ts';
import { encodeCborBody } from './cbor-format.ts';
import { HttpPutClient } from './http-put-client.ts';

/**
 * The body of a PutRecords call by AWS SDK for Java 2.41.21, as it came to a local server on 2026-11-27, compressed: the
 * records of RECORDED, to the stream `media`.
 */
const FROM_JAVA =
  'H4sIAAAAAAACA+3TsUrDUBQG4NY3cKuzcyEq6qrgVpCig9Xt0l5rbNpqEsQ8jS8idHDxrSJqHIK6OdnvW39+DpzDWU3P4niZT4qn1eQklOEoG4a8TMt0uRjEKs5i1U/qz+h443u202QXvZ+1Gtfvjd29pjLqbf2iVVoU45vs5bkoYrb9sP01b1R31ltrR4+vs3+iOe9lt9Ndc60DTz8+Z/+gWc9Vp7t5dw8AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/LlsGPIyLdPlYhCrdBar/mGSJEld356XeQzz0zCPcR4naajfAOT9/GhVFQEA';
/** Lengths at which the head of a byte string or text changes its size. */
const RECORDED = [
  ['key-0', 0],
  ['key-1', 1],
  ['key-23', 23],
  ['schlüssel#v#1', 24],
  ['k'.repeat(200), 255],
  ['key-256', 256],
  ['key-70000', 70_000],
] as const;

test('a body is byte for byte what AWS SDK for Java sends', () => {
  const entries = RECORDED.map(([partitionKey, length]) => ({
    partitionKey,
    data: Buffer.alloc(length, length + 1),
  }));
  const recorded = gunzipSync(Buffer.from(FROM_JAVA, 'base64'));
  const body = encodeCborBody('media', entries, 0, (size) => Buffer.alloc(size));
  expect(body.equals(recorded)).toBe(true);
});

test.each([23, 24, 255, 256, 65_535, 65_536])(
  'a key, a name and data of %i bytes have heads of their size',
  (length) => {
    const [text, data] = ['k'.repeat(length), Buffer.alloc(length, 0xa5)];
    const body = encodeCborBody(text, [{ partitionKey: text, data }], 0, Buffer.alloc);
    const { StreamName, Records } = cbor.deserialize(body);
    expect([StreamName === text, Records[0].PartitionKey === text]).toEqual([true, true]);
    expect(data.equals(Records[0].Data)).toBe(true);
  },
);

const entry = fc.record({
  partitionKey: fc.string({ unit: 'grapheme' }),
  data: fc.uint8Array({ maxLength: 300 }),
});

prop.prop([
  fc.string({ unit: 'grapheme' }),
  fc.array(entry, { maxLength: 8 }),
  fc.integer({ min: 0, max: 20 }),
])('a body is CBOR that holds every key and every byte', (streamName, entries, room) => {
  const body = encodeCborBody(streamName, entries, room, (size) => Buffer.alloc(size, 0xdb));
  const { StreamName, Records } = cbor.deserialize(body.subarray(room));
  expect(StreamName).toBe(streamName);
  expect(
    Records.map(({ PartitionKey, Data }: { PartitionKey: string; Data: Uint8Array }) => ({
      partitionKey: PartitionKey,
      data: new Uint8Array(Data),
    })),
  ).toEqual(entries);
  expect(body.subarray(0, room)).toEqual(Buffer.alloc(room, 0xdb));
});

let server: ScriptedHttp;
let puts: HttpPutClient;
let lines: object[];

beforeEach(async () => {
  lines = [];
  server = await ScriptedHttp.start();
  const sdk = createKinesisClient({
    region: 'us-east-1',
    endpoint: server.url(),
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const warn = (_message: string, fields: object = {}) => void lines.push(fields);
  const logger: Logger = { debug() {}, info() {}, warn, error: warn, child: () => logger };
  puts = new HttpPutClient(sdk, { format: 'cbor', requestTimeoutMs: 5_000, logger });
});
afterEach(async () => {
  puts.destroy();
  await server.close();
});

const put = () =>
  putRecords(
    puts,
    'media',
    [{ partitionKey: 'a', data: Buffer.from('one') }],
    new AbortController().signal,
  );

/** What an emulator that only speaks JSON does with CBOR. */
const cborRefused =
  (script: Script): Script =>
  (socket, request) =>
    request.headers.get('content-type')?.includes('cbor')
      ? script(socket, request)
      : answerAll(socket, request);

test.each<[string, Script]>([
  ['415', html(415)],
  ['501', html(501)],
  ['404 with HTML', html(404)],
  ['400 without a name', refuse(400, '')],
  ['SerializationException', refuse(400, 'SerializationException')],
  ['UnknownOperationException', refuse(400, 'UnknownOperationException')],
])(
  'from the first refusal of CBOR on, calls are made in JSON, the refused one at once: %s',
  async (_name, script) => {
    server.script = cborRefused(script);
    for (let call = 0; call < 3; call += 1) {
      expect((await put()).outcomes).toMatchObject([{ name: 'written' }]);
    }
    const types = server.requests.map(({ headers }) => headers.get('content-type'));
    expect(types).toEqual([
      'application/x-amz-cbor-1.1',
      ...Array.from({ length: 3 }, () => 'application/x-amz-json-1.1'),
    ]);
    expect(lines).toMatchObject([{ event: 'put_format_refused' }]);
  },
);

test('records in a success that cannot be read are left to the producer, and JSON is next', async () => {
  server.script = cborRefused(html(200));
  expect((await put()).outcomes).toMatchObject([{ name: 'failed' }]);
  expect(server.requests).toHaveLength(1);
  expect((await put()).outcomes).toMatchObject([{ name: 'written' }]);
  expect(server.requests.at(-1)?.headers.get('content-type')).toBe('application/x-amz-json-1.1');
});

test('an emulator that breaks over CBOR is asked in JSON the next time, and records of the first call are left to the producer', async () => {
  server.script = cborRefused(html(500));
  expect((await put()).outcomes).toMatchObject([{ name: 'failed' }]);
  expect((await put()).outcomes).toMatchObject([{ name: 'written' }]);
  expect(server.requests.at(-1)?.headers.get('content-type')).toBe('application/x-amz-json-1.1');
  expect(lines).toMatchObject([{ event: 'put_format_refused' }]);
});

test.each([500, 200])(
  'a service that has taken CBOR once is asked in CBOR again, also after %s with HTML',
  async (status) => {
    server.script = answerAll;
    await put();
    server.script = cborRefused(html(status));
    expect((await put()).outcomes).toMatchObject([{ name: 'failed' }]);
    server.script = answerAll;
    await put();
    expect(server.requests.at(-1)?.headers.get('content-type')).toBe('application/x-amz-cbor-1.1');
    expect(lines).toEqual([]);
  },
);

test('what refuses JSON, too, has another reason, and leaves the format as it is', async () => {
  server.script = html(404);
  expect((await put()).outcomes).toMatchObject([{ name: 'failed' }]);
  server.script = answerAll;
  await put();
  const types = server.requests.map(({ headers }) => headers.get('content-type')?.slice(18));
  expect(types).toEqual(['cbor-1.1', 'json-1.1', 'cbor-1.1']);
  expect(lines).toEqual([]);
});

test.each<[string, Script, string]>([
  ...[401, 403, 407, 408, 413, 429, 503].map((status): [string, Script, string] => [
    `${status} with HTML`,
    html(status),
    'failed',
  ]),
  ['InternalFailure', refuse(500, 'InternalFailure'), 'failed'],
  ['a throttle', refuse(400, 'LimitExceededException'), 'throttled'],
  ['missing rights', refuse(400, 'AccessDeniedException'), 'blocked'],
  ['an invalid call', refuse(400, 'ValidationException'), 'refused'],
])('what says nothing of the format leaves it as it is: %s', async (_name, script, outcome) => {
  server.script = cborRefused(script);
  expect((await put()).outcomes).toMatchObject([{ name: outcome }]);
  expect(server.requests).toHaveLength(1);
  server.script = answerAll;
  await put();
  expect(server.requests.at(-1)?.headers.get('content-type')).toBe('application/x-amz-cbor-1.1');
  expect(lines).toEqual([]);
});

test('a refusal in JSON is final', async () => {
  server.script = refuse(400, 'SerializationException');
  expect((await put()).outcomes).toMatchObject([{ name: 'refused' }]);
  expect(server.requests).toHaveLength(2);
});
