import { hash } from 'node:crypto';
import { ServiceError } from '../errors.ts';
import { asBuffer, varintSize, writeVarint } from './protobuf.ts';
import { WireReader } from './wire-reader.ts';

/**
 * Aggregated records of the Kinesis Producer Library: `magic | AggregatedRecord | MD5(AggregatedRecord)`.
 *
 * We write one partition key per aggregate, the outer record's own, and no explicit hash key. So every user record lies
 * inside the hash range of the shard that holds the record; otherwise a reader that checks ranges, as the KCL does, would
 * drop it after a reshard. We read any aggregate.
 *
 * @see https://github.com/awslabs/amazon-kinesis-producer/blob/master/aggregation-format.md (read 2026-11-22)
 */
const MAGIC = Buffer.from('f3899ac2', 'hex');
const MD5_BYTES = 16;
const ENVELOPE_BYTES = MAGIC.length + MD5_BYTES;

/** The largest record that a Kinesis stream can be configured to hold. Nothing longer is parsed. */
const MAX_AGGREGATE_BYTES = 10 * 1024 * 1024;

const KEY = { KEY_TABLE: 0x0a, HASH_KEY_TABLE: 0x12, RECORD: 0x1a } as const;
const RECORD_KEY = { KEY_INDEX: 0x08, HASH_KEY_INDEX: 0x10, DATA: 0x1a } as const;

/** Where one user record lies in its Kinesis record. */
export interface UserRecordSpan {
  readonly partitionKey: string;
  /** Decimal text of a 128-bit unsigned integer; absent when the producer gave none. */
  readonly explicitHashKey?: string;
  /** Offset of its first byte. */
  readonly start: number;
  /** Offset behind its last byte. */
  readonly end: number;
  /** Position in the aggregate, from 0; 0 in a record that was not aggregated. */
  readonly subSequenceNumber: number;
}

/** One user record of an aggregate, or a record that was written bare. */
export interface UserRecord extends Omit<UserRecordSpan, 'start' | 'end'> {
  /** A view into the Kinesis record, not a copy. */
  readonly data: Buffer;
}

/** Bytes of an aggregate without user records. @param partitionKeyBytes UTF-8 length of the one key */
export function emptyAggregateSize(partitionKeyBytes: number): number {
  return ENVELOPE_BYTES + 1 + varintSize(partitionKeyBytes) + partitionKeyBytes;
}

/** Bytes by which a user record of `dataBytes` makes an aggregate of one partition key grow. */
export function aggregatedRecordSize(dataBytes: number): number {
  const inner = innerSize(dataBytes);
  return 1 + varintSize(inner) + inner;
}

/** Two key-index bytes, then the data field. */
function innerSize(dataBytes: number): number {
  return 2 + 1 + varintSize(dataBytes) + dataBytes;
}

/**
 * Packs user records of one partition key, in order.
 *
 * @param partitionKey must also be the partition key of the Kinesis record that carries the result
 * @param allocate makes the result's memory: of exactly that size, to be written over entirely
 */
export function encodeAggregate(
  partitionKey: string,
  records: readonly Uint8Array[],
  allocate: (sizeBytes: number) => Buffer = Buffer.allocUnsafe,
): Buffer {
  const keyBytes = Buffer.byteLength(partitionKey);
  let total = emptyAggregateSize(keyBytes);
  for (const data of records) total += aggregatedRecordSize(data.length);

  const out = allocate(total);
  out.set(MAGIC);
  let at = MAGIC.length;
  out[at++] = KEY.KEY_TABLE;
  at = writeVarint(out, keyBytes, at);
  at += out.write(partitionKey, at);
  for (const data of records) {
    out[at++] = KEY.RECORD;
    at = writeVarint(out, innerSize(data.length), at);
    out[at++] = RECORD_KEY.KEY_INDEX;
    out[at++] = 0; // required, so written although it is the default
    out[at++] = RECORD_KEY.DATA;
    at = writeVarint(out, data.length, at);
    out.set(data, at);
    at += data.length;
  }
  out.write(digest(out, at), at, 'hex');
  return out;
}

/**
 * Unpacks one Kinesis record as the KCL does: whatever is not an intact aggregate is one user record, its
 * data unchanged.
 *
 * @param partitionKey of the Kinesis record; the key of a record that is not an aggregate
 * @throws ServiceError `record/bad-index` when an intact aggregate names a key that it does not hold: a
 *   producer's bug, of which nothing is emitted
 */
export function decodeAggregate(data: Uint8Array, partitionKey: string): UserRecord[] {
  const bytes = asBuffer(data);
  return locateUserRecords(bytes, partitionKey).map((span) => cut(bytes, span));
}

function cut(bytes: Buffer, span: UserRecordSpan): UserRecord {
  const { partitionKey, explicitHashKey, start, end, subSequenceNumber } = span;
  const data = bytes.subarray(start, end);
  return explicitHashKey === undefined
    ? { partitionKey, data, subSequenceNumber }
    : { partitionKey, explicitHashKey, data, subSequenceNumber };
}

/** `decodeAggregate` without a view for every user record, which costs more than finding it. */
export function locateUserRecords(bytes: Buffer, partitionKey: string): UserRecordSpan[] {
  const spans = isIntact(bytes) ? parse(bytes) : undefined;
  return spans ?? [{ partitionKey, start: 0, end: bytes.length, subSequenceNumber: 0 }];
}

function isIntact(bytes: Buffer): boolean {
  if (bytes.length <= ENVELOPE_BYTES || bytes.length > MAX_AGGREGATE_BYTES) return false;
  if (bytes.readUInt32BE(0) !== 0xf3899ac2) return false;
  const end = bytes.length - MD5_BYTES;
  return digest(bytes, end) === bytes.toString('hex', end);
}

/** As text, because a digest in a Buffer of its own costs as much again as a kilobyte of hashing. */
function digest(bytes: Buffer, end: number): string {
  return hash('md5', bytes.subarray(MAGIC.length, end), 'hex');
}

/** A user record whose table entries are not looked up yet: tables may follow the records. */
interface Entry {
  readonly keyIndex: number;
  readonly hashKeyIndex: number | undefined;
  readonly start: number;
  readonly end: number;
}

/** @returns undefined when the message is malformed */
function parse(bytes: Buffer): UserRecordSpan[] | undefined {
  const keys: string[] = [];
  const hashKeys: string[] = [];
  const entries: Entry[] = [];
  try {
    const reader = new WireReader(bytes, MAGIC.length, bytes.length - MD5_BYTES);
    while (!reader.done) {
      const key = reader.key();
      if (key === KEY.RECORD) {
        const entry = parseEntry(bytes, reader.skipBytes(), reader.offset);
        if (!entry) return undefined;
        entries.push(entry);
      } else if (key === KEY.KEY_TABLE) keys.push(reader.text());
      else if (key === KEY.HASH_KEY_TABLE) hashKeys.push(reader.text());
      else reader.skip(key);
    }
  } catch {
    return undefined;
  }
  return entries.map((entry, position) => resolve(entry, position, keys, hashKeys));
}

/** @returns undefined when a required field is missing */
function parseEntry(bytes: Buffer, entryStart: number, entryEnd: number): Entry | undefined {
  const reader = new WireReader(bytes, entryStart, entryEnd);
  let keyIndex: number | undefined;
  let hashKeyIndex: number | undefined;
  let start: number | undefined;
  let end = 0;
  while (!reader.done) {
    const key = reader.key();
    if (key === RECORD_KEY.DATA) {
      start = reader.skipBytes();
      end = reader.offset;
    } else if (key === RECORD_KEY.KEY_INDEX) keyIndex = reader.varint();
    else if (key === RECORD_KEY.HASH_KEY_INDEX) hashKeyIndex = reader.varint();
    else reader.skip(key);
  }
  return keyIndex === undefined || start === undefined
    ? undefined
    : { keyIndex, hashKeyIndex, start, end };
}

function resolve(
  { keyIndex, hashKeyIndex, start, end }: Entry,
  subSequenceNumber: number,
  keys: readonly string[],
  hashKeys: readonly string[],
): UserRecordSpan {
  const partitionKey = lookUp(keys, keyIndex, 'partition key');
  if (hashKeyIndex === undefined) return { partitionKey, start, end, subSequenceNumber };
  const explicitHashKey = lookUp(hashKeys, hashKeyIndex, 'explicit hash key');
  return { partitionKey, explicitHashKey, start, end, subSequenceNumber };
}

function lookUp(table: readonly string[], index: number, what: string): string {
  const entry = table[index];
  if (entry !== undefined) return entry;
  throw new ServiceError('record/bad-index', `aggregate names a ${what} it does not hold`, {
    detail: { index, tableSize: table.length },
  });
}
