import { SHARD_END } from './checkpoints.ts';
import type { Position, ShardInfo } from './shard-reader.ts';

/** The order in which shards are read, and where each begins: the same for one reader and for a group of workers. */

/**
 * @param isNew whether the shard began after this reader, or one with the same checkpoints
 * @returns where to begin the shard, or undefined when it need not be read
 */
export function firstPosition(
  shard: ShardInfo,
  saved: string | undefined,
  startAt: 'TRIM_HORIZON' | 'LATEST' | Date,
  isNew: boolean,
): Position | undefined {
  // An open shard cannot have been read to its end. Such a checkpoint is left from an earlier stream of the same name.
  if (saved === SHARD_END && shard.isClosed) return undefined;
  if (saved !== undefined && saved !== SHARD_END) return { behind: saved };
  // A reader that was at work before a reshard must not skip what the new shards hold by now.
  if (isNew) return 'TRIM_HORIZON';
  if (startAt !== 'LATEST') return startAt;
  return shard.isClosed ? undefined : 'LATEST';
}

export function parentsOf({ parentShardId, adjacentParentShardId }: ShardInfo): string[] {
  return [parentShardId, adjacentParentShardId].filter((id) => id !== undefined);
}

/** The parents of a shard and theirs, as far as they are listed; of the oldest, also those that are not listed any more. */
export function ancestorsOf(shard: ShardInfo, listed: ReadonlyMap<string, ShardInfo>): Set<string> {
  const found = new Set<string>();
  const next = [shard];
  for (let one = next.pop(); one; one = next.pop()) {
    for (const parentId of parentsOf(one)) {
      found.add(parentId);
      const parent = listed.get(parentId);
      if (parent) next.push(parent);
    }
  }
  return found;
}

/**
 * Decides which shards to begin now. A shard waits until every parent that still exists was read to its end. Otherwise
 * a partition key that moved to the child would lose its order.
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
  const isReadOut = (parent: string) => finished.has(parent) || !existing.has(parent);
  return shards.filter(
    (shard) =>
      !begun.has(shard.shardId) &&
      !finished.has(shard.shardId) &&
      parentsOf(shard).every(isReadOut),
  );
}
