import { hash } from 'node:crypto';

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
   * What one shard takes. The guide says "1 MB per second", the reference of PutRecords (in the AWS SDK for JavaScript,
   * read 2026-11-27) "1 MiB per second", as it says 1 MiB where the guide says 1 MB of a record. Nobody here comes near
   * it: backlogs leave a fifth of each shard (`ShardBudget`), and a new stream is planned by `shardLoad`.
   */
  shardBytesPerSecond: 1024 * 1024,
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

/** A shard's `HashKeyRange` in ListShards: decimal numbers of 128 bits, both included. */
interface HashKeyRange {
  readonly StartingHashKey: string | undefined;
  readonly EndingHashKey: string | undefined;
}

/**
 * Where Kinesis puts a record that names no hash key of its own: the MD5 of its partition key in UTF-8, as a number of
 * 128 bits (API reference of PutRecord, read 2026-11-20). `local/kinesis/shard.ts` has its own: it stands for
 * Kinesis in the tests, and a mistake made here must not be made there too.
 */
export function hashKeyOf(partitionKey: string): bigint {
  return BigInt(`0x${hash('md5', partitionKey, 'hex')}`);
}

/** Whether records of that hash key go to the shard of that range. */
export function holdsHashKey(range: HashKeyRange | undefined, hashKey: bigint): boolean {
  const { StartingHashKey = '0', EndingHashKey = '0' } = range ?? {};
  return BigInt(StartingHashKey) <= hashKey && hashKey <= BigInt(EndingHashKey);
}
