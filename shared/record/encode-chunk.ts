import { crc32 } from 'node:zlib';
import { KEY } from './media-record.ts';
import { varintSize, writeVarint } from './protobuf.ts';

/** Most bytes that the two chunk numbers, the checksum and the payload's own length can take. */
export const MAX_CHUNK_OVERHEAD_BYTES = 6 + 7 + 6 + 7;

/** Memory of exactly that size, to be written over entirely. */
export type Allocate = (sizeBytes: number) => Buffer;

/**
 * Encodes one chunk of a frame, or a whole frame: the fields that its chunks share, then those of this chunk.
 *
 * @param header the encoded fields that every chunk of the frame repeats
 * @param index position of the chunk in its frame, from 0
 * @param count chunks of the frame; 0 for a frame in one record, which has no chunk fields
 * @param allocate makes the record's memory, all of which is written
 */
export function encodeChunk(
  header: Buffer,
  index: number,
  count: number,
  payload: Uint8Array,
  allocate: Allocate,
): Buffer {
  const checksum = crc32(payload);
  const out = allocate(
    header.length + chunkSize(index, count) + payloadSize(payload.length, checksum),
  );
  out.set(header);
  let at = writeNumber(out, KEY.CHUNK_INDEX, index, header.length);
  at = writeNumber(out, KEY.CHUNK_COUNT, count, at);
  if (checksum !== 0) at = out.writeUInt32LE(checksum, writeVarint(out, KEY.PAYLOAD_CRC32, at));
  // Last, and written even when empty, so that a record cut short anywhere is known by its absence.
  at = writeVarint(out, payload.length, writeVarint(out, KEY.PAYLOAD, at));
  out.set(payload, at);
  return out;
}

function chunkSize(index: number, count: number): number {
  return numberSize(index) + (count === 0 ? 0 : 2 + varintSize(count));
}

function payloadSize(payloadBytes: number, checksum: number): number {
  const field = 2 + varintSize(payloadBytes) + payloadBytes;
  return checksum === 0 ? field : 6 + field;
}

/** For fields with a one-byte key. */
function numberSize(value: number | undefined): number {
  return value ? 1 + varintSize(value) : 0;
}

function writeNumber(out: Buffer, key: number, value: number | undefined, at: number): number {
  return value ? writeVarint(out, value, writeVarint(out, key, at)) : at;
}
