import { crc32 } from 'node:zlib';
import type { PutClass, PutUnit } from './put.ts';

/**
 * How units stand in a segment file. All integers big-endian:
 *
 * ```
 * file   = 'RKS1' | u16 n | partition key, n bytes of UTF-8 | frame...
 * frame  = u32 length of body | u32 CRC-32 of body | body
 * body   = u8 class | u16 receipt | f64 sequence | f64 captured at, Unix ms | u32 payload bytes
 *        | u16 record count | u32 length per record | records
 * ```
 *
 * `receipt` is an index into a table that lives in memory with the segment: after a restart it means nothing.
 */
const MAGIC = Buffer.from('RKS1');
const FRAME_HEADER_BYTES = 8;
const BODY_HEADER_BYTES = 1 + 2 + 8 + 8 + 4 + 2;
/** By the number in the file: only ever added to. */
const CLASSES: readonly PutClass[] = ['video', 'deskshare', 'audio', 'event', 'text'];

export interface SpoolFrame extends Omit<PutUnit, 'receipt' | 'partitionKey'> {
  readonly receiptIndex: number;
}

/** Bytes of a unit on the disk. */
export function frameBytes(unit: PutUnit): number {
  let total = FRAME_HEADER_BYTES + BODY_HEADER_BYTES;
  for (const record of unit.records) total += 4 + record.length;
  return total;
}

export function encodeFileHeader(partitionKey: string): Buffer {
  const key = Buffer.from(partitionKey);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(key.length);
  return Buffer.concat([MAGIC, length, key]);
}

/** Writes a frame at `at`, which takes `frameBytes(unit)`. @returns where it ends */
export function writeFrame(out: Buffer, at: number, unit: PutUnit, receiptIndex: number): number {
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

export interface SegmentContent {
  readonly partitionKey: string;
  /** In order; records are views into the file's bytes. */
  readonly frames: readonly SpoolFrame[];
  /** Where the intact part ends; less than the file's length when its tail is torn. */
  readonly intactBytes: number;
}

/** Reads as far as frames are whole and their checksums right. @returns undefined when not even the header is */
export function readSegment(file: Buffer): SegmentContent | undefined {
  if (file.length < MAGIC.length + 2 || !file.subarray(0, MAGIC.length).equals(MAGIC)) {
    return undefined;
  }
  let at = MAGIC.length + 2 + file.readUInt16BE(MAGIC.length);
  if (file.length < at) return undefined;
  const partitionKey = file.toString('utf8', MAGIC.length + 2, at);
  const frames: SpoolFrame[] = [];
  while (file.length - at >= FRAME_HEADER_BYTES + BODY_HEADER_BYTES) {
    const start = at + FRAME_HEADER_BYTES;
    const end = start + file.readUInt32BE(at);
    if (end > file.length || crc32(file.subarray(start, end)) !== file.readUInt32BE(at + 4)) break;
    frames.push(readBody(file.subarray(start, end)));
    at = end;
  }
  return { partitionKey, frames, intactBytes: at };
}

/** @param body checked by its CRC, so as `writeFrame` wrote it */
function readBody(body: Buffer): SpoolFrame {
  const records: Uint8Array[] = [];
  const count = body.readUInt16BE(23);
  let start = BODY_HEADER_BYTES + 4 * count;
  for (let index = 0; index < count; index += 1) {
    const end = start + body.readUInt32BE(BODY_HEADER_BYTES + 4 * index);
    records.push(body.subarray(start, end));
    start = end;
  }
  return {
    class: CLASSES[body.readUInt8(0)] as PutClass,
    receiptIndex: body.readUInt16BE(1),
    sequence: body.readDoubleBE(3),
    capturedAtMs: body.readDoubleBE(11),
    payloadBytes: body.readUInt32BE(19),
    records,
  };
}
