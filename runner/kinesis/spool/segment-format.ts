import { crc32 } from 'node:zlib';
import { KINESIS_LIMITS } from '../../../shared/kinesis-rules.ts';
import type { Unit, UnitClass } from '../unit.ts';

/**
 * The format of a segment file. All integers are big-endian:
 *
 * ```
 * file   = 'RKS1' | u16 n | partition key, n bytes of UTF-8 | frame...
 * frame  = u32 length of body | u32 CRC-32 of body | body
 * body   = u8 class | u16 receipt | f64 sequence | f64 captured at, Unix ms | u32 payload bytes
 *        | u16 record count | u32 length per record | records
 * ```
 *
 * `receipt` is an index into a table that lives in memory with the segment. After a restart it only tells the sources of
 * one file apart.
 */
const MAGIC = Buffer.from('RKS1');
const FRAME_HEADER_BYTES = 8;
/** Kinesis takes keys of 256 characters, each of at most four bytes of UTF-8. */
const MAX_KEY_BYTES = 4 * KINESIS_LIMITS.keyCharacters;
const BODY_HEADER_BYTES = 1 + 2 + 8 + 8 + 4 + 2;
/** By the number in the file. Only ever add to the end: an earlier version may have written what is read. */
const CLASSES: readonly UnitClass[] = ['video', 'deskshare', 'audio', 'event', 'text', 'crowd'];

/** A unit as it stands in a segment file. */
export interface SpoolFrame extends Omit<Unit, 'receipt' | 'partitionKey'> {
  readonly receiptIndex: number;
}

/** Bytes of a unit on the disk. */
export function frameBytes(unit: Unit): number {
  let total = FRAME_HEADER_BYTES + BODY_HEADER_BYTES;
  for (const record of unit.records) total += 4 + record.length;
  return total;
}

/** The header of a segment file, in the format above. */
export function encodeFileHeader(partitionKey: string): Buffer {
  const key = Buffer.from(partitionKey);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(key.length);
  return Buffer.concat([MAGIC, length, key]);
}

/** Writes a frame at `at`, which takes `frameBytes(unit)`. @returns where it ends */
export function writeFrame(out: Buffer, at: number, unit: Unit, receiptIndex: number): number {
  const start = at + FRAME_HEADER_BYTES;
  let end = out.writeUInt8(CLASSES.indexOf(unit.class), start);
  end = out.writeUInt16BE(receiptIndex, end);
  end = out.writeDoubleBE(unit.sequence, end);
  end = out.writeDoubleBE(unit.capturedAtMs, end);
  end = out.writeUInt32BE(unit.payloadBytes, end);
  end = out.writeUInt16BE(unit.records.length, end);
  for (const record of unit.records) end = out.writeUInt32BE(record.length, end);
  for (const record of unit.records) {
    out.set(record, end);
    end += record.length;
  }
  out.writeUInt32BE(end - start, at);
  out.writeUInt32BE(crc32(out.subarray(start, end)), at + 4);
  return end;
}

/** What a segment file holds. */
export interface SegmentContent {
  readonly partitionKey: string;
  /** In order; records are views into the file's bytes. */
  readonly frames: readonly SpoolFrame[];
  /** Behind the last whole frame. */
  readonly intactBytes: number;
  /** Bytes behind it: a torn end, or damage. */
  readonly damagedBytes: number;
}

/** Reads up to the first frame that is torn or damaged. @returns undefined when not even the header is ours */
export function readSegment(file: Buffer): SegmentContent | undefined {
  const start = headerEnd(file);
  if (start === undefined) return undefined;
  const partitionKey = file.toString('utf8', MAGIC.length + 2, start);
  if (partitionKey.length > KINESIS_LIMITS.keyCharacters) return undefined;
  const frames: SpoolFrame[] = [];
  let at = start;
  for (let frame = readFrame(file, at); frame; frame = readFrame(file, at)) {
    frames.push(frame.frame);
    at = frame.end;
  }
  return { partitionKey, frames, intactBytes: at, damagedBytes: file.length - at };
}

/** Whether this may be a file whose process died while it wrote the header. */
export function isTornHeader(file: Buffer): boolean {
  const length = Math.min(file.length, MAGIC.length);
  return file.subarray(0, length).equals(MAGIC.subarray(0, length)) && !headerEnd(file);
}

/** @returns undefined for a file without our header, or with a partition key that Kinesis would never take */
function headerEnd(file: Buffer): number | undefined {
  if (file.length < MAGIC.length + 2 || !file.subarray(0, MAGIC.length).equals(MAGIC)) {
    return undefined;
  }
  const keyBytes = file.readUInt16BE(MAGIC.length);
  const end = MAGIC.length + 2 + keyBytes;
  return keyBytes === 0 || keyBytes > MAX_KEY_BYTES || file.length < end ? undefined : end;
}

/**
 * Checks every number, and not only the checksum: a file system may lose bytes and leave zeros, and zeros are a frame of
 * length 0 whose checksum, 0, is right.
 */
function readFrame(
  file: Buffer,
  at: number,
): { readonly frame: SpoolFrame; readonly end: number } | undefined {
  if (file.length - at < FRAME_HEADER_BYTES + BODY_HEADER_BYTES) return undefined;
  const end = at + FRAME_HEADER_BYTES + file.readUInt32BE(at);
  if (end > file.length || end < at + FRAME_HEADER_BYTES + BODY_HEADER_BYTES) return undefined;
  const body = file.subarray(at + FRAME_HEADER_BYTES, end);
  if (crc32(body) !== file.readUInt32BE(at + 4)) return undefined;
  const count = body.readUInt16BE(23);
  let start = BODY_HEADER_BYTES + 4 * count;
  if (count === 0 || start > body.length) return undefined;
  const records: Uint8Array[] = [];
  for (let index = 0; index < count; index += 1) {
    const recordEnd = start + body.readUInt32BE(BODY_HEADER_BYTES + 4 * index);
    if (recordEnd > body.length) return undefined;
    records.push(body.subarray(start, recordEnd));
    start = recordEnd;
  }
  const frame = {
    class: CLASSES[body.readUInt8(0)] as UnitClass,
    receiptIndex: body.readUInt16BE(1),
    sequence: body.readDoubleBE(3),
    capturedAtMs: body.readDoubleBE(11),
    payloadBytes: body.readUInt32BE(19),
    records,
  };
  const isRight =
    start === body.length &&
    frame.class !== undefined &&
    Number.isSafeInteger(frame.sequence) &&
    frame.sequence >= 0 &&
    Number.isFinite(frame.capturedAtMs);
  return isRight ? { frame, end } : undefined;
}
