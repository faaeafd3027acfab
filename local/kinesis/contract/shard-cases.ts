import assert from 'node:assert/strict';
import {
  GetRecordsCommand,
  ListShardsCommand,
  MergeShardsCommand,
  type Shard,
  SplitShardCommand,
  UpdateShardCountCommand,
} from '@aws-sdk/client-kinesis';
import {
  active,
  assertEvenRanges,
  type ContractCase,
  create,
  FIRST,
  MAX_HASH,
  openShards,
  put,
  rangeOf,
  read,
  rejects,
  shardsOf,
  values,
} from './contract-case.ts';

export const SHARD_CASES: readonly ContractCase[] = [
  {
    title: 'splits a shard: the closed shard names its children, which take the next records',
    async run(client, name) {
      await create(client, name);
      await put(client, name, 'before');
      const middle = 2n ** 127n;
      await client.send(
        new SplitShardCommand({
          StreamName: name,
          ShardToSplit: FIRST,
          NewStartingHashKey: String(middle),
        }),
      );
      await active(client, name);
      const [parent, ...children] = await shardsOf(client, name);
      assert(parent?.SequenceNumberRange?.EndingSequenceNumber);
      assert.deepEqual(children.map(rangeOf), [
        [0n, middle - 1n],
        [middle, MAX_HASH],
      ]);
      assert.deepEqual(
        children.map((child) => child.ParentShardId),
        [FIRST, FIRST],
      );
      const [sequenceNumber = ''] = await put(client, name, 'after');
      assert(BigInt(sequenceNumber) > BigInt(parent.SequenceNumberRange.EndingSequenceNumber));

      // kinesis-local needs one more read, an empty one, to notice the end. The service may too.
      let page = await read(client, name);
      assert.deepEqual(values(page), ['before']);
      if (page.NextShardIterator) {
        page = await client.send(new GetRecordsCommand({ ShardIterator: page.NextShardIterator }));
      }
      assert.equal(page.NextShardIterator ?? undefined, undefined);
      assert.deepEqual(
        page.ChildShards?.map((child) => [child.ShardId, child.ParentShards]).sort(),
        children.map((child) => [child.ShardId, [FIRST]]),
      );
    },
  },
  {
    title: 'merges two adjacent shards into one child of both',
    async run(client, name) {
      await create(client, name, { ShardCount: 2 });
      const [lower, upper] = await shardsOf(client, name);
      await client.send(
        new MergeShardsCommand({
          StreamName: name,
          ShardToMerge: lower?.ShardId,
          AdjacentShardToMerge: upper?.ShardId,
        }),
      );
      await active(client, name);
      const [child, ...others] = await openShards(client, name);
      assert.deepEqual(others, []);
      assert.deepEqual(rangeOf(child), [0n, MAX_HASH]);
      assert.equal(child?.ParentShardId, lower?.ShardId);
      assert.equal(child?.AdjacentParentShardId, upper?.ShardId);
    },
  },
  {
    title: 'refuses to merge shards that are not adjacent and to split outside the range',
    async run(client, name) {
      await create(client, name, { ShardCount: 4 });
      const [a, b, c] = await shardsOf(client, name);
      await rejects(
        client.send(
          new MergeShardsCommand({
            StreamName: name,
            ShardToMerge: a?.ShardId,
            AdjacentShardToMerge: c?.ShardId,
          }),
        ),
        'InvalidArgumentException',
      );
      await rejects(
        client.send(
          new SplitShardCommand({
            StreamName: name,
            ShardToSplit: a?.ShardId,
            NewStartingHashKey: b?.HashKeyRange?.EndingHashKey,
          }),
        ),
        'InvalidArgumentException',
      );
    },
  },
  {
    title: 'doubles and halves the shards by UpdateShardCount',
    async run(client, name) {
      await create(client, name, { ShardCount: 2 });
      for (const target of [4, 2]) {
        const answer = await client.send(
          new UpdateShardCountCommand({
            StreamName: name,
            TargetShardCount: target,
            ScalingType: 'UNIFORM_SCALING',
          }),
        );
        assert.equal(answer.TargetShardCount, target);
        await active(client, name);
        assertEvenRanges(await openShards(client, name), target);
      }
    },
  },
  {
    title: 'refuses to scale to more than double',
    async run(client, name) {
      await create(client, name, { ShardCount: 2 });
      await assert.rejects(
        client.send(
          new UpdateShardCountCommand({
            StreamName: name,
            TargetShardCount: 5,
            ScalingType: 'UNIFORM_SCALING',
          }),
        ),
        /InvalidArgument|LimitExceeded/,
      );
    },
  },
  {
    title: 'pages and filters ListShards',
    async run(client, name) {
      await create(client, name, { ShardCount: 2 });
      const [first, second] = await shardsOf(client, name);
      await client.send(
        new MergeShardsCommand({
          StreamName: name,
          ShardToMerge: first?.ShardId,
          AdjacentShardToMerge: second?.ShardId,
        }),
      );
      await active(client, name);
      const ids = (shards: Shard[] = []) => shards.map((shard) => shard.ShardId);
      const one = await client.send(new ListShardsCommand({ StreamName: name, MaxResults: 2 }));
      assert.deepEqual(ids(one.Shards), [first?.ShardId, second?.ShardId]);
      const two = await client.send(new ListShardsCommand({ NextToken: one.NextToken }));
      assert.deepEqual(ids(two.Shards), ['shardId-000000000002']);
      assert.equal(two.NextToken, undefined);
      const start = { StreamName: name, ExclusiveStartShardId: first?.ShardId };
      const later = await client.send(new ListShardsCommand(start));
      assert.deepEqual(ids(later.Shards), [second?.ShardId, 'shardId-000000000002']);
      const latest = await shardsOf(client, name, { Type: 'AT_LATEST' });
      assert.deepEqual(ids(latest), ['shardId-000000000002']);
    },
  },
];
