import { once } from 'node:events';
import { createConnection } from 'node:net';
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  PutRecordCommand,
  PutRecordsCommand,
} from '@aws-sdk/client-kinesis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect } from '../../test/support/kinesis-client.ts';
import { waitFor } from '../../test/support/wait.ts';
import type { FaultScript } from './faults.ts';
import { type KinesisServer, startKinesisServer } from './server.ts';

let server: KinesisServer;

beforeEach(async () => {
  server = await startKinesisServer();
});

afterEach(() => server.close());

async function withStream(client: KinesisClient): Promise<void> {
  await client.send(new CreateStreamCommand({ StreamName: 'media', ShardCount: 1 }));
}

const put = (client: KinesisClient, value: string, abortSignal?: AbortSignal) =>
  client.send(
    new PutRecordCommand({ StreamName: 'media', PartitionKey: 'k', Data: Buffer.from(value) }),
    { ...(abortSignal === undefined ? {} : { abortSignal }) },
  );

async function stored(client: KinesisClient): Promise<string[]> {
  const { ShardIterator } = await client.send(
    new GetShardIteratorCommand({
      StreamName: 'media',
      ShardId: 'shardId-000000000000',
      ShardIteratorType: 'TRIM_HORIZON',
    }),
  );
  const { Records } = await client.send(new GetRecordsCommand({ ShardIterator }));
  return (Records ?? []).map((record) => Buffer.from(record.Data ?? []).toString());
}

const control = async (method: string, body?: unknown) => {
  const response = await fetch(`${server.url}/_faults`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

describe('the wire', () => {
  const post = async (target: string, body: string) => {
    const headers = { 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.1' };
    const response = await fetch(server.url, { method: 'POST', headers, body });
    const { __type } = (await response.json()) as { __type?: string };
    return [response.status, __type];
  };

  test.each([
    ['Kinesis_20131202.PutRecords', '{', 400, 'SerializationException'],
    ['Kinesis_20131202.PutRecords', '[]', 400, 'SerializationException'],
    ['Kinesis_20131202.PutRecords', '{}', 400, 'InvalidArgumentException'],
    ['Kinesis_20131202.PutRecords', '{"StreamName":7}', 400, 'SerializationException'],
    ['Kinesis_20131202.PutRecords', '{"StreamName":"a b"}', 400, 'ValidationException'],
    ['Kinesis_20131202.SubscribeToShard', '{}', 400, 'ValidationException'],
    ['Kinesis_20131202.TagResource', '{}', 400, 'UnknownOperationException'],
    ['DynamoDB_20120810.PutItem', '{}', 400, 'UnknownOperationException'],
    ['', '{}', 400, 'UnknownOperationException'],
    ['Kinesis_20131202.ListShards', '{"NextToken":"bnVsbA=="}', 400, 'InvalidArgumentException'],
    ['Kinesis_20131202.ListStreams', '', 200, undefined],
  ])('%s with body %j is answered with %i %s', async (target, body, status, type) => {
    expect(await post(target, body)).toEqual([status, type]);
  });

  test.each(['YQ', 'YQ=', 'Y*==', 'YQ==\n', '====', 7, null])(
    'refuses %j as base64, whole',
    async (data) => {
      const client = connect(server.url);
      await withStream(client);
      const records = [
        { Data: 'YQ==', PartitionKey: 'k' },
        { Data: data, PartitionKey: 'k' },
      ];
      const body = JSON.stringify({ StreamName: 'media', Records: records });
      const [status, type] = await post('Kinesis_20131202.PutRecords', body);
      expect(status).toBe(400);
      expect(type).toBe(data === null ? 'ValidationException' : 'SerializationException');
      expect(await stored(client)).toEqual([]);
      client.destroy();
    },
  );

  test('a body over 24 MiB is refused and not kept', async () => {
    const body = '{'.padEnd(25 * 1024 * 1024);
    expect(await post('Kinesis_20131202.PutRecords', body)).toEqual([
      413,
      'RequestEntityTooLargeException',
    ]);
  });

  test('HTTP/2 is recognised although its first bytes come one by one', async () => {
    const socket = createConnection(server.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.setNoDelay(true);
    const answered = once(socket, 'data');
    for (const byte of Buffer.from(
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0',
      'latin1',
    )) {
      await new Promise((resolve) => socket.write(Buffer.of(byte), resolve));
      await new Promise(setImmediate);
    }
    const [frame] = (await answered) as [Buffer];
    expect(frame[3]).toBe(4); // SETTINGS, the server's first frame
    socket.destroy();
  });

  test('startKinesisServer rejects with local/port-in-use when the port is taken', async () => {
    await expect(startKinesisServer({ port: server.port })).rejects.toMatchObject({
      code: 'local/port-in-use',
    });
  });
});

describe.each(['HTTP/1.1', 'h2c'] as const)('faults over %s', (protocol) => {
  let client: KinesisClient;

  beforeEach(async () => {
    client = connect(server.url, protocol);
    await withStream(client);
  });

  afterEach(() => client.destroy());

  const set = (...rules: FaultScript['rules']) => server.faults.set({ rules });

  test('entryErrors refuses single entries in place and stores the others', async () => {
    set({
      stream: 'media',
      entryErrors: { ProvisionedThroughputExceededException: 0.3, InternalFailure: 0.2 },
    });
    const values = Array.from({ length: 100 }, (_, index) => String(index));
    const { Records, FailedRecordCount } = await client.send(
      new PutRecordsCommand({
        StreamName: 'media',
        Records: values.map((value) => ({ Data: Buffer.from(value), PartitionKey: 'k' })),
      }),
    );
    const codes = Records?.map((record) => record.ErrorCode) ?? [];
    const accepted = values.filter((_, index) => codes[index] === undefined);
    expect(FailedRecordCount).toBe(100 - accepted.length);
    expect(await stored(client)).toEqual(accepted);
    expect(new Set(codes)).toEqual(
      new Set([undefined, 'ProvisionedThroughputExceededException', 'InternalFailure']),
    );
  });

  test('errors fails whole calls and stores nothing of them', async () => {
    set({ operation: 'PutRecord', errors: { InternalFailure: 1 } });
    await expect(put(client, 'a')).rejects.toMatchObject({
      name: 'InternalFailure',
      $metadata: { httpStatusCode: 500 },
    });
    expect(await stored(client)).toEqual([]);
  });

  test('errors denies access to one operation', async () => {
    set({ operation: 'DescribeStreamSummary', errors: { AccessDeniedException: 1 } });
    const summary = new DescribeStreamSummaryCommand({ StreamName: 'media' });
    await expect(client.send(summary)).rejects.toMatchObject({
      name: 'AccessDeniedException',
      $metadata: { httpStatusCode: 400 },
    });
  });

  test('dropAnswerShare stores the record and loses the answer', async () => {
    set({ operation: 'PutRecord', dropAnswerShare: 1 });
    await expect(put(client, 'a')).rejects.toThrow();
    expect(await stored(client)).toEqual(['a']);
  });

  test('stall hold keeps calls until the script is cleared, then serves them', async () => {
    set({ operation: 'PutRecord', stall: 'hold' });
    let done = false;
    const held = put(client, 'a').finally(() => {
      done = true;
    });
    await waitFor(() => expect(server.faults.state().holding).toBe(1));
    expect(await stored(client)).toEqual([]);
    expect(done).toBe(false);
    server.faults.clear();
    await held;
    expect(await stored(client)).toEqual(['a']);
  });

  test('stall hold keeps calls until durationMs is over', async () => {
    set({ operation: 'PutRecord', stall: 'hold', durationMs: 30 });
    await put(client, 'a');
    expect(await stored(client)).toEqual(['a']);
  });

  test('stall hold does not store a call whose client has gone', async () => {
    set({ operation: 'PutRecord', stall: 'hold' });
    const abort = new AbortController();
    const held = put(client, 'a', abort.signal);
    await waitFor(() => expect(server.faults.state().holding).toBe(1));
    abort.abort();
    await expect(held).rejects.toThrow();
    await waitFor(() => expect(server.faults.state().holding).toBe(0));
    server.faults.clear();
    await put(client, 'b');
    expect(await stored(client)).toEqual(['b']);
  });

  test('latencyMs applies a call even when its client has timed out', async () => {
    set({ operation: 'PutRecord', latencyMs: 200 });
    const abort = new AbortController();
    const slow = put(client, 'a', abort.signal);
    await waitFor(() => expect(server.faults.state().matched).toEqual([1]), { interval: 5 });
    abort.abort();
    await expect(slow).rejects.toThrow();
    await waitFor(() => expect(server.stats().calls).toMatchObject({ PutRecord: { ok: 1 } }));
    expect(await stored(client)).toEqual(['a']);
  });

  test('stall refuse neither answers nor stores calls, and later calls are served', async () => {
    set({ stall: 'refuse' });
    await expect(put(client, 'a')).rejects.toThrow();
    server.faults.clear();
    await put(client, 'b');
    expect(await stored(client)).toEqual(['b']);
  });

  test('the server closes while calls are held and slow', async () => {
    set(
      { operation: 'PutRecord', stall: 'hold' },
      { operation: 'GetShardIterator', latencyMs: 1e6 },
    );
    // Looked at together from the start: the second one may have failed before the first one is asked for.
    const calls = Promise.allSettled([put(client, 'a'), stored(client)]);
    await waitFor(() => expect(server.faults.state().matched).toEqual([1, 1]));
    await server.close();
    expect((await calls).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});

describe('the control endpoint', () => {
  test('/_faults sets, shows and clears the fault script', async () => {
    const script = { seed: 3, rules: [{ stream: 'media', stall: 'refuse' }] };
    expect(await control('POST', script)).toEqual({
      status: 200,
      body: { script, matched: [0], holding: 0 },
    });
    const client = connect(server.url);
    await expect(withStream(client)).rejects.toThrow();
    expect(await control('GET')).toMatchObject({ body: { script, matched: [1] } });
    expect(await control('DELETE')).toMatchObject({ body: { script: { rules: [] } } });
    await withStream(client);
    client.destroy();
  });

  test('/_faults keeps the script in force when the new one is wrong', async () => {
    const script = { seed: 3, rules: [{ stall: 'hold' }] };
    await control('POST', script);
    expect(await control('POST', { rules: [{ stal: 'hold' }] })).toMatchObject({ status: 400 });
    expect((await control('GET')).body).toMatchObject({ script });
  });

  test('/_stats counts answers by operation and outcome', async () => {
    const client = connect(server.url);
    await withStream(client);
    await put(client, 'a');
    server.faults.set({ rules: [{ errors: { ThrottlingException: 1 } }] });
    await expect(put(client, 'a')).rejects.toThrow();
    const stats = await (await fetch(`${server.url}/_stats`)).json();
    expect(stats).toMatchObject({
      calls: { CreateStream: { ok: 1 }, PutRecord: { ok: 1, ThrottlingException: 1 } },
      streams: { media: { recordsIn: 1, bytesIn: 2, payloadUnits: 1 } },
    });
    client.destroy();
  });
});
