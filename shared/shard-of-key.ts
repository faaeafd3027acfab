import { hash } from 'node:crypto';

/** A shard's `HashKeyRange` in ListShards: decimal numbers of 128 bits, both included. */
interface HashKeyRange {
  readonly StartingHashKey: string | undefined;
  readonly EndingHashKey: string | undefined;
}

/**
 * Where Kinesis puts a record that names no hash key of its own: the MD5 of its partition key in UTF-8, as a number of
 * 128 bits (API reference of PutRecord, read 2026-11-20). `local/kinesis/hash-key.ts` has its own: it stands for
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
