import type * as Mediabunny from 'mediabunny';
import { ServiceError } from '../../../../shared/errors.ts';
import { inOrder } from './in-order.ts';
import { avc1, u32, type VideoSize } from './mp4-boxes.ts';

/** One picture of a camera or share. */
export interface Picture {
  /** The key of its source. */
  readonly source: string;
  readonly isShare: boolean;
  /** Since meeting zero. */
  readonly atMs: number;
  readonly durationMs: number;
  readonly isKey: boolean;
  /** NAL units, each behind its length. */
  readonly data: Uint8Array;
  /** The `avc1` box that tells how to decode it, and what is in it: the decoder configuration record. */
  readonly entry: Buffer;
  readonly config: Uint8Array;
  readonly size: VideoSize;
}

/** An MP4 file of one source, as `Mp4Exporter` writes it. */
export interface PictureFile {
  readonly path: string;
  readonly source: string;
  readonly isShare: boolean;
  /** When its first picture was captured, since meeting zero. */
  readonly beginsAtMs: number;
}

/**
 * Yields the pictures of all files in the order of time. Memory holds one picture of each file.
 *
 * @param onBroken is told of a file that cannot be read any further; the others go on
 */
export async function* pictures(
  files: readonly PictureFile[],
  onBroken: (path: string) => void,
): AsyncGenerator<Picture, void> {
  yield* inOrder(files.map((file) => untilBroken(file, onBroken)));
}

async function* untilBroken(
  file: PictureFile,
  onBroken: (path: string) => void,
): AsyncGenerator<Picture, void> {
  try {
    yield* picturesOf(file);
  } catch {
    onBroken(file.path);
  }
}

/** The pictures of one file. Parameter sets stand before each key frame. @throws what reading the file throws */
export async function* picturesOf({
  path,
  source,
  isShare,
  beginsAtMs,
}: PictureFile): AsyncGenerator<Picture, void> {
  const { EncodedPacketSink, FilePathSource, Input, MP4 } = await import('mediabunny');
  const input = new Input({ source: new FilePathSource(path), formats: [MP4] });
  try {
    const track = await input.getPrimaryVideoTrack();
    const config = await track?.getDecoderConfig();
    if (!track || !config) throw new ServiceError('export/unsupported', 'no pictures in the file');
    const avcC = bytesOf(config.description);
    const size = { width: config.codedWidth ?? 0, height: config.codedHeight ?? 0 };
    const entry = avc1(size, avcC);
    const sets = parameterSets(avcC);
    let isFirst = true;
    for await (const packet of new EncodedPacketSink(track).packets()) {
      const isKey = packet.type === 'key';
      // The first one stands from zero on in its own file, so that players begin there.
      const fromMs = Math.round(packet.timestamp * 1000);
      const endMs = Math.round((packet.timestamp + packet.duration) * 1000);
      const atMs = isFirst ? beginsAtMs : fromMs;
      isFirst = false;
      const needsSets = isKey && !hasParameterSets(packet);
      const data = needsSets ? Buffer.concat([sets, packet.data]) : packet.data;
      yield {
        source,
        isShare,
        atMs,
        durationMs: Math.max(endMs - atMs, 1),
        isKey,
        data,
        entry,
        config: avcC,
        size,
      };
    }
  } finally {
    input.dispose();
  }
}

function bytesOf(description: VideoDecoderConfig['description']): Uint8Array {
  if (description instanceof Uint8Array) return description;
  if (ArrayBuffer.isView(description))
    return new Uint8Array(description.buffer, description.byteOffset, description.byteLength);
  return description === undefined ? new Uint8Array() : new Uint8Array(description);
}

const SPS = 7;
const DELIMITER = 9;

/** Whether a picture brings its parameter sets itself. Decoders that read no second `avc1` box need them in the picture. */
function hasParameterSets({ data }: Mediabunny.EncodedPacket): boolean {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  for (let at = 0; at + 5 <= bytes.length; at += 4 + bytes.readUInt32BE(at)) {
    const type = bytes.readUInt8(at + 4) & 0x1f;
    if (type === SPS) return true;
    if (type !== DELIMITER) return false;
  }
  return false;
}

/** @returns the parameter sets of a decoder configuration record, each behind a length of four bytes */
function parameterSets(avcC: Uint8Array): Buffer {
  const bytes = Buffer.from(avcC);
  const out: Buffer[] = [];
  let at = 5;
  for (const mask of [0x1f, 0xff]) {
    const count = (bytes[at] ?? 0) & mask;
    at += 1;
    for (let i = 0; i < count && at + 2 <= bytes.length; i++) {
      const length = bytes.readUInt16BE(at);
      out.push(u32(length), bytes.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
  }
  return Buffer.concat(out);
}
