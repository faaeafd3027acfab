import { ServiceError } from '../errors.ts';

/**
 * The little of the protobuf wire format that our two messages need, on plain Buffers.
 *
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export const WIRE_TYPE = {
  VARINT: 0,
  FIXED64: 1,
  BYTES: 2,
  GROUP: 3,
  GROUP_END: 4,
  FIXED32: 5,
} as const;

/** Bytes that `value`, a safe non-negative integer, takes as a varint. */
export function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  if (value < 0x10000000) return 4;
  let size = 5;
  for (let rest = value / 0x800000000; rest >= 1; rest /= 0x80) size += 1;
  return size;
}

/** Writes a varint and returns the offset behind it. */
export function writeVarint(out: Buffer, value: number, offset: number): number {
  let rest = value;
  let at = offset;
  // Bit operations are 32 bits wide, so the high part of a 64-bit value goes through a division.
  while (rest >= 0x80000000) {
    out[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  while (rest >= 0x80) {
    out[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[at++] = rest;
  return at;
}

/** The same bytes as a Buffer, not copied. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** ServiceError `record/malformed`. @param what is wrong, without any of the record's content */
export function malformedRecord(what: string): ServiceError {
  return new ServiceError('record/malformed', what);
}
