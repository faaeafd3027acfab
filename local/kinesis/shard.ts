import { hash } from 'node:crypto';
import { createTokenBucket, hasTokens, KINESIS_QUOTAS, takeTokens } from './limits.ts';

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

/** One record as a shard keeps it. */
export interface StoredRecord {
  /** Base64 as the client sent it. It is never decoded. */
  readonly data: string;
  readonly partitionKey: string;
  readonly arrivedAtMs: number;
  /** Data and partition key in bytes, as all limits count them. */
  readonly sizeBytes: number;
}

const COUNTER_DIGITS = 34;

/**
 * The records of one shard, oldest first, and its throughput limits.
 *
 * A position counts the records of the shard from 0, expired ones included. A sequence number has 56 digits: 49, the
 * creation time of the shard (14), its index (6), and the position plus one (34). So sequence numbers grow strictly
 * within a shard and from parent to child, and can be compared as text.
 */
export class Shard {
  readonly id: string;
  readonly range: HashKeyRange;
  readonly parentIds: readonly string[];
  readonly createdAtMs: number;
  /** Set by `close`. A closed shard takes no records; a reader reads it to its end and goes on with its children. */
  closedAtMs: number | undefined;
  /** Base64 characters kept, which is what the records take in memory. */
  storedBytes = 0;

  readonly #sequencePrefix: string;
  readonly #writeBytes;
  readonly #writeRecords;
  readonly #readBytes;
  readonly #readCalls;
  readonly #watchers = new Set<() => void>();
  #records: StoredRecord[] = [];
  #firstPosition = 0;

  constructor(index: number, range: HashKeyRange, parentIds: readonly string[], nowMs: number) {
    this.id = `shardId-${String(index).padStart(12, '0')}`;
    this.range = range;
    this.parentIds = parentIds;
    this.createdAtMs = nowMs;
    this.#sequencePrefix = `49${String(nowMs).padStart(14, '0')}${String(index).padStart(6, '0')}`;
    this.#writeBytes = createTokenBucket(KINESIS_QUOTAS.writeBytesPerSecond, nowMs);
    this.#writeRecords = createTokenBucket(KINESIS_QUOTAS.writeRecordsPerSecond, nowMs);
    this.#readBytes = createTokenBucket(KINESIS_QUOTAS.readBytesPerSecond, nowMs);
    this.#readCalls = createTokenBucket(KINESIS_QUOTAS.readCallsPerSecond, nowMs);
  }

  /** Position of the oldest record kept; `endPosition` when there is none. */
  get firstPosition(): number {
    return this.#firstPosition;
  }

  /** Position that the next record will get. */
  get endPosition(): number {
    return this.#firstPosition + this.#records.length;
  }

  get startingSequenceNumber(): string {
    return this.sequenceNumberAt(-1);
  }

  get endingSequenceNumber(): string | undefined {
    return this.closedAtMs === undefined ? undefined : this.sequenceNumberAt(this.endPosition);
  }

  close(nowMs: number): void {
    this.closedAtMs = nowMs;
    for (const watcher of this.#watchers) watcher();
  }

  /** Calls `watcher` whenever a record has come or the shard was closed. @returns a function that ends the calls */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /** @returns whether the write limits allow a record of that size now; if so, the record is charged */
  admitWrite(sizeBytes: number, nowMs: number): boolean {
    const [bytes, records] = [this.#writeBytes, this.#writeRecords];
    if (!hasTokens(records, 1, nowMs) || !hasTokens(bytes, sizeBytes, nowMs)) return false;
    takeTokens(records, 1);
    takeTokens(bytes, sizeBytes);
    return true;
  }

  /** @returns whether the read limits allow a GetRecords call now; if so, the call is charged */
  admitRead(nowMs: number): boolean {
    if (!hasTokens(this.#readBytes, 1, nowMs) || !hasTokens(this.#readCalls, 1, nowMs))
      return false;
    takeTokens(this.#readCalls, 1);
    return true;
  }

  /** @returns the record's sequence number */
  append(record: StoredRecord): string {
    this.#records.push(record);
    this.storedBytes += record.data.length;
    for (const watcher of this.#watchers) watcher();
    return this.sequenceNumberAt(this.endPosition - 1);
  }

  /** @returns up to `limit` records and 10 MiB from `position`, at least one if there is one; charges the read */
  read(position: number, limit: number): StoredRecord[] {
    const records = this.peek(position, limit, KINESIS_QUOTAS.bytesPerRead);
    const sizeBytes = records.reduce((sum, record) => sum + record.sizeBytes, 0);
    // Overdrawing costs the whole answer: 10 MiB block the shard for the documented five seconds.
    const bucket = this.#readBytes;
    takeTokens(bucket, sizeBytes > bucket.level ? sizeBytes + bucket.level : sizeBytes);
    return records;
  }

  /** The same without a charge: a registered consumer has limits of its own. */
  peek(position: number, limit: number, maxBytes: number): StoredRecord[] {
    const from = Math.max(0, position - this.#firstPosition);
    const most = Math.min(this.#records.length, from + limit);
    let to = from;
    let sizeBytes = 0;
    while (to < most) {
      const next = (this.#records[to] as StoredRecord).sizeBytes;
      if (to > from && sizeBytes + next > maxBytes) break;
      sizeBytes += next;
      to += 1;
    }
    return this.#records.slice(from, to);
  }

  recordAt(position: number): StoredRecord | undefined {
    return this.#records[position - this.#firstPosition];
  }

  /** @returns the position of the first record that arrived at or after `timestampMs` */
  positionAtTime(timestampMs: number): number {
    let low = 0;
    let high = this.#records.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#records[middle] as StoredRecord).arrivedAtMs < timestampMs) low = middle + 1;
      else high = middle;
    }
    return this.#firstPosition + low;
  }

  sequenceNumberAt(position: number): string {
    return this.#sequencePrefix + String(position + 1).padStart(COUNTER_DIGITS, '0');
  }

  /** @returns -1 for the starting sequence number; undefined for a number that this shard never gave out */
  positionOf(sequenceNumber: string): number | undefined {
    const digits = sequenceNumber.slice(this.#sequencePrefix.length);
    if (!sequenceNumber.startsWith(this.#sequencePrefix)) return undefined;
    if (digits.length !== COUNTER_DIGITS || !/^\d+$/.test(digits)) return undefined;
    const position = Number(digits) - 1;
    return position <= this.endPosition ? position : undefined;
  }

  /** Drops records that arrived before `horizonMs`. */
  expire(horizonMs: number): void {
    const oldest = this.#records[0];
    if (oldest === undefined || oldest.arrivedAtMs >= horizonMs) return;
    this.#dropOldest(this.positionAtTime(horizonMs) - this.#firstPosition);
  }

  /** Drops the oldest records until at least `bytes` are free or nothing is left. @returns how many were dropped */
  evict(bytes: number): number {
    let count = 0;
    for (let freed = 0; freed < bytes && count < this.#records.length; count += 1) {
      freed += (this.#records[count] as StoredRecord).data.length;
    }
    this.#dropOldest(count);
    return count;
  }

  #dropOldest(count: number): void {
    for (const record of this.#records.slice(0, count)) this.storedBytes -= record.data.length;
    this.#records = this.#records.slice(count);
    this.#firstPosition += count;
  }
}
