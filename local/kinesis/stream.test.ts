import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { MAX_HASH_KEY } from './shard.ts';
import { DataStream } from './stream.ts';

function createDataStream(shardCount: number): DataStream {
  return new DataStream(
    {
      name: 'media',
      arn: 'arn',
      mode: 'PROVISIONED',
      shardCount,
      maxRecordKiB: 1024,
      recordDistribution: 'USER_PARTITION_KEY',
    },
    1_000,
  );
}

const put = (stream: DataStream, partitionKey: string, nowMs: number) => {
  const record = { data: 'YQ==', partitionKey, arrivedAtMs: nowMs, sizeBytes: 1 };
  const shard = stream.route(partitionKey, undefined);
  return { shard, sequenceNumber: shard.append(record) };
};

test.prop([
  fc.integer({ min: 1, max: 12 }),
  fc.array(fc.integer({ min: 1, max: 24 }), { maxLength: 6 }),
])('open shards divide all hash keys, whatever scaling came before', (first, targets) => {
  const stream = createDataStream(first);
  for (const target of targets) stream.scaleTo(target, 1_000);
  let next = 0n;
  for (const { range } of stream.openShards) {
    expect(range.start).toBe(next);
    next = range.end + 1n;
  }
  expect(next).toBe(MAX_HASH_KEY + 1n);
  expect(stream.openShards).toHaveLength(targets.at(-1) ?? first);
});

test.prop([
  fc.string({ minLength: 1 }),
  fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 5 }),
])(
  'sequence numbers of a key grow through every resharding, within one millisecond too',
  (key, targets) => {
    const stream = createDataStream(2);
    const numbers: string[] = [];
    for (const target of [2, ...targets]) {
      stream.scaleTo(target, 1_000);
      numbers.push(put(stream, key, 1_000).sequenceNumber, put(stream, key, 1_000).sequenceNumber);
    }
    for (const [index, number] of numbers.slice(1).entries()) {
      expect(BigInt(number)).toBeGreaterThan(BigInt(numbers[index] ?? ''));
    }
  },
);

test('a key goes to a child of its closed shard', () => {
  const stream = createDataStream(1);
  const before = put(stream, 'meeting', 1_000).shard;
  stream.scaleTo(2, 2_000);
  const after = put(stream, 'meeting', 2_000).shard;
  expect(after.parentIds).toEqual([before.id]);
  expect(stream.childrenOf(before)).toHaveLength(2);
});
