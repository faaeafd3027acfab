import {
  CreateStreamCommand,
  type CreateStreamCommandInput,
  DeleteStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type GetShardIteratorCommandInput,
  IncreaseStreamRetentionPeriodCommand,
  type KinesisClient,
  ListShardsCommand,
  PutRecordCommand,
  PutRecordsCommand,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connect } from '../../test/support/kinesis-client.ts';
import { createTokenBucket, hasTokens, takeTokens } from './limits.ts';
import { type KinesisServer, startKinesisServer } from './server.ts';

const HOUR_MS = 3_600_000;
const FIRST = 'shardId-000000000000';
const THROTTLED = 'ProvisionedThroughputExceededException';

let nowMs: number;
let server: KinesisServer;
let client: KinesisClient;

beforeEach(async () => {
  nowMs = Date.UTC(2026, 10, 1);
  server = await startKinesisServer({ clock: () => nowMs, maxStoredBytes: 40_000_000 });
  client = connect(server.url);
});

afterEach(async () => {
  client.destroy();
  await server.close();
});

const create = (input: Partial<CreateStreamCommandInput> = {}) =>
  client.send(new CreateStreamCommand({ StreamName: 's', ShardCount: 1, ...input }));

async function put(count: number, sizeBytes: number, partitionKey = 'k'): Promise<string[]> {
  const { Records } = await client.send(
    new PutRecordsCommand({
      StreamName: 's',
      Records: Array.from({ length: count }, () => ({
        Data: new Uint8Array(sizeBytes - partitionKey.length),
        PartitionKey: partitionKey,
      })),
    }),
  );
  return (Records ?? []).map((record) => record.ErrorCode ?? 'ok');
}

async function iterator(input: Partial<GetShardIteratorCommandInput> = {}): Promise<string> {
  const { ShardIterator } = await client.send(
    new GetShardIteratorCommand({
      StreamName: 's',
      ShardId: FIRST,
      ShardIteratorType: 'TRIM_HORIZON',
      ...input,
    }),
  );
  return ShardIterator ?? '';
}

const read = (shardIterator: string, limit?: number) =>
  client.send(new GetRecordsCommand({ ShardIterator: shardIterator, Limit: limit }));

const stats = () => Object.values(server.stats().streams)[0];

const count = (results: string[], result: string) =>
  results.filter((each) => each === result).length;

test('a shard takes 1,000 records per second and refuses the entries beyond', async () => {
  await create();
  expect(count([...(await put(500, 10)), ...(await put(500, 10))], 'ok')).toBe(1000);
  expect(await put(2, 10)).toEqual([THROTTLED, THROTTLED]);
  nowMs += 100;
  const results = await put(150, 10);
  expect(results.slice(0, 100)).toEqual(Array(100).fill('ok'));
  expect(results.slice(100)).toEqual(Array(50).fill(THROTTLED));
});

test('a shard takes 1 MiB per second, keys included', async () => {
  await create();
  expect(await put(4, 262_144)).toEqual(['ok', 'ok', 'ok', 'ok']);
  expect(await put(1, 2)).toEqual([THROTTLED]);
  nowMs += 250;
  expect(await put(2, 262_144)).toEqual(['ok', THROTTLED]);
});

test('the write limits count each shard by itself', async () => {
  await create({ ShardCount: 2 });
  expect(await put(1, 1_048_576, 'a')).toEqual(['ok']);
  expect(await put(1, 1_048_576, 'a')).toEqual([THROTTLED]);
  expect(await put(1, 1_048_576, 'b')).toEqual(['ok']); // md5('a') < 2^127 <= md5('b')
});

test('a 10 MiB record passes an idle shard and blocks it for ten seconds', async () => {
  await create({ MaxRecordSizeInKiB: 10_240 });
  expect(await put(1, 10_485_760)).toEqual(['ok']);
  nowMs += 8_999;
  expect(await put(1, 2)).toEqual([THROTTLED]);
  nowMs += 1_001;
  expect(await put(1, 1_000_000)).toEqual(['ok']);
});

test('PutRecord over the limit fails with the shard in its message', async () => {
  await create();
  await put(1, 1_048_576);
  const command = new PutRecordCommand({
    StreamName: 's',
    Data: Buffer.from('a'),
    PartitionKey: 'k',
  });
  await expect(client.send(command)).rejects.toMatchObject({
    name: THROTTLED,
    message: expect.stringContaining(FIRST),
    $metadata: { httpStatusCode: 400, requestId: expect.any(String) },
  });
});

test('a shard answers five GetRecords per second', async () => {
  await create();
  const at = await iterator();
  for (let call = 0; call < 5; call += 1) await read(at);
  await expect(read(at)).rejects.toMatchObject({ name: THROTTLED });
  nowMs += 200;
  await read(at);
  await expect(read(at)).rejects.toMatchObject({ name: THROTTLED });
});

test('a GetRecords answer ends at 10 MiB and blocks the shard for five seconds', async () => {
  await create();
  for (let second = 0; second < 12; second += 1) {
    await put(1, 1_048_576);
    nowMs += 1_000;
  }
  const { Records, NextShardIterator, MillisBehindLatest } = await read(await iterator());
  expect(Records).toHaveLength(10);
  expect(MillisBehindLatest).toBe(3_000);
  nowMs += 4_999;
  await expect(read(NextShardIterator ?? '')).rejects.toMatchObject({ name: THROTTLED });
  nowMs += 2;
  expect((await read(NextShardIterator ?? '')).Records).toHaveLength(2);
});

test('a shard iterator is valid for five minutes', async () => {
  await create();
  const at = await iterator();
  nowMs += 300_000;
  await read(at);
  nowMs += 1;
  await expect(read(at)).rejects.toMatchObject({ name: 'ExpiredIteratorException' });
});

test('a NextToken of ListShards is valid for five minutes', async () => {
  await create({ ShardCount: 2 });
  const command = new ListShardsCommand({ StreamName: 's', MaxResults: 1 });
  const { NextToken } = await client.send(command);
  nowMs += 300_001;
  await expect(client.send(new ListShardsCommand({ NextToken }))).rejects.toMatchObject({
    name: 'ExpiredNextTokenException',
  });
});

test('an iterator of a deleted stream does not read a new stream of that name', async () => {
  await create();
  const at = await iterator();
  await client.send(new DeleteStreamCommand({ StreamName: 's' }));
  nowMs += 1;
  await create();
  await expect(read(at)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});

test('records expire after the retention period, and older iterators go on with the next record', async () => {
  await create();
  await put(3, 10);
  nowMs += 23 * HOUR_MS;
  await put(2, 10);
  const at = await iterator();
  expect((await read(at)).Records).toHaveLength(5);
  nowMs += HOUR_MS + 1;
  const { Records, MillisBehindLatest } = await read(await iterator());
  expect(Records).toHaveLength(2);
  expect(MillisBehindLatest).toBe(0);
});

test('a longer retention period keeps records longer', async () => {
  await create();
  const longer = { StreamName: 's', RetentionPeriodHours: 48 };
  await client.send(new IncreaseStreamRetentionPeriodCommand(longer));
  await put(3, 10);
  nowMs += 47 * HOUR_MS;
  expect((await read(await iterator())).Records).toHaveLength(3);
});

test('a closed shard is listed until its last record has expired', async () => {
  await create();
  const half = { StreamName: 's', ShardToSplit: FIRST, NewStartingHashKey: String(2n ** 127n) };
  nowMs += 1_000;
  await client.send(new SplitShardCommand(half));
  const list = async (type: 'FROM_TRIM_HORIZON' | 'AT_TRIM_HORIZON' | 'AT_LATEST') => {
    const filter = { StreamName: 's', ShardFilter: { Type: type } };
    const { Shards } = await client.send(new ListShardsCommand(filter));
    return Shards?.map((shard) => Number(shard.ShardId?.slice(-1)));
  };
  expect(await list('AT_TRIM_HORIZON')).toEqual([0]);
  expect(await list('FROM_TRIM_HORIZON')).toEqual([0, 1, 2]);
  expect(await list('AT_LATEST')).toEqual([1, 2]);
  nowMs += 24 * HOUR_MS + 1;
  expect(await list('FROM_TRIM_HORIZON')).toEqual([1, 2]);
});

test('AT_TIMESTAMP starts at the first record of that time or later', async () => {
  await create();
  const times: number[] = [];
  for (let index = 0; index < 5; index += 1) {
    times.push(nowMs);
    await put(1, 10);
    nowMs += 1_000;
  }
  const from = async (ms: number) => {
    const start = { ShardIteratorType: 'AT_TIMESTAMP', Timestamp: new Date(ms) } as const;
    return (await read(await iterator(start))).Records?.length;
  };
  expect(await from(times[2] ?? 0)).toBe(3);
  expect(await from((times[2] ?? 0) + 1)).toBe(2);
  expect(await from(0)).toBe(5);
  await expect(from(nowMs + 1)).rejects.toMatchObject({ name: 'InvalidArgumentException' });
});

test('beyond its memory bound the server drops the oldest records and counts them', async () => {
  await create({ ShardCount: 2 });
  for (let second = 0; second < 30; second += 1) {
    await put(1, 1_048_576, 'a');
    await put(1, 1_048_576, 'b');
    nowMs += 1_000;
  }
  // 60 records of 1.4 MB base64 were put; the bound is 40 MB.
  const { evicted, recordsIn } = stats() ?? {};
  expect(recordsIn).toBe(60);
  expect(evicted).toBeGreaterThanOrEqual(32);
  expect(evicted).toBeLessThan(40);
});

test('a stream with AUTO distribution spreads one key over its shards', async () => {
  await create({
    ShardCount: undefined,
    StreamModeDetails: { StreamMode: 'ON_DEMAND' },
    RecordDistributionStrategy: 'AUTO',
  });
  const { StreamDescriptionSummary: summary } = await client.send(
    new DescribeStreamSummaryCommand({ StreamName: 's' }),
  );
  expect(summary).toMatchObject({ RecordDistributionStrategy: 'AUTO', OpenShardCount: 4 });
  const record = { Data: Buffer.from('a'), PartitionKey: 'same' };
  const { Records } = await client.send(
    new PutRecordsCommand({ StreamName: 's', Records: Array(8).fill(record) }),
  );
  expect(new Set(Records?.map((each) => each.ShardId)).size).toBe(4);
});

test('the stream counters have records, bytes and payload units of 25 KB', async () => {
  await create();
  await put(2, 25_000);
  await put(1, 25_001);
  await read(await iterator(), 2);
  expect(stats()).toMatchObject({
    putCalls: 2,
    recordsIn: 3,
    bytesIn: 75_001,
    payloadUnits: 4,
    readCalls: 1,
    recordsOut: 2,
    bytesOut: 50_000,
  });
});

test('a token bucket allows a burst of one second, then the rate', () => {
  const bucket = createTokenBucket(1000, 0);
  expect(hasTokens(bucket, 1000, 0)).toBe(true);
  takeTokens(bucket, 1000);
  expect(hasTokens(bucket, 1, 0)).toBe(false);
  expect(hasTokens(bucket, 250, 249)).toBe(false);
  expect(hasTokens(bucket, 250, 250)).toBe(true);
});

test('a token bucket saves no more than one second', () => {
  const bucket = createTokenBucket(1000, 0);
  takeTokens(bucket, 1000);
  hasTokens(bucket, 1, 60_000);
  expect(bucket.level).toBe(1000);
});

test('a full token bucket allows an amount larger than itself, which has to be refilled', () => {
  const bucket = createTokenBucket(1000, 0);
  expect(hasTokens(bucket, 10_000, 0)).toBe(true);
  takeTokens(bucket, 10_000);
  expect(hasTokens(bucket, 1, 9_000)).toBe(false);
  expect(hasTokens(bucket, 1, 9_001)).toBe(true);
  expect(hasTokens(bucket, 10_000, 9_999)).toBe(false);
  expect(hasTokens(bucket, 10_000, 10_000)).toBe(true);
});

test('a token bucket ignores a clock that goes back', () => {
  const bucket = createTokenBucket(1000, 5_000);
  takeTokens(bucket, 1000);
  expect(hasTokens(bucket, 1, 1_000)).toBe(false);
  expect(hasTokens(bucket, 1, 5_001)).toBe(true);
});
