import { KINESIS_LIMITS } from '../../shared/kinesis-rules.ts';

interface Bucket {
  bytes: number;
  records: number;
  filledAtMs: number;
}

/** Share of a shard's second that backlogs leave for live records, so that these are never throttled. */
const LIVE_RESERVE = 0.2;

/**
 * What each shard has taken from this producer during the last second, so that a backlog uses only what live records
 * leave. Live records are charged but never held back.
 *
 * Shards are known by the ids in PutRecords answers, so there is no shard map to fetch, and nothing to refresh after a
 * reshard. What other writers send is unknown until the shard throttles; then the bucket is emptied.
 */
export class ShardBudget {
  readonly #buckets = new Map<string, Bucket>();

  /** Whether a backlog record of that size may go to that shard now. Always, as long as the shard is not known. */
  admits(shardId: string | undefined, sizeBytes: number, nowMs: number): boolean {
    if (shardId === undefined) return true;
    const bucket = this.#bucket(shardId, nowMs);
    const { shardBytesPerSecond, shardRecordsPerSecond } = KINESIS_LIMITS;
    const room = shardBytesPerSecond * (1 - LIVE_RESERVE);
    return (
      bucket.records >= shardRecordsPerSecond * LIVE_RESERVE + 1 &&
      // A record larger than all that may be spent at once passes when the bucket is full, or it never would.
      bucket.bytes >= shardBytesPerSecond * LIVE_RESERVE + Math.min(sizeBytes, room)
    );
  }

  charge(shardId: string | undefined, sizeBytes: number, nowMs: number): void {
    if (shardId === undefined) return;
    const bucket = this.#bucket(shardId, nowMs);
    bucket.bytes -= sizeBytes;
    bucket.records -= 1;
  }

  /** The shard has refused a record for lack of room: another writer uses it, too. */
  throttled(shardId: string | undefined, nowMs: number): void {
    if (shardId === undefined) return;
    const bucket = this.#bucket(shardId, nowMs);
    bucket.bytes = Math.min(bucket.bytes, 0);
  }

  #bucket(shardId: string, nowMs: number): Bucket {
    const { shardBytesPerSecond, shardRecordsPerSecond } = KINESIS_LIMITS;
    let bucket = this.#buckets.get(shardId);
    if (!bucket) {
      bucket = { bytes: shardBytesPerSecond, records: shardRecordsPerSecond, filledAtMs: nowMs };
      this.#buckets.set(shardId, bucket);
      return bucket;
    }
    const share = Math.max(0, nowMs - bucket.filledAtMs) / 1000;
    bucket.bytes = Math.min(shardBytesPerSecond, bucket.bytes + share * shardBytesPerSecond);
    bucket.records = Math.min(
      shardRecordsPerSecond,
      bucket.records + share * shardRecordsPerSecond,
    );
    bucket.filledAtMs = nowMs;
    return bucket;
  }
}
