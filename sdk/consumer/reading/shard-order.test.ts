import { expect, test } from 'vitest';
import { shardsToBegin } from './shard-order.ts';
import type { ShardInfo } from './shard-reader.ts';

const shard = (shardId: string, parentShardId?: string, adjacentParentShardId?: string) =>
  ({ shardId, parentShardId, adjacentParentShardId, isClosed: false }) satisfies ShardInfo;

const split = [shard('a'), shard('b', 'a'), shard('c', 'a')];
const merged = [shard('a'), shard('b'), shard('c', 'a', 'b')];

test.each<[string, ShardInfo[], string[], string[], string[]]>([
  ['all shards without parents', [shard('a'), shard('b')], [], [], ['a', 'b']],
  ['no child while its parent is read', split, ['a'], [], []],
  ['both children of a shard that was read', split, ['a'], ['a'], ['b', 'c']],
  ['no merged shard while one parent is left', merged, ['a', 'b'], ['a'], []],
  ['a merged shard after both parents', merged, ['a', 'b'], ['a', 'b'], ['c']],
  ['a child whose parent has expired', [shard('b', 'gone')], [], [], ['b']],
  ['nothing twice', split, ['a', 'b'], ['a', 'b'], ['c']],
  ['nothing that was finished in an earlier run', [shard('a')], [], ['a'], []],
])('begins %s', (_what, shards, begun, finished, expected) => {
  const ids = shardsToBegin(shards, new Set(begun), new Set(finished)).map((each) => each.shardId);
  expect(ids).toEqual(expected);
});
