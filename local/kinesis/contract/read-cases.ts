import assert from 'node:assert/strict';
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  type GetShardIteratorCommandInput,
} from '@aws-sdk/client-kinesis';
import { type ContractCase, create, FIRST, put, read, rejects, values } from './contract-case.ts';

export const READ_CASES: readonly ContractCase[] = [
  {
    title: 'starts reading at each of the five iterator types',
    async run(client, name) {
      await create(client, name);
      const [, second = ''] = await put(client, name, 'a', 'b');
      const all = await read(client, name);
      assert.deepEqual(values(all), ['a', 'b']);
      const at = (start: Partial<GetShardIteratorCommandInput>) => read(client, name, start);
      const numbered = { StartingSequenceNumber: second };
      assert.deepEqual(values(await at({ ShardIteratorType: 'AT_SEQUENCE_NUMBER', ...numbered })), [
        'b',
      ]);
      assert.deepEqual(
        values(await at({ ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', ...numbered })),
        [],
      );
      const Timestamp = new Date(Number(all.Records?.[0]?.ApproximateArrivalTimestamp) - 1000);
      assert.deepEqual(values(await at({ ShardIteratorType: 'AT_TIMESTAMP', Timestamp })), [
        'a',
        'b',
      ]);
      const { ShardIterator } = await client.send(
        new GetShardIteratorCommand({
          StreamName: name,
          ShardId: FIRST,
          ShardIteratorType: 'LATEST',
        }),
      );
      await put(client, name, 'c');
      assert.deepEqual(values(await client.send(new GetRecordsCommand({ ShardIterator }))), ['c']);
    },
  },
  {
    title: 'refuses an iterator of an unknown shard and one without its sequence number',
    async run(client, name) {
      await create(client, name);
      const unknownShard = { ShardId: 'shardId-000000000009' };
      await rejects(read(client, name, unknownShard), 'ResourceNotFoundException');
      await rejects(
        read(client, name, { ShardIteratorType: 'AT_SEQUENCE_NUMBER' }),
        'InvalidArgumentException',
      );
    },
  },
  {
    title: 'refuses an iterator that was never given out',
    peerDeviates: 'answers 500 to an iterator it cannot parse',
    async run(client) {
      await rejects(
        client.send(new GetRecordsCommand({ ShardIterator: 'bm90IGFuIGl0ZXJhdG9y' })),
        'InvalidArgumentException',
      );
    },
  },
  {
    title: 'reads page after page, each with MillisBehindLatest',
    async run(client, name) {
      await create(client, name);
      await put(client, name, 'a', 'b');
      await put(client, name, 'c');
      const { ShardIterator } = await client.send(
        new GetShardIteratorCommand({
          StreamName: name,
          ShardId: FIRST,
          ShardIteratorType: 'TRIM_HORIZON',
        }),
      );
      const one = await client.send(new GetRecordsCommand({ ShardIterator, Limit: 2 }));
      assert.deepEqual(values(one), ['a', 'b']);
      assert((one.MillisBehindLatest ?? 0) > 0);
      const next = { ShardIterator: one.NextShardIterator };
      const two = await client.send(new GetRecordsCommand(next));
      assert.deepEqual(values(two), ['c']);
      assert.equal(two.MillisBehindLatest, 0);
      assert.deepEqual(values(await client.send(new GetRecordsCommand(next))), ['c']);
    },
  },
];
