/**
 * What Amazon Kinesis Data Streams allows, as this server enforces it.
 *
 * This is a second copy of the limits on purpose. The runner and infra plan with shared/kinesis-rules.ts; this server
 * judges them in tests, and a judge that imported the same numbers would share their errors. Do not merge the two.
 *
 * Unless a line names another source, the source is "Quotas and limits" of the developer guide
 * (docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html), read 2026-11.
 *
 * Not enforced: calls per second of the control plane, changes per 24 hours (UpdateShardCount 10, UpdateStreamMode 2),
 * on-demand scaling (an on-demand stream keeps its four shards), regional quotas.
 */

const KIB = 1024;
const MIB = 1024 * KIB;
const HOUR_MS = 3_600_000;

export const KINESIS_QUOTAS = {
  /** Per shard. Data and partition key count. Bursts of one second are allowed, see `TokenBucket`. */
  writeBytesPerSecond: MIB,
  writeRecordsPerSecond: 1_000,
  /** Per shard, shared by all its readers. */
  readBytesPerSecond: 2 * MIB,
  readCallsPerSecond: 5,

  recordsPerPut: 500,
  /** Data and partition keys of one PutRecords call (API reference of PutRecords; 5 MiB until 2025). */
  bytesPerPut: 10 * MIB,
  partitionKeyLength: 256,
  /** MaxRecordSizeInKiB of CreateStream: default, least and most. Data and partition key count. */
  defaultRecordKiB: 1_024,
  minRecordKiB: 1_024,
  maxRecordKiB: 10_240,

  recordsPerRead: 10_000,
  bytesPerRead: 10 * MIB,
  /** API reference of GetShardIterator and of ListShards: five minutes each. */
  iteratorAgeMs: 300_000,
  nextTokenAgeMs: 300_000,

  /** Registered consumers of a stream, and what each of them gets of a shard ("Develop enhanced fan-out consumers"). */
  consumersPerStream: 20,
  pushBytesPerSecond: 2 * MIB,
  /** API reference of SubscribeToShard: how long a subscription lasts, and how soon the next one may replace it. */
  subscriptionMs: 300_000,
  resubscribeAfterMs: 5_000,

  minRetentionHours: 24,
  maxRetentionHours: 8_760,

  /** Our own number, enough for any local run. The quota of the service depends on the Region. */
  shardsPerAccount: 500,
  onDemandStreams: 50,
  /** A new on-demand stream takes 4 MB/s: four shards. */
  onDemandShards: 4,
} as const;

/** A PUT payload unit: each record is charged in chunks of 25 KB (pricing page). Taken as decimal, which charges more. */
export const PAYLOAD_UNIT_BYTES = 25_000;

/**
 * Larger bodies are refused unread. Base64 takes 4/3 of the 10 MiB of data; the rest is for keys, names and
 * punctuation.
 */
export const MAX_BODY_BYTES = 24 * MIB;

export { HOUR_MS, KIB };

/** A rate limit that allows a burst of one second. It starts full and refills continuously. */
export interface TokenBucket {
  readonly perSecond: number;
  /** Negative after an amount larger than the bucket: until it has refilled, nothing is allowed. */
  level: number;
  filledAtMs: number;
}

export function createTokenBucket(perSecond: number, nowMs: number): TokenBucket {
  return { perSecond, level: perSecond, filledAtMs: nowMs };
}

/** Refills the bucket and says whether `amount` is allowed now. It takes nothing. */
export function hasTokens(bucket: TokenBucket, amount: number, nowMs: number): boolean {
  if (nowMs > bucket.filledAtMs) {
    const gained = ((nowMs - bucket.filledAtMs) * bucket.perSecond) / 1000;
    bucket.level = Math.min(bucket.perSecond, bucket.level + gained);
    bucket.filledAtMs = nowMs;
  }
  // A full bucket allows any amount, or a 10 MiB record could never be written: this one passes once in ten seconds.
  return bucket.level >= Math.min(amount, bucket.perSecond);
}

/** Takes an amount that `hasTokens` has just allowed. */
export function takeTokens(bucket: TokenBucket, amount: number): void {
  bucket.level -= amount;
}
