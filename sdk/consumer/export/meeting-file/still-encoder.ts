import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { ServiceError } from '../../../../shared/errors.ts';
import type { VideoSize } from './mp4-boxes.ts';
import { type EncodedPicture, encodedPictures } from './picture-reader.ts';
import { type Pixels, type Planes, planesOf } from './planes.ts';

/** A larger picture than this is not decoded: it takes 4 bytes a pixel, twice. The largest screens have half of it. */
const MAX_PIXELS = 4_096 * 4_096;

/** Of H.264, 10 to 51, best first. Text of a shared screen stays sharp, and a picture is about as large as its JPG. */
const QUANTIZER = 20;

/** Fastest. Slower ones take up to half as long again, and save nothing in pictures of a screen. */
const SPEED = 10;

type Decode = (bytes: ArrayBuffer) => Promise<Pixels>;

interface Codecs {
  readonly mediabunny: typeof import('mediabunny');
  readonly h264: typeof import('h264-mp4-encoder');
  readonly decode: Readonly<Record<'jpg' | 'png', Decode>>;
}

/** Loaded once for the process, by the first picture. */
let codecs: Promise<Codecs> | undefined;

/**
 * Decodes one picture of a shared screen.
 *
 * @returns undefined for a picture that cannot be decoded, or is too large
 * @throws ServiceError `export/unsupported` where a library is not installed
 */
export async function decodeStill(image: Buffer, kind: 'jpg' | 'png'): Promise<Planes | undefined> {
  codecs ??= loadCodecs();
  const { decode } = await codecs;
  const pixels = await decodePicture(decode[kind], image).catch(() => undefined);
  return pixels && planesOf(pixels);
}

/** A picture of a run. Only the first one is a key frame. */
export interface EncodedStill extends EncodedPicture {
  readonly isKey: boolean;
}

/**
 * Encodes pictures that follow each other as H.264 (baseline profile), so that a track of video can show them: the first one as
 * a key frame, the others as what has changed. Where little has, that takes a third of the time and a tenth of the bytes.
 *
 * @param run all of one size
 * @throws ServiceError `export/unsupported` where a library is not installed
 */
export async function encodeStills(run: readonly Planes[]): Promise<EncodedStill[]> {
  codecs ??= loadCodecs();
  const { mediabunny, h264 } = await codecs;
  const encoder = await h264.createH264MP4Encoder();
  try {
    Object.assign(encoder, {
      width: run[0]?.width,
      height: run[0]?.height,
      quantizationParameter: QUANTIZER,
      speed: SPEED,
      frameRate: 1,
      groupOfPictures: run.length,
    });
    encoder.initialize();
    // Nothing waits between here and the reading: all encoders write under one name into one file system.
    for (const { data } of run) encoder.addFrameYuv(data);
    encoder.finalize();
    const file = encoder.FS.readFile(encoder.outputFilename);
    encoder.FS.unlink(encoder.outputFilename);
    return await picturesIn(mediabunny, file);
  } finally {
    encoder.delete();
  }
}

async function loadCodecs(): Promise<Codecs> {
  const { WebAssembly } = globalThis as unknown as WithWebAssembly;
  const compiled = async (file: string) =>
    WebAssembly.compile(await readFile(createRequire(import.meta.url).resolve(file)));
  try {
    const jpeg = await import('@jsquash/jpeg/decode.js');
    const png = await import('@jsquash/png/decode.js');
    // Their own loading takes them for pages of a web server.
    await (jpeg.init as Init)(await compiled('@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm'));
    await (png.init as Init)(await compiled('@jsquash/png/codec/pkg/squoosh_png_bg.wasm'));
    const decode = { jpg: jpeg.default as Decode, png: png.decode as Decode };
    const { default: h264 } = await import('h264-mp4-encoder');
    return { mediabunny: await import('mediabunny'), h264, decode };
  } catch (cause) {
    const what =
      'pictures of shares cannot be encoded: are @jsquash/jpeg, @jsquash/png and h264-mp4-encoder installed?';
    throw new ServiceError('export/unsupported', what, { cause });
  }
}

type Init = (module: object) => Promise<unknown>;

/** The types of Node name it without what it can do. */
interface WithWebAssembly {
  readonly WebAssembly: { compile(bytes: Uint8Array): Promise<object> };
}

async function decodePicture(decode: Decode, image: Buffer): Promise<Pixels | undefined> {
  const { width, height } = imageSize(image);
  // Asked before, as the decoder would take the memory first.
  const isScreen = width >= 2 && height >= 2 && width * height <= MAX_PIXELS;
  return isScreen ? decode(new Uint8Array(image).buffer) : undefined;
}

async function picturesIn(
  { BufferSource, Input, MP4 }: typeof import('mediabunny'),
  file: Uint8Array,
): Promise<EncodedStill[]> {
  const input = new Input({ source: new BufferSource(file), formats: [MP4] });
  try {
    const stills: EncodedStill[] = [];
    // The encoder writes no table of key frames, which says that all are.
    const isFirst = (index: number) => index === 0;
    for await (const { data, entry, config, size, isKey } of encodedPictures(input, isFirst))
      stills.push({ data, entry, config, size, isKey });
    return stills;
  } finally {
    input.dispose();
  }
}

const PNG_MAGIC = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/**
 * Reads the size of a picture from its head.
 *
 * @throws ServiceError `export/unsupported` for bytes that are neither a JPG nor a PNG
 * @see ITU-T T.81, B.2 (JPEG); RFC 2083, 4.1.1 (PNG)
 */
export function imageSize(bytes: Buffer): VideoSize {
  if (bytes.length >= 24 && bytes.subarray(0, 8).equals(PNG_MAGIC))
    return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  // Each segment is 0xff, its name, and its length, which counts itself.
  for (let at = 2; at + 9 <= bytes.length && bytes.readUInt16BE(0) === 0xffd8; ) {
    const name = bytes.readUInt16BE(at);
    if (isFrame(name))
      return { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) };
    if (name < 0xff01) break;
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  throw new ServiceError('export/unsupported', 'neither a JPG nor a PNG');
}

/** Whether a segment begins the picture. Three of the sixteen names are of tables. */
function isFrame(name: number): boolean {
  return name >= 0xffc0 && name <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(name);
}
