/** What ListShards says of a shard, as far as the order of reading needs it. */
export interface ShardInfo {
  readonly shardId: string;
  /** The shard it was split from, or one of the two it was merged from. */
  readonly parentShardId?: string | undefined;
  readonly adjacentParentShardId?: string | undefined;
  /** A closed shard takes no new records. */
  readonly isClosed: boolean;
}

/**
 * Which shards to begin now. A shard waits until every parent that still exists has been read to its end: only
 * so does a partition key that moved to the child keep its order.
 *
 * @param begun shards being read or read to their end
 * @param finished shards read to their end, or never to be read
 */
export function shardsToBegin(
  shards: readonly ShardInfo[],
  begun: ReadonlySet<string>,
  finished: ReadonlySet<string>,
): ShardInfo[] {
  const existing = new Set(shards.map(({ shardId }) => shardId));
  const isReadOut = (parent: string | undefined) =>
    parent === undefined || finished.has(parent) || !existing.has(parent);
  return shards.filter(
    ({ shardId, parentShardId, adjacentParentShardId }) =>
      !begun.has(shardId) &&
      !finished.has(shardId) &&
      isReadOut(parentShardId) &&
      isReadOut(adjacentParentShardId),
  );
}
