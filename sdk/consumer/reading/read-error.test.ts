import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { connect } from '../../../test/support/kinesis-client.ts';
import { toReadError } from './read-error.ts';
import { frames } from './reader.ts';

const named = (name: string, fields: object = {}) =>
  Object.assign(new Error('x'), { name, ...fields });
const sent = { $metadata: { attempts: 1 } };
const refused = { $metadata: { attempts: 1, httpStatusCode: 400 } };

test.each<[string, unknown, boolean, string]>([
  ['a throttled call', named('LimitExceededException', refused), false, 'kinesis/read-failed'],
  ['a broken service', named('X', { $metadata: { httpStatusCode: 503 } }), false, 'read-failed'],
  ['a missing stream', named('ResourceNotFoundException', refused), true, 'stream-missing'],
  ['a denied call', named('AccessDeniedException', refused), true, 'access-denied'],
  ['credentials that have expired', named('ExpiredTokenException', refused), true, 'access-denied'],
  ['no credentials any more', named('CredentialsProviderError', sent), true, 'access-denied'],
  ['a wrong sequence number', named('InvalidArgumentException', refused), true, 'read-refused'],
  ['an unknown refusal', named('NewException', refused), true, 'read-refused'],
  ['a wrong endpoint', named('Error', { ...sent, code: 'ENOTFOUND' }), false, 'read-refused'],
  ['DNS that fails later', named('Error', { ...sent, code: 'ENOTFOUND' }), true, 'read-failed'],
  ['a broken HTTP/2 stream', named('Error', sent), true, 'kinesis/read-failed'],
  ['a server without HTTP/2', named('Error', sent), false, 'kinesis/read-refused'],
  ['an error of a stand-in for the client', named('TypeError'), true, 'kinesis/read-refused'],
  ['no Error at all', 'x', true, 'kinesis/read-refused'],
])(
  'a failed call ends the reading or is repeated, by its error: %s',
  (_title, cause, hasAnswered, code) => {
    const error = toReadError(cause, 'media', hasAnswered);
    expect(error.code).toContain(code);
    expect(error.retryable).toBe(code.endsWith('read-failed'));
  },
);

const INTERNAL_ERROR = 2;
const CANCEL = 8;

test.each<[string, (stream: ServerHttp2Stream) => void]>([
  ['its stream with an error', (stream) => stream.close(INTERNAL_ERROR)],
  ['its stream without an answer', (stream) => stream.close(CANCEL)],
  ['the connection', (stream) => stream.session?.destroy()],
])('a reader goes on when the server of HTTP/2 closes %s', async (_title, close) => {
  let reads = 0;
  const server = createServer();
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    const call = String(headers['x-amz-target']).split('.')[1];
    if (call === 'GetRecords') reads += 1;
    // The first page came, so the endpoint is the right one.
    if (reads === 2 && call === 'GetRecords') close(stream);
    else {
      stream.respond({ ':status': 200, 'content-type': 'application/x-amz-json-1.1' });
      stream.end(JSON.stringify({ ...ANSWERS, MillisBehindLatest: reads > 2 ? 0 : 1_000 }));
    }
  });
  const client = connect(await listening(server), 'h2c');
  try {
    const reader = { client, streamName: 'media', stopAtTip: true, pollMs: 0 };
    expect(await Array.fromAsync(frames(reader))).toEqual([]);
    expect(reads).toBe(3);
  } finally {
    client.destroy();
    server.close();
  }
});

/** What each of the three calls needs. */
const ANSWERS = {
  Shards: [{ ShardId: 'a', SequenceNumberRange: { StartingSequenceNumber: '0' } }],
  ShardIterator: 'a',
  NextShardIterator: 'b',
  Records: [],
};

async function listening(server: Http2Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
