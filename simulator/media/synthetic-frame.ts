import { crc32 } from 'node:zlib';

/**
 * Frames that a test can check one by one, because each contains its source, the moment that it covers, and a check
 * sum. Layout after
 * the codec's magic bytes, big-endian:
 * `RTMS` | source u32 | offset in ms u32 | duration in ms u32 | filler | CRC-32 of all before.
 */
const MARK = Buffer.from('RTMS');
const HEADER_BYTES = 16;
const CRC_BYTES = 4;
const fillers = new Map<number, Buffer>();

/** What a synthetic frame says of itself. */
export interface SyntheticFrame {
  /** Source key given to `syntheticFrame`: the user id, 0 for mixed audio. */
  readonly source: number;
  /** Start of the frame in milliseconds since `rtms_started`. */
  readonly offsetMs: number;
  readonly durationMs: number;
}

/** @param sizeBytes raised to the smallest size that holds magic, header and check sum */
export function syntheticFrame(frame: SyntheticFrame, magic: Buffer, sizeBytes: number): Buffer {
  const size = Math.max(sizeBytes, magic.length + HEADER_BYTES + CRC_BYTES);
  const bytes = Buffer.from(filler(size));
  magic.copy(bytes);
  let at = MARK.copy(bytes, magic.length) + magic.length;
  at = bytes.writeUInt32BE(frame.source, at);
  at = bytes.writeUInt32BE(frame.offsetMs, at);
  bytes.writeUInt32BE(frame.durationMs, at);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, size - CRC_BYTES)), size - CRC_BYTES);
  return bytes;
}

/** Reads a frame back; undefined when it is not a synthetic frame or was changed on the way. */
export function readSyntheticFrame(payload: Uint8Array): SyntheticFrame | undefined {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  const at = bytes.subarray(0, 32).indexOf(MARK);
  if (at < 0 || bytes.length < at + HEADER_BYTES + CRC_BYTES) return undefined;
  const crc = bytes.readUInt32BE(bytes.length - CRC_BYTES);
  if (crc32(bytes.subarray(0, bytes.length - CRC_BYTES)) !== crc) return undefined;
  return {
    source: bytes.readUInt32BE(at + 4),
    offsetMs: bytes.readUInt32BE(at + 8),
    durationMs: bytes.readUInt32BE(at + 12),
  };
}

/** Noise without zero bytes, so that it has no H.264 start code. The same for every frame of a size. */
function filler(size: number): Buffer {
  let bytes = fillers.get(size);
  if (bytes === undefined) {
    bytes = Buffer.alloc(size);
    let state = 0x2545f491 ^ size;
    for (let i = 0; i < size; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      bytes[i] = (state & 0xff) | 1;
    }
    fillers.set(size, bytes);
  }
  return bytes;
}
