import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { ServiceError } from '../../../../shared/errors.ts';
import type { VideoSize } from './mp4-boxes.ts';
import { type EncodedPicture, encodedPictures } from './picture-reader.ts';

/** A larger picture than this is not decoded: it takes 4 bytes a pixel, twice. The largest screens have half of it. */
const MAX_PIXELS = 4_096 * 4_096;

/** Of H.264, 10 to 51, best first. Text of a shared screen stays sharp, and a picture is about as large as its JPG. */
const QUANTIZER = 20;

/** Fastest. Others take three times as long, and save nothing in single pictures. */
const SPEED = 10;

/** What the decoders give: four bytes a pixel, red, green, blue and alpha. */
interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

type Decode = (bytes: ArrayBuffer) => Promise<Pixels>;

interface Codecs {
  readonly mediabunny: typeof import('mediabunny');
  readonly h264: typeof import('h264-mp4-encoder');
  readonly decode: Readonly<Record<'jpg' | 'png', Decode>>;
}

/** Loaded once for the process, by the first picture. */
let codecs: Promise<Codecs> | undefined;

/**
 * Encodes one picture of a shared screen as an H.264 key frame (baseline profile), so that a track of video can show it.
 * Decoders (mozjpeg, png) and encoder (minih264) are WebAssembly.
 *
 * @returns undefined for a picture that cannot be decoded, or is too large
 * @throws ServiceError `export/unsupported` where a library is not installed
 */
export async function encodeStill(
  image: Buffer,
  kind: 'jpg' | 'png',
): Promise<EncodedPicture | undefined> {
  codecs ??= loadCodecs();
  const { mediabunny, h264, decode } = await codecs;
  const decoded = await decodePicture(decode[kind], image).catch(() => undefined);
  if (decoded === undefined) return undefined;
  const pixels = evenSized(decoded);
  const encoder = await h264.createH264MP4Encoder();
  try {
    Object.assign(encoder, {
      width: pixels.width,
      height: pixels.height,
      quantizationParameter: QUANTIZER,
      speed: SPEED,
      frameRate: 1,
      groupOfPictures: 1,
    });
    encoder.initialize();
    encoder.addFrameRgba(pixels.data);
    encoder.finalize();
    const file = encoder.FS.readFile(encoder.outputFilename);
    encoder.FS.unlink(encoder.outputFilename);
    return await firstPicture(mediabunny, file);
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

/** Leaves out the last column and row of odd sizes: H.264 has color for each two by two pixels. */
function evenSized({ width, height, data }: Pixels): Pixels {
  const [evenWidth, evenHeight] = [width - (width % 2), height - (height % 2)];
  if (evenWidth === width) return { width, height: evenHeight, data };
  const out = new Uint8ClampedArray(evenWidth * evenHeight * 4);
  for (let y = 0; y < evenHeight; y++)
    out.set(data.subarray(y * width * 4, (y * width + evenWidth) * 4), y * evenWidth * 4);
  return { width: evenWidth, height: evenHeight, data: out };
}

async function firstPicture(
  { BufferSource, Input, MP4 }: typeof import('mediabunny'),
  file: Uint8Array,
): Promise<EncodedPicture> {
  const input = new Input({ source: new BufferSource(file), formats: [MP4] });
  try {
    for await (const { data, entry, config, size } of encodedPictures(input))
      return { data, entry, config, size };
    throw new ServiceError('export/unsupported', 'the encoder made no picture');
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
