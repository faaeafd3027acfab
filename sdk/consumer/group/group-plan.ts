import { SHARD_END } from '../reading/checkpoints.ts';
import { parentsOf, shardsToBegin } from '../reading/shard-order.ts';
import type { ShardInfo } from '../reading/shard-reader.ts';
import { assign } from './assignment.ts';
import type { ShardRow } from './group-rows.ts';

/** A worker as its row says, and whether the observer counts it as dead. */
export interface WorkerView {
  readonly workerId: string;
  /** It gives its shards away, and takes no others. */
  readonly isLeaving: boolean;
  readonly isDead: boolean;
  /** Its heartbeat is late: it keeps what it has, and gets nothing, because it may be about to be dead. */
  readonly isSilent: boolean;
}

/** What one worker knows at one look. */
export interface GroupView {
  readonly workerId: string;
  readonly workers: readonly WorkerView[];
  /** As ListShards has them: those that still exist. */
  readonly shards: readonly ShardInfo[];
  /** By shard; only of the stream as it is now. */
  readonly rows: ReadonlyMap<string, ShardRow>;
  /** Shards that this worker reads, and those it is about to give away. */
  readonly serving: ReadonlySet<string>;
}

export interface GroupPlan {
  readonly claims: readonly ShardInfo[];
  readonly releases: readonly string[];
  /** Rows of shards that were read to their end and do not exist any more. */
  readonly done: readonly ShardRow[];
  /** Rows of shards that do not exist any more and were not read to their end. */
  readonly expired: readonly ShardRow[];
}

/**
 * Decides what a worker does after a look.
 *
 * 1. A shard may be read when every parent that still exists has been read to its end: a partition key that moves to a
 *    child keeps its order.
 * 2. A shard is claimed when it falls to this worker (`assign`), and nobody or a dead worker owns it. A live owner is never
 *    robbed: it gives the shard away by itself.
 * 3. What this worker owned before its lease lapsed it claims anew, whoever the shard falls to: nobody else may.
 * 4. A shard that falls to another worker is given away.
 */
export function planGroup(view: GroupView): GroupPlan {
  const { workerId, workers, shards, rows, serving } = view;
  const isFinished = ({ position }: ShardRow) => position?.sequenceNumber === SHARD_END;
  const finished = new Set([...rows.values()].filter(isFinished).map(({ shardId }) => shardId));
  const readable = shardsToBegin(shards, new Set(), finished);
  const live = new Set(workers.filter(({ isDead }) => !isDead).map((worker) => worker.workerId));
  const silent = new Set(workers.filter(({ isSilent }) => isSilent).map((one) => one.workerId));
  const taking = workers.filter(
    ({ workerId: id, isDead, isLeaving }) => !isDead && !isLeaving && !silent.has(id),
  );
  const owners = new Map<string, string>();
  for (const { shardId, owner } of rows.values())
    if (owner !== undefined && live.has(owner)) owners.set(shardId, owner);
  const divided = readable.filter(({ shardId }) => !silent.has(owners.get(shardId) ?? ''));
  const assigned = assign(
    taking.map((worker) => worker.workerId),
    divided.map(({ shardId }) => shardId),
    owners,
  );
  const isMine = ({ shardId }: ShardInfo) => {
    const owner = owners.get(shardId);
    return owner === workerId || (owner === undefined && assigned.get(shardId) === workerId);
  };
  const existing = new Set(shards.map(({ shardId }) => shardId));
  const gone = [...rows.values()].filter(({ shardId }) => !existing.has(shardId));
  return {
    claims: readable.filter((shard) => !serving.has(shard.shardId) && isMine(shard)),
    releases: [...serving].filter((id) => existing.has(id) && assigned.get(id) !== workerId),
    done: gone.filter(isFinished),
    expired: gone.filter(
      (row) => !isFinished(row) && row.position !== undefined && !hasReadChild(row, shards, rows),
    ),
  };
}

/** Whether the group went on in a child, so that somebody was told of the parent's end before. */
function hasReadChild(
  { shardId }: ShardRow,
  shards: readonly ShardInfo[],
  rows: ReadonlyMap<string, ShardRow>,
): boolean {
  return shards.some((shard) => parentsOf(shard).includes(shardId) && rows.has(shard.shardId));
}
