import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { setDefaultCACertificates } from 'node:tls';
import { type KinesisClient, ListStreamsCommand } from '@aws-sdk/client-kinesis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PUT_MODES, type PutMode } from '../../shared/env.ts';
import { HttpThread } from '../../test/support/http-thread.ts';
import { PoisonedPool } from '../../test/support/poisoned-pool.ts';
import { first, refuse, TROUBLES } from '../../test/support/put-troubles.ts';
import { selfSigned } from '../../test/support/rtms/self-signed.ts';
import {
  allWritten,
  answer,
  isSignedBy,
  readBody,
  ScriptedHttp,
  type WireRequest,
} from '../../test/support/scripted-http.ts';
import { waitFor } from '../../test/support/wait.ts';
import { MAX_CALLS, type PutEntry, type PutRecordsClient } from './put-client.ts';
import { type PutAnswer, putRecords } from './put-records.ts';
import { createKinesisClient, createPutClient } from './transport.ts';

const SECRET = 'secret of the tests';
const STATIC = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: SECRET };
/** Of calls that are to be answered: not even a busy machine takes that long. */
const TIMEOUT_MS = 30_000;
/** Of calls that get no whole answer; the call after them must have one in that time. */
const SHORT_MS = 2_000;
const SMALL = [
  { partitionKey: 'a', data: Buffer.from('one') },
  { partitionKey: 'b', data: Buffer.from('two') },
];
/** More than the sockets on loopback hold: a server that does not read stops it midway. */
const LARGE = [{ partitionKey: 'a', data: Buffer.alloc(9_000_000, 7) }];

/** What each test has that does not run beside others. */
let server: ScriptedHttp;
let clients: { destroy(): void }[];
let pool = new PoisonedPool();

interface Opened {
  /** Where what is opened waits for its end. @default that of the test file: not for tests that run at once */
  readonly registry?: { destroy(): void }[];
  /** @default TIMEOUT_MS */
  readonly requestTimeoutMs?: number;
  readonly endpoint?: string;
  readonly credentials?: Parameters<typeof createKinesisClient>[0]['credentials'];
}

function open(mode: PutMode, opened: Opened = {}) {
  const { credentials = STATIC, registry = clients, requestTimeoutMs = TIMEOUT_MS } = opened;
  const endpoint = opened.endpoint ?? server.url();
  const sdk = createKinesisClient({
    region: 'us-east-1',
    endpoint,
    credentials,
    requestTimeoutMs,
  });
  const puts = createPutClient({ sdk, mode, requestTimeoutMs, memory: pool });
  registry.push(puts, sdk);
  return puts;
}

const put = (
  puts: PutRecordsClient,
  entries: readonly PutEntry[] = SMALL,
  signal = new AbortController().signal,
): Promise<PutAnswer> => putRecords(puts, 'media', entries, signal);

const namesOf = ({ outcomes }: PutAnswer) => [...new Set(outcomes.map(({ name }) => name))];

/** Gives `run` a server and a client of its own, for tests that run beside others. */
async function withOwn(
  mode: PutMode,
  opened: { readonly requestTimeoutMs: number; readonly endpoint?: (own: ScriptedHttp) => string },
  run: (puts: PutRecordsClient, own: ScriptedHttp) => Promise<void>,
): Promise<void> {
  const { requestTimeoutMs, endpoint = (own) => own.url() } = opened;
  const own = await ScriptedHttp.start();
  const registry: { destroy(): void }[] = [];
  try {
    await run(open(mode, { endpoint: endpoint(own), registry, requestTimeoutMs }), own);
  } finally {
    for (const client of registry) client.destroy();
    await own.close();
  }
}

/** All at once, because those that end by a time-out only wait. */
describe.concurrent.each(PUT_MODES)('%s, after', (mode) => {
  test.each(TROUBLES.map(([name, script, outcome, wait]) => ({ name, script, outcome, wait })))(
    '$name',
    async ({ script, outcome, wait }) => {
      await withOwn(mode, { requestTimeoutMs: wait ? SHORT_MS : TIMEOUT_MS }, async (puts, own) => {
        own.script = first(script);
        const answers = await put(puts);
        expect(namesOf(answers)).toEqual([outcome]);
        expect(answers.outcomes).toHaveLength(SMALL.length);
        expect(own.requests).toHaveLength(1);
        expect(namesOf(await put(puts))).toEqual(['written']);
        expect(readBody(own.requests[1] as WireRequest).Records).toHaveLength(SMALL.length);
        // A body of which the memory was given back too early would not be what its signature says.
        for (const request of own.requests) expect(isSignedBy(request, SECRET)).toBe(true);
      });
    },
  );

  test('a server that never shakes hands', async () => {
    const endpoint = (own: ScriptedHttp) => own.url('localhost').replace('http:', 'https:');
    await withOwn(mode, { requestTimeoutMs: SHORT_MS, endpoint }, async (puts) => {
      expect(namesOf(await put(puts))).toEqual(['failed']);
    });
  });

  test('a server that takes no connection ends a call as a time-out, and is used when it is back', async () => {
    const full = await HttpThread.startFull();
    const registry: { destroy(): void }[] = [];
    try {
      const puts = open(mode, { endpoint: full.url, registry });
      const calls = await Promise.all(Array.from({ length: MAX_CALLS }, () => put(puts)));
      // The time-out of the whole call has the same name, and another text.
      const cause = {
        name: 'TimeoutError',
        message: expect.stringMatching(/connection.* 2000 ms/),
      };
      for (const call of calls) expect(call).toMatchObject({ error: { cause } });
      await full.wake();
      expect(namesOf(await put(puts))).toEqual(['written']);
    } finally {
      for (const client of registry) client.destroy();
      await full.close();
    }
  });
});

describe.each(PUT_MODES)('%s:', (mode) => {
  beforeEach(async () => {
    server = await ScriptedHttp.start();
    clients = [];
    pool = new PoisonedPool();
  });
  afterEach(async () => {
    for (const client of clients) client.destroy();
    await server.close();
  });

  test('a call arrives whole and signed, and each entry has its result', async () => {
    const puts = open(mode);
    const answers = await put(puts);
    expect(answers.outcomes).toEqual(
      SMALL.map(() => ({ name: 'written', shardId: 'shardId-000000000000' })),
    );
    const [request] = server.requests as [WireRequest];
    expect(request.headers.get('content-type')).toBe(
      mode === 'http-cbor' ? 'application/x-amz-cbor-1.1' : 'application/x-amz-json-1.1',
    );
    expect(request.headers.get('x-amz-target')).toBe('Kinesis_20131202.PutRecords');
    expect(readBody(request)).toEqual({
      StreamName: 'media',
      Records: SMALL.map(({ partitionKey, data }) => ({ PartitionKey: partitionKey, Data: data })),
    });
    expect(isSignedBy(request, SECRET)).toBe(true);
    expect(isSignedBy(request, 'another')).toBe(false);
  });

  test('a call to an endpoint with a path of its own is signed for it', async () => {
    const puts = open(mode, { endpoint: `${server.url()}/a+b//c%20d` });
    expect(namesOf(await put(puts))).toEqual(['written']);
    const [request] = server.requests as [WireRequest];
    expect(request.head).toMatch(/^POST \/a\+b\/\/c%20d\/ HTTP/);
    expect(isSignedBy(request, SECRET)).toBe(true);
  });

  test('many calls go over one connection', async () => {
    const puts = open(mode);
    for (let call = 0; call < 20; call += 1) expect(namesOf(await put(puts))).toEqual(['written']);
    expect([server.requests.length, server.connections]).toEqual([20, 1]);
  });

  test('bodies of calls at once do not mix, whatever memory they lie in', async () => {
    const puts = open(mode);
    for (let round = 0; round < 3; round += 1) {
      const calls = Array.from({ length: 12 }, (_, index) => [
        { partitionKey: `${index}`, data: Buffer.alloc(1_000 * index + 1, index) },
      ]);
      const before = server.requests.length;
      await Promise.all(calls.map((entries) => put(puts, entries)));
      const got = server.requests.slice(before).map((request) => readBody(request).Records);
      const sorted = got.sort((a, b) => Number(a[0]?.PartitionKey) - Number(b[0]?.PartitionKey));
      expect(sorted).toEqual(
        calls.map(([entry]) => [{ PartitionKey: entry?.partitionKey, Data: entry?.data }]),
      );
    }
    if (mode !== 'sdk') expect(pool.released).toBe(36);
  });

  test('the largest call that Kinesis takes arrives whole, a record of 1 MiB among 500', async () => {
    const MIB = 1024 * 1024;
    const small = Math.floor((4 * MIB) / 499) - 3;
    const entries = Array.from({ length: 500 }, (_, index) => ({
      partitionKey: String(index).padStart(3, '0'),
      data: Buffer.alloc(index === 250 ? MIB : small, index),
    }));
    expect(namesOf(await put(open(mode), entries))).toEqual(['written']);
    const [request] = server.requests as [WireRequest];
    const { Records } = readBody(request);
    const isSame = entries.map(
      ({ partitionKey, data }, index) =>
        Records[index]?.PartitionKey === partitionKey && Records[index]?.Data.equals(data),
    );
    expect(isSame).toEqual(entries.map(() => true));
    expect(isSignedBy(request, SECRET)).toBe(true);
  });

  test('a reset while the body is on its way', async () => {
    const puts = open(mode);
    server.onPiece = (socket) => socket.resetAndDestroy();
    expect(namesOf(await put(puts, LARGE))).toEqual(['failed']);
    server.onPiece = () => {};
    expect(namesOf(await put(puts))).toEqual(['written']);
  });

  test('a refusal before the body has left whole', async () => {
    const puts = open(mode);
    server.onConnection = (socket) => {
      socket.pause();
      socket.write('HTTP/1.1 413 Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
    };
    expect(namesOf(await put(puts, LARGE))).toEqual(['failed']);
    expect(pool.released).toBe(0);
    server.onConnection = () => {};
    expect(namesOf(await put(puts))).toEqual(['written']);
  });

  test('connections that the server ends while they are idle are not used again', async () => {
    const puts = open(mode);
    const sockets: Socket[] = [];
    server.onConnection = (socket) => sockets.push(socket);
    await put(puts);
    server.endAll();
    await waitFor(() => expect(sockets[0]?.destroyed).toBe(true));
    expect(namesOf(await put(puts))).toEqual(['written']);
    expect(server.connections).toBe(2);
  });

  test('a server that is not there', async () => {
    const gone = createServer().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const { port } = gone.address() as { port: number };
    await new Promise((resolve) => gone.close(resolve));
    const answers = await put(open(mode, { endpoint: `http://127.0.0.1:${port}` }));
    expect(answers).toMatchObject({ error: { code: 'kinesis/write-failed' } });
  });

  test('an aborted call ends at once, and the next one goes through', async () => {
    const puts = open(mode);
    server.script = first(() => {});
    const abort = new AbortController();
    const call = put(puts, SMALL, abort.signal);
    await waitFor(() => expect(server.requests).toHaveLength(1), { interval: 1 });
    abort.abort();
    expect(await call).toMatchObject({ code: 'AbortError' });
    expect(await put(puts, SMALL, abort.signal)).toMatchObject({ code: 'AbortError' });
    expect(namesOf(await put(puts))).toEqual(['written']);
    expect(server.requests).toHaveLength(2);
  });

  test('without credentials a call is blocked, and asks for them again', async () => {
    let known = false;
    const puts = open(mode, {
      credentials: async () => {
        if (known) return STATIC;
        throw Object.assign(new Error('none'), { name: 'CredentialsProviderError' });
      },
    });
    expect(namesOf(await put(puts))).toEqual(['blocked']);
    known = true;
    expect(namesOf(await put(puts))).toEqual(['written']);
  });

  test.each(['at its deadline', 'when it is aborted'])(
    'a call for which credentials never come ends %s',
    async (when) => {
      const asked = Promise.withResolvers<void>();
      const credentials = () => {
        asked.resolve();
        return new Promise<never>(() => {});
      };
      const isAborted = when === 'when it is aborted';
      const puts = open(mode, { credentials, requestTimeoutMs: isAborted ? TIMEOUT_MS : 20 });
      const abort = new AbortController();
      const call = put(puts, SMALL, abort.signal);
      await asked.promise;
      if (isAborted) abort.abort();
      expect(await call).toMatchObject({ code: isAborted ? 'AbortError' : 'TimeoutError' });
    },
  );

  test('credentials that expire are renewed, session token included', async () => {
    let asked = 0;
    const puts = open(mode, {
      credentials: async () => {
        asked += 1;
        return {
          ...STATIC,
          sessionToken: `${asked}`.padEnd(2_000, 't'),
          expiration: new Date(asked === 1 ? 0 : Date.now() + 3_600_000),
        };
      },
    });
    await put(puts);
    await put(puts);
    const tokens = server.requests.map(({ headers }) => headers.get('x-amz-security-token'));
    expect(tokens.at(-1)).toBe('2'.padEnd(2_000, 't'));
    for (const request of server.requests) expect(isSignedBy(request, SECRET)).toBe(true);
  });

  test("a clock that is wrong by an hour is corrected by the service's", async () => {
    const puts = open(mode);
    const serviceMs = () => Date.now() + 3_600_000;
    server.script = (socket, request) => {
      const date = { date: new Date(serviceMs()).toUTCString() };
      if (request.number > 1) answer(socket, request, 200, allWritten(request), date);
      else refuse(403, 'InvalidSignatureException', date)(socket, request);
    };
    expect(namesOf(await put(puts))).toEqual(['blocked']);
    expect(namesOf(await put(puts))).toEqual(['written']);
    const [, time = ''] = server.requests.map(({ headers }) => headers.get('x-amz-date') ?? '');
    const sentMs = Date.parse(
      time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'),
    );
    expect(Math.abs(sentMs - serviceMs())).toBeLessThan(60_000);
  });

  test.skipIf(mode === 'sdk')('a date that no signature can have is not believed', async () => {
    const puts = open(mode);
    const date = new Date(8.64e15).toUTCString();
    server.script = first((socket, request) =>
      answer(socket, request, 200, allWritten(request), { date }),
    );
    for (let call = 0; call < 2; call += 1) expect(namesOf(await put(puts))).toEqual(['written']);
  });

  test('records leave only while the task may serve', async () => {
    const puts = open(mode);
    let mayServe = true;
    puts.fence(() => (mayServe ? 1 : undefined));
    expect(namesOf(await put(puts))).toEqual(['written']);
    mayServe = false;
    expect(await put(puts)).toMatchObject({ error: { code: 'session/not-owner' } });
    mayServe = true;
    expect(namesOf(await put(puts))).toEqual(['written']);
    expect(server.requests).toHaveLength(2);
  });

  test('the fence refuses PutRecords alone', async () => {
    const registry: { destroy(): void }[] = [];
    const puts = open(mode, { registry });
    clients.push(...registry);
    puts.fence(() => undefined);
    server.script = (socket, request) => answer(socket, request, 200, { StreamNames: ['media'] });
    const sdk = registry[1] as KinesisClient;
    await expect(sdk.send(new ListStreamsCommand({}))).resolves.toMatchObject({
      StreamNames: ['media'],
    });
  });

  test.each([undefined, 2])(
    'a call that was allowed before a freeze does not leave after it, in term %s',
    async (term) => {
      const [asked, signing] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const puts = open(mode, {
        credentials: async () => {
          asked.resolve();
          await signing.promise;
          return STATIC;
        },
      });
      let now: number | undefined = 1;
      puts.fence(() => now);
      const call = put(puts);
      await asked.promise;
      now = term;
      signing.resolve();
      expect(await call).toMatchObject({ error: { code: 'session/not-owner' } });
      expect(server.requests).toHaveLength(0);
    },
  );

  describe('over TLS,', () => {
    const certificate = selfSigned();
    let secure: ScriptedHttp;
    beforeEach(async () => {
      secure = await ScriptedHttp.start(certificate);
      setDefaultCACertificates([certificate.cert]);
    });
    afterEach(async () => {
      setDefaultCACertificates([]);
      await secure.close();
    });

    test('a trusted certificate of the right name is taken, and the connection kept', async () => {
      const puts = open(mode, { endpoint: secure.url('localhost') });
      for (let call = 0; call < 3; call += 1) {
        expect(namesOf(await put(puts))).toEqual(['written']);
      }
      expect([secure.requests.length, secure.connections]).toEqual([3, 1]);
    });

    test('a handshake that may not take an earlier session up is made whole the next time', async () => {
      const refusing = await ScriptedHttp.startRefusingSessions(certificate);
      refusing.script = (socket, request) =>
        answer(socket, request, 200, allWritten(request), { connection: 'close' });
      try {
        const puts = open(mode, { endpoint: refusing.url('localhost') });
        expect(namesOf(await put(puts))).toEqual(['written']);
        expect(namesOf(await put(puts))).toEqual(['failed']);
        await waitFor(async () => expect(namesOf(await put(puts))).toEqual(['written']));
      } finally {
        await refusing.close();
      }
    });

    test('a certificate of another name is refused', async () => {
      expect(namesOf(await put(open(mode, { endpoint: secure.url() })))).toEqual(['failed']);
      expect(secure.requests).toHaveLength(0);
    });

    test('a certificate of nobody that is trusted is refused', async () => {
      setDefaultCACertificates([selfSigned().cert]);
      const puts = open(mode, { endpoint: secure.url('localhost') });
      expect(namesOf(await put(puts))).toEqual(['failed']);
      expect(secure.requests).toHaveLength(0);
    });

    test.skipIf(mode === 'sdk')('an answer to a busy loop leaves the connection open', async () => {
      const thread = await HttpThread.start(certificate);
      try {
        const puts = open(mode, { endpoint: thread.url });
        await put(puts);
        for (let calls = 2; calls <= 4; calls += 1) {
          // TLS tells of a write of the check phase in the next one. The answer is read between the two.
          const answers = Promise.withResolvers<PutAnswer>();
          setImmediate(() => answers.resolve(put(puts)));
          setImmediate(() => thread.blockUntilAnswered(calls));
          expect(namesOf(await answers.promise)).toEqual(['written']);
        }
        expect([thread.connections, pool.released]).toEqual([1, 4]);
      } finally {
        await thread.close();
      }
    });
  });
});
