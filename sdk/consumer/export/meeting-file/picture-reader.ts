import type * as Mediabunny from 'mediabunny';
import { ServiceError } from '../../../../shared/errors.ts';
import { avc1, u32, type VideoSize } from './mp4-boxes.ts';

/** A picture, and how it is decoded. */
export interface EncodedPicture {
  /** NAL units, each behind its length. */
  readonly data: Uint8Array;
  /** The `avc1` box that tells how to decode it, and what is in it: the decoder configuration record. */
  readonly entry: Buffer;
  readonly config: Uint8Array;
  readonly size: VideoSize;
}

/** One picture of a camera or share. */
export interface Picture extends EncodedPicture {
  /** The key of its source. */
  readonly source: string;
  readonly isShare: boolean;
  /** Since meeting zero. */
  readonly atMs: number;
  readonly durationMs: number;
  readonly isKey: boolean;
}

/** What `Mp4Exporter` writes of one source, or a folder of `ImageSequenceExporter`. */
export interface PictureFile {
  readonly path: string;
  readonly source: string;
  readonly isShare: boolean;
  /** When its first picture was captured, since meeting zero. */
  readonly beginsAtMs: number;
  /** Set for a folder: what its pictures are. */
  readonly images?: 'jpg' | 'png';
}

/** The pictures of one file. Parameter sets stand before each key frame. @throws what reading the file throws */
export async function* picturesOf({
  path,
  source,
  isShare,
  beginsAtMs,
}: PictureFile): AsyncGenerator<Picture, void> {
  const { FilePathSource, Input, MP4 } = await import('mediabunny');
  const input = new Input({ source: new FilePathSource(path), formats: [MP4] });
  try {
    let isFirst = true;
    for await (const { fromMs, endMs, ...picture } of encodedPictures(input)) {
      // The first one stands from zero on in its own file, so that players begin there.
      const atMs = isFirst ? beginsAtMs : fromMs;
      isFirst = false;
      yield { source, isShare, ...picture, atMs, durationMs: Math.max(endMs - atMs, 1) };
    }
  } finally {
    input.dispose();
  }
}

/** A picture, and when it stands in its own file. */
interface FilePicture extends EncodedPicture {
  readonly fromMs: number;
  readonly endMs: number;
  readonly isKey: boolean;
}

/**
 * @param isKeyAt whether a picture, counted from 0, is a key frame, where the file does not say it
 * @throws ServiceError `export/unsupported` for a file without pictures, and what reading it throws
 */
export async function* encodedPictures(
  input: Mediabunny.Input,
  isKeyAt?: (index: number) => boolean,
): AsyncGenerator<FilePicture, void, undefined> {
  const { EncodedPacketSink } = await import('mediabunny');
  const track = await input.getPrimaryVideoTrack();
  const decoder = await track?.getDecoderConfig();
  if (!track || !decoder) throw new ServiceError('export/unsupported', 'no pictures in the file');
  const config = bytesOf(decoder.description);
  const size = { width: decoder.codedWidth ?? 0, height: decoder.codedHeight ?? 0 };
  const entry = avc1(size, config);
  const sets = parameterSets(config);
  let index = 0;
  for await (const packet of new EncodedPacketSink(track).packets()) {
    const isKey = isKeyAt?.(index) ?? packet.type === 'key';
    index += 1;
    const needsSets = isKey && !hasParameterSets(packet);
    const data = needsSets ? Buffer.concat([sets, packet.data]) : packet.data;
    const fromMs = Math.round(packet.timestamp * 1000);
    const endMs = Math.round((packet.timestamp + packet.duration) * 1000);
    yield { fromMs, endMs, isKey, data, entry, config, size };
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
