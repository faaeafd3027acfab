import { setImmediate } from 'node:timers/promises';
import {
  CreateStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type KinesisServer, startKinesisServer } from '../../local/kinesis/server.ts';
import { PUT_MODES, type PutMode } from '../../shared/env.ts';
import type { MetricName } from '../../shared/metrics.ts';
import { decodeAggregate } from '../../shared/record/kpl.ts';
import { identity, makeUnit, Tally, type UnitShape } from '../../test/support/model-kinesis.ts';
import { waitFor } from '../../test/support/wait.ts';
import { Producer } from './producer.ts';
import type { ProducerOptions } from './producer-options.ts';
import type { PutRecordsClient } from './put-client.ts';
import { createKinesisClient, createPutClient } from './transport.ts';
import type { Unit } from './unit.ts';

let server: KinesisServer;
let client: KinesisClient;
let puts: PutRecordsClient;

async function open(mode: PutMode) {
  server = await startKinesisServer();
  client = createKinesisClient({
    region: 'us-east-1',
    endpoint: server.url,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    requestTimeoutMs: 30_000,
  });
  // A call that times out on a busy machine is carried out twice, which most tests would take for an error.
  puts = createPutClient({ sdk: client, mode, requestTimeoutMs: 30_000 });
  await client.send(new CreateStreamCommand({ StreamName: 'media', ShardCount: 2 }));
}

afterEach(async () => {
  puts.destroy();
  client.destroy();
  await server.close();
});

function produce(options: Partial<ProducerOptions> = {}): Producer {
  return new Producer({
    client: puts,
    streamName: 'media',
    aggregate: true,
    retry: { baseMs: 5, maxMs: 20 },
    ...options,
  });
}

function putAll(producer: Producer, tally: Tally, from: number, to: number, shape?: UnitShape) {
  for (let sequence = from; sequence <= to; sequence += 1) {
    producer.put(makeUnit(sequence, tally, shape));
  }
}

/** Everything in the data stream: user records per key as they landed, and how many Kinesis records. */
async function landed(): Promise<{
  keys: Map<string, string[]>;
  records: number;
  raw: string[];
}> {
  const raw: string[] = [];
  const keys = new Map<string, string[]>();
  let records = 0;
  const { Shards: shards = [] } = await client.send(new ListShardsCommand({ StreamName: 'media' }));
  for (const { ShardId } of shards) {
    const from = { StreamName: 'media', ShardId, ShardIteratorType: 'TRIM_HORIZON' } as const;
    const { ShardIterator } = await client.send(new GetShardIteratorCommand(from));
    const { Records = [] } = await client.send(new GetRecordsCommand({ ShardIterator }));
    records += Records.length;
    for (const { PartitionKey: key = '', Data = new Uint8Array() } of Records) {
      const list = keys.get(key) ?? [];
      keys.set(key, list);
      raw.push(Buffer.from(Data).toString());
      for (const { data } of decodeAggregate(Data, key)) list.push(identity(data));
    }
  }
  return { keys, records, raw };
}

const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `${from + index}/0`);
const once = (list: string[] | undefined) => [...new Set(list)];

describe.each(PUT_MODES)('%s:', (mode) => {
  beforeEach(() => open(mode));

  test('units of many keys are written in order, in a fraction of as many records', async () => {
    const producer = produce();
    const tally = new Tally();
    for (const key of ['a', 'b', 'b#v#1']) putAll(producer, tally, 1, 100, { key, bytes: 640 });
    await producer.close();
    const { keys, records } = await landed();
    for (const key of ['a', 'b', 'b#v#1']) expect(keys.get(key)).toEqual(range(1, 100));
    expect(records).toBe(9);
    expect(tally.writtenNames).toHaveLength(300);
    expect(producer.stats()).toMatchObject({
      units: 300,
      userRecords: 300,
      records: 9,
      putUnits: 9,
      bufferedBytes: 0,
      oldestAgeMs: 0,
      retries: 0,
    });
  });

  test('a few small units are written when lingerMs is over', async () => {
    const producer = produce();
    const tally = new Tally();
    putAll(producer, tally, 1, 3);
    await waitFor(() => expect(tally.writtenNames).toHaveLength(3), { interval: 20 });
    expect((await landed()).records).toBe(1);
    await producer.close();
  });

  test('of a call only the failed entries are repeated, and order stays', async () => {
    server.faults.set({
      rules: [{ operation: 'PutRecords', entryErrors: { InternalFailure: 0.4 } }],
    });
    const producer = produce();
    const tally = new Tally();
    for (const key of ['a', 'b', 'c']) putAll(producer, tally, 1, 200, { key, bytes: 1_000 });
    await producer.close();
    const { keys } = await landed();
    for (const key of ['a', 'b', 'c']) expect(keys.get(key)).toEqual(range(1, 200));
    expect(producer.stats().retries).toBeGreaterThan(0);
  });

  test('a call carried out without an answer is written twice, and order stays', async () => {
    server.faults.set({ seed: 3, rules: [{ operation: 'PutRecords', dropAnswerShare: 0.4 }] });
    const producer = produce();
    const tally = new Tally();
    for (const key of ['a', 'b']) putAll(producer, tally, 1, 200, { key, bytes: 1_000 });
    await producer.close();
    const { keys } = await landed();
    for (const key of ['a', 'b']) expect(once(keys.get(key))).toEqual(range(1, 200));
    expect((keys.get('a')?.length ?? 0) + (keys.get('b')?.length ?? 0)).toBeGreaterThan(400);
    expect(tally.writtenNames).toHaveLength(400);
  });

  test('calls that are never answered are repeated', async () => {
    puts = createPutClient({ sdk: client, mode, requestTimeoutMs: 300 });
    server.faults.set({ rules: [{ operation: 'PutRecords', stall: 'hold' }] });
    const producer = produce();
    const tally = new Tally();
    putAll(producer, tally, 1, 50, { bytes: 1_000 });
    await waitFor(() => expect(producer.stats().retries).toBeGreaterThan(1));
    server.faults.clear();
    await producer.close();
    expect(once((await landed()).keys.get('stream'))).toEqual(range(1, 50));
  });

  test('missing rights are waited out, and logged once', async () => {
    const lines: unknown[] = [];
    const record = (message: string, fields?: object) => lines.push({ message, ...fields });
    const logger = { debug() {}, info() {}, warn: record, error: record, child: () => logger };
    server.faults.set({
      rules: [{ operation: 'PutRecords', errors: { AccessDeniedException: 1 } }],
    });
    const producer = produce({ logger });
    const tally = new Tally();
    putAll(producer, tally, 1, 10, { bytes: 25_000 });
    await waitFor(() => expect(producer.stats().retries).toBeGreaterThan(3));
    server.faults.clear();
    await producer.close();
    expect(tally.writtenNames).toHaveLength(10);
    expect(lines).toEqual([
      {
        message: 'Kinesis refuses our calls',
        code: 'kinesis/access-denied',
        awsError: 'AccessDeniedException',
        stream: 'media',
      },
    ]);
  });

  test('of a refused call only the one bad record is lost', async () => {
    const producer = produce();
    const tally = new Tally();
    producer.put(makeUnit(1, tally, { key: 'a' }));
    producer.put(makeUnit(1, tally, { key: 'k'.repeat(257) }));
    producer.put(makeUnit(1, tally, { key: 'big', bytes: 2_000_000 }));
    producer.put(makeUnit(2, tally, { key: 'big' }));
    await producer.close();
    expect(Object.fromEntries(tally.droppedNames)).toEqual({
      [`${'k'.repeat(257)}:1`]: 'write_failed',
      'big:1': 'write_failed',
    });
    expect(tally.writtenNames.sort()).toEqual(['a:1', 'big:2']);
  });

  describe('lines', () => {
    const line = (sequence: number, tally: Tally): Unit => ({
      ...makeUnit(sequence, tally, { class: 'event' }),
      records: [Buffer.from(`{"n":${sequence}}\n`)],
    });
    const linesOf = async () => {
      const { raw } = await landed();
      return raw.map((text) => text.trimEnd().split('\n'));
    };

    test('leave at once, and together while another record of their key is on its way', async () => {
      server.faults.set({ rules: [{ operation: 'PutRecords', latencyMs: 50 }] });
      const producer = produce({ aggregate: false });
      const tally = new Tally();
      producer.put(line(1, tally));
      await waitFor(() => expect(producer.stats().callsInFlight).toBe(1));
      for (let sequence = 2; sequence <= 500; sequence += 1) producer.put(line(sequence, tally));
      await producer.flush();
      const records = await linesOf();
      expect(records.map(({ length }) => length)).toEqual([1, 499]);
      expect(records.flat()).toEqual(Array.from({ length: 500 }, (_, at) => `{"n":${at + 1}}`));
      expect(tally.writtenNames).toHaveLength(500);
      await producer.close();
    });

    test('are in order and each told once when entries fail', async () => {
      server.faults.set({
        rules: [{ operation: 'PutRecords', entryErrors: { InternalFailure: 0.5 } }],
      });
      const producer = produce({ aggregate: false });
      const tally = new Tally();
      for (let sequence = 1; sequence <= 40; sequence += 1) {
        producer.put(line(sequence, tally));
        await setImmediate();
      }
      await producer.flush();
      expect((await linesOf()).flat()).toEqual(range(1, 40).map((_, at) => `{"n":${at + 1}}`));
      expect(tally.writtenNames).toHaveLength(40);
      await producer.close();
    });

    test('thousands a second of one session get through, whatever a call takes', async () => {
      server.faults.set({ rules: [{ operation: 'PutRecords', latencyMs: 50 }] });
      const producer = produce({ aggregate: false });
      const tally = new Tally();
      const startedAtMs = performance.now();
      for (let sequence = 1; sequence <= 5_000; sequence += 1) producer.put(line(sequence, tally));
      await producer.flush();
      // One call a line would take 250 s.
      expect(performance.now() - startedAtMs).toBeLessThan(15_000);
      expect(tally.writtenNames).toHaveLength(5_000);
      await producer.close();
    });
  });

  test('a flush waits for one session and does not wait for others', async () => {
    server.faults.set({ rules: [{ operation: 'PutRecords', latencyMs: 50 }] });
    const producer = produce({ flush: { audio: { targetBytes: 24_999, lingerMs: 60_000 } } });
    const tally = new Tally();
    for (const key of ['mine', 'mine#v#1', 'yours']) putAll(producer, tally, 1, 5, { key });
    await producer.flush(undefined, 'mine');
    expect([...new Set(tally.writtenNames.map((name) => name.split(':')[0]))]).toEqual([
      'mine',
      'mine#v#1',
    ]);
    await producer.close();
    expect(tally.writtenNames).toHaveLength(15);
  });

  test('an aborted flush rejects with the reason and drops nothing', async () => {
    server.faults.set({ rules: [{ operation: 'PutRecords', stall: 'hold' }] });
    const producer = produce();
    const tally = new Tally();
    putAll(producer, tally, 1, 5);
    const reason = new Error('no time left');
    const abort = new AbortController();
    const flushed = producer.flush(abort.signal);
    abort.abort(reason);
    await expect(flushed).rejects.toBe(reason);
    server.faults.clear();
    await producer.close();
    expect(tally.writtenNames).toHaveLength(5);
  });

  test('a close that runs out of time reports the rest lost', async () => {
    server.faults.set({ rules: [{ operation: 'PutRecords', stall: 'hold' }] });
    const producer = produce();
    const tally = new Tally();
    putAll(producer, tally, 1, 100, { bytes: 1_000 });
    await producer.close(AbortSignal.timeout(100));
    expect(tally.droppedNames.size).toBe(100);
    expect([...new Set(tally.droppedNames.values())]).toEqual(['write_failed']);
    producer.put(makeUnit(101, tally));
    expect(tally.droppedNames.get('stream:101')).toBe('write_failed');
  });

  test("a dropped session's units are lost, save those of a record on its way that is written", async () => {
    server.faults.set({ rules: [{ operation: 'PutRecords', latencyMs: 100 }] });
    const producer = produce();
    const tally = new Tally();
    for (const key of ['gone', 'gone#v#1', 'stays'])
      putAll(producer, tally, 1, 60, { key, bytes: 1_000 });
    await waitFor(() => expect(producer.stats().callsInFlight).toBeGreaterThan(0));
    producer.drop('gone', 'revoked');
    expect(tally.droppedNames.size).toBeGreaterThan(50);
    await producer.close();
    const { keys } = await landed();
    for (const key of ['gone', 'gone#v#1', 'stays']) {
      const lost = [...tally.droppedNames].filter(([name]) => name.startsWith(`${key}:`));
      expect(keys.get(key)).toEqual(range(1, 60 - lost.length));
      expect(lost.every(([, cause]) => cause === 'revoked')).toBe(true);
    }
    expect(keys.get('stays')).toHaveLength(60);
  });

  test('without a spool, drops the oldest video of whoever holds it rather than audio', async () => {
    server.faults.set({ rules: [{ operation: 'PutRecords', stall: 'hold' }] });
    const bounds = { laneBytes: 300_000, sessionBytes: 300_000, taskBytes: 300_000, floorBytes: 0 };
    const producer = produce({ memory: bounds });
    const [video, audio] = [new Tally(), new Tally()];
    putAll(producer, video, 1, 200, { key: 's#v#1', class: 'video', bytes: 1_000 });
    putAll(producer, audio, 1, 200, { key: 's', bytes: 1_000 });
    expect(producer.stats().bufferedBytes).toBeLessThanOrEqual(300_000);
    expect(audio.droppedNames.size).toBe(0);
    const lost = [...video.droppedNames];
    expect(lost.length).toBeGreaterThan(100);
    expect(lost.map(([name]) => name)).toEqual(lost.map((_, index) => `s#v#1:${index + 1}`));
    expect(lost.every(([, cause]) => cause === 'buffer_full')).toBe(true);
    server.faults.clear();
    await producer.close();
    expect(audio.writtenNames).toHaveLength(200);
  });

  test('throttled entries are repeated and counted', async () => {
    const code = 'ProvisionedThroughputExceededException';
    server.faults.set({ rules: [{ operation: 'PutRecords', entryErrors: { [code]: 0.5 } }] });
    const producer = produce();
    const tally = new Tally();
    putAll(producer, tally, 1, 200, { bytes: 1_000 });
    await producer.close();
    expect((await landed()).keys.get('stream')).toEqual(range(1, 200));
    expect(producer.stats().throttles).toBeGreaterThan(0);
    expect(producer.stats().throttles).toBe(producer.stats().retries);
  });

  test('metrics count PUT units, aggregation, latency and levels', async () => {
    const seen = new Map<MetricName, number>();
    const add = (name: MetricName, value = 1) => seen.set(name, (seen.get(name) ?? 0) + value);
    const producer = produce({ metrics: { count: add, observe: add } });
    putAll(producer, new Tally(), 1, 76, { bytes: 640 });
    await producer.flush();
    expect(seen.get('PutUnits')).toBe(2);
    expect(seen.get('AggregationRatio')).toBe(76);
    expect(seen.get('PutLatency')).toBeGreaterThan(0);
    producer.observeLevels();
    expect([seen.get('BufferBytes'), seen.get('SpoolAge')]).toEqual([0, 0]);
    await producer.close();
  });
});
