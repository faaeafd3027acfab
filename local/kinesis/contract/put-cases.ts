import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  PutRecordCommand,
  PutRecordsCommand,
} from '@aws-sdk/client-kinesis';
import {
  type ContractCase,
  create,
  FIRST,
  put,
  rangeOf,
  read,
  rejects,
  shardsOf,
  summary,
  textOf,
  values,
} from './contract-case.ts';

export const PUT_CASES: readonly ContractCase[] = [
  {
    title: 'returns a record as it was put, with a time and a sequence number',
    async run(client, name) {
      await create(client, name);
      const before = Date.now();
      const data = Uint8Array.from({ length: 256 }, (_, byte) => byte);
      const answer = await client.send(
        new PutRecordCommand({ StreamName: name, Data: data, PartitionKey: 'schlüssel "1"\n' }),
      );
      assert.equal(answer.ShardId, FIRST);
      const { Records, MillisBehindLatest, NextShardIterator } = await read(client, name);
      const [record] = Records ?? [];
      assert.deepEqual(Buffer.from(record?.Data ?? []), Buffer.from(data));
      assert.equal(record?.PartitionKey, 'schlüssel "1"\n');
      assert.equal(record?.SequenceNumber, answer.SequenceNumber);
      const arrivedAtMs = Number(record?.ApproximateArrivalTimestamp);
      assert(arrivedAtMs >= before - 1 && arrivedAtMs <= Date.now() + 1);
      assert.equal(MillisBehindLatest, 0);
      assert(NextShardIterator);
    },
  },
  {
    title: 'takes a record without data',
    async run(client, name) {
      await create(client, name);
      await put(client, name, '');
      assert.deepEqual(values(await read(client, name)), ['']);
    },
  },
  {
    title: 'keeps the order of a key and numbers its records upwards',
    async run(client, name) {
      await create(client, name);
      const letters = [...'abcdefghij'];
      const numbers = [
        ...(await put(client, name, ...letters)),
        ...(await put(client, name, ...letters)),
      ];
      assert.deepEqual(values(await read(client, name)), [...letters, ...letters]);
      const sorted = numbers.map(BigInt).sort((a, b) => (a < b ? -1 : 1));
      assert.deepEqual(numbers.map(BigInt), sorted);
      assert.equal(new Set(numbers).size, 20);
    },
  },
  {
    title: 'answers PutRecords in request order, each key in the shard of its MD5',
    async run(client, name) {
      await create(client, name, { ShardCount: 4 });
      const keys = Array.from({ length: 40 }, (_, index) => `meeting-${index}`);
      const { Records, FailedRecordCount } = await client.send(
        new PutRecordsCommand({
          StreamName: name,
          Records: keys.map((key) => ({ Data: textOf(key), PartitionKey: key })),
        }),
      );
      assert.equal(FailedRecordCount, 0);
      const shards = await shardsOf(client, name);
      const expected = keys.map((key) => {
        const hash = BigInt(`0x${createHash('md5').update(key).digest('hex')}`);
        return shards.find((shard) => rangeOf(shard)[0] <= hash && hash <= rangeOf(shard)[1]);
      });
      assert.deepEqual(
        Records?.map((record) => record.ShardId),
        expected.map((shard) => shard?.ShardId),
      );
    },
  },
  {
    title: 'lets an explicit hash key choose the shard',
    async run(client, name) {
      await create(client, name, { ShardCount: 2 });
      const shards = await shardsOf(client, name);
      for (const shard of shards) {
        for (const hashKey of rangeOf(shard)) {
          const { ShardId } = await client.send(
            new PutRecordCommand({
              StreamName: name,
              Data: textOf('a'),
              PartitionKey: 'same',
              ExplicitHashKey: String(hashKey),
            }),
          );
          assert.equal(ShardId, shard.ShardId);
        }
      }
    },
  },
  {
    title: 'refuses an explicit hash key of 2^128',
    async run(client, name) {
      await create(client, name);
      const record = { Data: textOf('a'), PartitionKey: 'k', ExplicitHashKey: String(2n ** 128n) };
      await rejects(
        client.send(new PutRecordCommand({ ...record, StreamName: name })),
        'InvalidArgumentException',
      );
    },
  },
  {
    title: 'addresses a stream by its ARN',
    async run(client, name) {
      await create(client, name);
      const { StreamARN } = await summary(client, name);
      await client.send(
        new PutRecordsCommand({ StreamARN, Records: [{ Data: textOf('a'), PartitionKey: 'k' }] }),
      );
      const { ShardIterator } = await client.send(
        new GetShardIteratorCommand({
          StreamARN,
          ShardId: FIRST,
          ShardIteratorType: 'TRIM_HORIZON',
        }),
      );
      const answer = await client.send(new GetRecordsCommand({ StreamARN, ShardIterator }));
      assert.deepEqual(values(answer), ['a']);
    },
  },
];
