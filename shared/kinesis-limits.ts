/**
 * What Kinesis Data Streams allows, as far as the runner and the planning of a deployment must know it. The Kinesis of
 * the tests (`local/kinesis/limits.ts`) repeats these figures on purpose: it is the judge of whoever uses these.
 *
 * Sources, read 2026-11-20: "Quotas and limits" of the developer guide
 * (docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html), the API reference of PutRecords,
 * and the pricing page (aws.amazon.com/kinesis/data-streams/pricing).
 */
export const KINESIS_LIMITS = {
  /** PutRecords: characters of a partition key; at least one. */
  keyCharacters: 256,
  /** PutRecords: records in one call. */
  recordsPerCall: 500,
  /** PutRecords: data and partition keys of one call (5 MiB until 2025). */
  bytesPerCall: 10 * 1024 * 1024,
  /** `MaxRecordSizeInKiB` of a stream that was never told otherwise; data and partition key count. */
  defaultRecordKiB: 1024,
  /**
   * One shard takes "1 MB per second", and the guide does not say which MB. The runner counts on the smaller, so that
   * catching up never runs into a throttle.
   */
  shardBytesPerSecond: 1_000_000,
  /**
   * The same limit read as 1 MiB, for the number of shards of a new stream. The smaller reading would add one shard in
   * twenty to every deployment; `shardLoad` leaves far more room than that.
   */
  plannedShardBytesPerSecond: 1024 * 1024,
  shardRecordsPerSecond: 1000,
} as const;

/**
 * A PUT payload unit: each record is charged in chunks of 25 KB, rounded up. Decimal, because just above a
 * multiple a whole unit is wasted.
 */
export const PUT_UNIT_BYTES = 25_000;

/** PUT payload units that one record costs. @param sizeBytes data and partition key */
export function putUnits(sizeBytes: number): number {
  return Math.max(1, Math.ceil(sizeBytes / PUT_UNIT_BYTES));
}
