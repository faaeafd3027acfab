import { SHARD_END } from '../reading/checkpoints.ts';

/**
 * The rows of a group's table. Keys are `pk` and `sk`; all rows that a look reads have the same `pk`, so that one
 * consistent Query returns them.
 *
 * | pk | sk | |
 * |---|---|---|
 * | `group` | `group` | which stream the table is for, and where reading began |
 * | `group` | `shard#<shardId>` | owner, epoch and checkpoint of a shard |
 * | `group` | `worker#<workerId>` | heartbeat of a worker |
 * | `seen` | `<shardId>` | the newest of each source, to drop repeats across a change of owner |
 */
export const GROUP_PK = 'group';
const SEEN_PK = 'seen';
const SHARD_PREFIX = 'shard#';
const WORKER_PREFIX = 'worker#';

export const shardKey = (shardId: string) => ({ pk: GROUP_PK, sk: `${SHARD_PREFIX}${shardId}` });
export const workerKey = (workerId: string) => ({
  pk: GROUP_PK,
  sk: `${WORKER_PREFIX}${workerId}`,
});
export const seenKey = (shardId: string) => ({ pk: SEEN_PK, sk: shardId });
export const headKey = () => ({ pk: GROUP_PK, sk: GROUP_PK });

/** What a group reads. */
export type GroupKind = 'frames' | 'events';

/** The first row of a table: a group cannot read another stream with it, or other records. */
export interface GroupHead {
  readonly streamName: string;
  readonly kind: GroupKind;
  /** Tells a stream from one of the same name that was deleted. */
  readonly streamCreatedAtMs: number;
  /** Where shards without a checkpoint begin. `LATEST` was made a time when the group began. */
  readonly startAt: 'TRIM_HORIZON' | Date;
}

export interface WorkerRow {
  readonly workerId: string;
  /** Tells two processes of one id apart. */
  readonly run: string;
  readonly heartbeat: number;
  readonly isLeaving: boolean;
}

export interface ShardRow {
  readonly shardId: string;
  readonly streamCreatedAtMs: number;
  /** Grows with every owner: the fencing token. */
  readonly epoch: number;
  /** Undefined while nobody reads the shard. */
  readonly owner?: string;
  /** Up to where it was processed; undefined before the first record. */
  readonly position?: RecordPosition;
}

export interface GroupRows {
  readonly workers: readonly WorkerRow[];
  readonly shards: readonly ShardRow[];
}

type Item = Readonly<Record<string, unknown>>;

/** Rows that cannot be read are none: they are claimed anew, and the conditions of the writes protect what is there. */
export function parseRows(items: readonly Item[]): GroupRows {
  const workers: WorkerRow[] = [];
  const shards: ShardRow[] = [];
  for (const item of items) {
    const key = String(item['sk']);
    if (key.startsWith(WORKER_PREFIX)) workers.push(parseWorker(item, key));
    else if (key.startsWith(SHARD_PREFIX)) shards.push(parseShard(item, key));
  }
  return { workers, shards };
}

function parseWorker(item: Item, key: string): WorkerRow {
  return {
    workerId: key.slice(WORKER_PREFIX.length),
    run: String(item['run']),
    heartbeat: Number(item['heartbeat'] ?? 0),
    isLeaving: item['isLeaving'] === true,
  };
}

function parseShard(item: Item, key: string): ShardRow {
  const { owner, position, subSequenceNumber } = item;
  return {
    shardId: key.slice(SHARD_PREFIX.length),
    streamCreatedAtMs: Number(item['streamCreatedAtMs'] ?? 0),
    epoch: Number(item['epoch'] ?? 0),
    ...(typeof owner === 'string' && { owner }),
    ...(typeof position === 'string' && {
      position: {
        sequenceNumber: position,
        ...(typeof subSequenceNumber === 'number' && { subSequenceNumber }),
      },
    }),
  };
}

/** @returns undefined when the item is not the first row of a group's table */
export function parseHead(item: Item | undefined): GroupHead | undefined {
  if (item === undefined) return undefined;
  const { streamName, kind, streamCreatedAtMs, startAt } = item;
  if (typeof streamName !== 'string' || (kind !== 'frames' && kind !== 'events')) return undefined;
  return {
    streamName,
    kind,
    streamCreatedAtMs: Number(streamCreatedAtMs),
    startAt: startAt === 'TRIM_HORIZON' ? startAt : new Date(String(startAt)),
  };
}

/** Up to where a shard has been processed. */
export interface RecordPosition {
  /** Of the last Kinesis record that was processed, whole or in part; or `SHARD_END`. */
  readonly sequenceNumber: string;
  /** Of the last user record in it that was processed, from 0. Absent when all of them were. */
  readonly subSequenceNumber?: number;
}

/** @returns below 0 when `a` comes before `b` in their shard */
export function comparePositions(a: RecordPosition, b: RecordPosition): number {
  if (a.sequenceNumber !== b.sequenceNumber) {
    return numberOf(a) < numberOf(b) ? -1 : 1;
  }
  const [subA, subB] = [a.subSequenceNumber ?? Infinity, b.subSequenceNumber ?? Infinity];
  return subA === subB ? 0 : subA - subB;
}

/** Sequence numbers have up to 56 digits, and not always as many. The end of a shard comes behind all of them. */
function numberOf({ sequenceNumber }: RecordPosition): bigint {
  return sequenceNumber === SHARD_END ? 2n ** 256n : BigInt(sequenceNumber);
}
