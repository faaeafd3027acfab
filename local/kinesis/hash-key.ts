import { hash } from 'node:crypto';

/** The last of the 2^128 hash keys that the open shards of a stream divide among them. */
export const MAX_HASH_KEY = 2n ** 128n - 1n;

/** Both ends included. */
export interface HashKeyRange {
  readonly start: bigint;
  readonly end: bigint;
}

/** MD5 of the key's UTF-8 bytes as a 128-bit number (API reference of PutRecord). */
export function hashPartitionKey(partitionKey: string): bigint {
  return BigInt(`0x${hash('md5', partitionKey)}`);
}

/** @returns undefined unless the text is a decimal number from 0 to 2^128 - 1 without leading zeros */
export function parseHashKey(text: string): bigint | undefined {
  if (!/^(?:0|[1-9]\d{0,38})$/.test(text)) return undefined;
  const value = BigInt(text);
  return value <= MAX_HASH_KEY ? value : undefined;
}

/** Divides all hash keys into `count` equal ranges, as CreateStream does. */
export function evenRanges(count: number): HashKeyRange[] {
  const width = (MAX_HASH_KEY + 1n) / BigInt(count);
  return Array.from({ length: count }, (_, index) => ({
    start: BigInt(index) * width,
    end: index === count - 1 ? MAX_HASH_KEY : BigInt(index + 1) * width - 1n,
  }));
}
