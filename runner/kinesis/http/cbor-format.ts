import type { PutEntry } from '../put-client.ts';

/** Initial bytes of CBOR, RFC 8949 section 3.1: major type times 32, plus how long the argument is. */
const BYTES = 0x40;
const TEXT = 0x60;
const ARRAY_OF_ANY_LENGTH = 0x9f;
const MAP_OF_ANY_LENGTH = 0xbf;
const END = 0xff;

/** The largest head of an item: initial byte and 32 bits of length. */
const MAX_HEAD_BYTES = 5;

const STREAM_NAME = textItem('StreamName');
const RECORDS = textItem('Records');
const DATA = textItem('Data');
const PARTITION_KEY = textItem('PartitionKey');

/**
 * The body of a PutRecords call in `application/x-amz-cbor-1.1`: the members of AWS JSON, but data is a byte string. Maps and
 * arrays have no length before them and an end mark after them: byte for byte what AWS SDK for Java 2 sends, of which
 * `cbor-format.test.ts` has a recording.
 *
 * @param room bytes that are left free before the body, for the head of the request
 * @param acquire gives memory for room and body; what it gives may be longer
 * @returns room and body
 */
export function encodeCborBody(
  streamName: string,
  entries: readonly PutEntry[],
  room: number,
  acquire: (sizeBytes: number) => Buffer,
): Buffer {
  let sizeBytes = room + 4 + STREAM_NAME.length + RECORDS.length;
  sizeBytes += MAX_HEAD_BYTES + Buffer.byteLength(streamName);
  const around = 2 + DATA.length + PARTITION_KEY.length + 2 * MAX_HEAD_BYTES;
  for (const { partitionKey, data } of entries) {
    sizeBytes += around + data.length + Buffer.byteLength(partitionKey);
  }
  const out = acquire(sizeBytes);
  let at = room;
  out[at++] = MAP_OF_ANY_LENGTH;
  at = writeBytes(out, at, RECORDS);
  out[at++] = ARRAY_OF_ANY_LENGTH;
  for (const { partitionKey, data } of entries) {
    out[at++] = MAP_OF_ANY_LENGTH;
    at = writeBytes(out, at, DATA);
    at = writeHead(out, at, BYTES, data.length);
    at = writeBytes(out, at, data);
    at = writeBytes(out, at, PARTITION_KEY);
    at = writeText(out, at, partitionKey);
    out[at++] = END;
  }
  out[at++] = END;
  at = writeBytes(out, at, STREAM_NAME);
  at = writeText(out, at, streamName);
  out[at++] = END;
  return out.subarray(0, at);
}

function textItem(text: string): Uint8Array {
  const item = Buffer.alloc(1 + text.length);
  writeText(item, 0, text);
  return item;
}

function writeText(out: Buffer, at: number, text: string): number {
  const start = writeHead(out, at, TEXT, Buffer.byteLength(text));
  return start + out.write(text, start);
}

function writeBytes(out: Buffer, at: number, bytes: Uint8Array): number {
  out.set(bytes, at);
  return at + bytes.length;
}

/** @param type a major type, times 32 */
function writeHead(out: Buffer, at: number, type: number, length: number): number {
  if (length < 24) {
    out[at] = type | length;
    return at + 1;
  }
  if (length < 0x100) {
    out[at] = type | 24;
    out[at + 1] = length;
    return at + 2;
  }
  if (length < 0x10000) {
    out[at] = type | 25;
    return out.writeUInt16BE(length, at + 1);
  }
  out[at] = type | 26;
  return out.writeUInt32BE(length, at + 1);
}
