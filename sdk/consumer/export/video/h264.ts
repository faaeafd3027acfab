import type { Frame } from '../../records/frame.ts';
import { unsupported } from '../audio/pcm.ts';
import type { Exporter } from '../exporter.ts';
import { FileSink } from '../file-sink.ts';

const START_CODE = Buffer.from([0, 0, 0, 1]);
/** @see ITU-T H.264, table 7-1: 1 to 5 are slices of a picture */
const NAL_TYPE = { FIRST_SLICE: 1, IDR: 5, SPS: 7, PPS: 8 } as const;

/** Writes the access units of one source as Zoom sent them, one after another: a raw Annex B `.h264` file. */
export class H264Exporter implements Exporter<Frame> {
  readonly #path: string;
  #sink: FileSink | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws ServiceError `export/unsupported` for anything but H.264 */
  async write(frame: Frame): Promise<void> {
    if (frame.codec !== 'H264') throw unsupported(`cannot write ${frame.codec} as H.264`, frame);
    this.#sink ??= await FileSink.create(this.#path);
    await this.#sink.append(frame.payload);
  }

  async close(): Promise<void> {
    await this.#sink?.close();
  }

  async abort(): Promise<void> {
    await this.#sink?.abort();
  }
}

/** Yields the NAL units of an Annex B access unit, without their start codes. */
export function* nalUnits(accessUnit: Buffer): Generator<Buffer> {
  const startCode = Buffer.from([0, 0, 1]);
  let start = accessUnit.indexOf(startCode);
  while (start !== -1) {
    const begin = start + startCode.length;
    start = accessUnit.indexOf(startCode, begin);
    let end = start === -1 ? accessUnit.length : start;
    // No NAL unit ends in a zero byte. Zeros before a start code belong to it, or are padding.
    while (end > begin && accessUnit[end - 1] === 0) end -= 1;
    if (end > begin) yield accessUnit.subarray(begin, end);
  }
}

/** What a decoder has to be told before the first picture. */
export interface H264Config {
  /** In the form of RFC 6381: `avc1.42C00B`. */
  readonly codec: string;
  readonly width: number;
  readonly height: number;
}

/** What an access unit holds, as far as the writer of an MP4 file is concerned. */
export interface InspectedUnit {
  /** Whether decoding can begin here. */
  readonly isKey: boolean;
  /** Present when the unit has a picture parameter set and a sequence parameter set that can be read. */
  readonly config?: H264Config;
  /** Whether the unit has a picture. Parameter sets may come in a message of their own. */
  readonly hasPicture: boolean;
  /** Whether the payload has any NAL unit. */
  readonly hasUnits: boolean;
  /** The bytes of all parameter sets, to notice every change: a decoder has to be told of it. */
  readonly parameterSets?: Buffer;
}

/** @param accessUnit NAL units behind start codes (ITU-T H.264, Annex B); bytes of any other kind give no picture */
export function inspectAccessUnit(accessUnit: Buffer): InspectedUnit {
  let isKey = false;
  let hasPicture = false;
  let hasUnits = false;
  let hasPps = false;
  let config: H264Config | undefined;
  const sets: Buffer[] = [];
  for (const unit of nalUnits(accessUnit)) {
    const type = (unit[0] as number) & 0x1f;
    hasUnits = true;
    if (type >= NAL_TYPE.FIRST_SLICE && type <= NAL_TYPE.IDR) hasPicture = true;
    if (type === NAL_TYPE.IDR) isKey = true;
    else if (type === NAL_TYPE.PPS) hasPps = true;
    else if (type === NAL_TYPE.SPS) config = readSps(unit);
    if (type === NAL_TYPE.PPS || type === NAL_TYPE.SPS) sets.push(START_CODE, unit);
  }
  const unit = { isKey, hasPicture, hasUnits };
  return hasPps && config ? { ...unit, config, parameterSets: Buffer.concat(sets) } : unit;
}

/** Profiles whose parameter set describes the chroma format. @see ITU-T H.264, 7.3.2.1.1 */
const CHROMA_PROFILES = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);

/** The longest side of a picture, in pixels, that any level of H.264 allows. @see ITU-T H.264, table A-1 */
const MAX_SIDE = 16_880;

const isSize = (pixels: number) => pixels > 0 && pixels <= MAX_SIDE;

/** @returns undefined when the parameter set ends early, or claims a size that no picture can have */
function readSps(unit: Buffer): H264Config | undefined {
  if (unit.length < 4) return undefined;
  const bits = new BitReader(withoutEmulation(unit.subarray(4)));
  const profile = unit[1] as number;
  bits.golomb(); // seq_parameter_set_id
  const chroma = CHROMA_PROFILES.has(profile) ? readChroma(bits) : 1;
  bits.golomb(); // log2_max_frame_num_minus4
  const orderType = bits.golomb();
  if (orderType === 0) bits.golomb();
  else if (orderType === 1) {
    bits.bits(1);
    bits.golomb();
    bits.golomb();
    const cycle = bits.golomb();
    for (let i = 0; i < cycle && !bits.isPastEnd; i++) bits.golomb();
  }
  bits.golomb(); // max_num_ref_frames
  bits.bits(1); // gaps_in_frame_num_value_allowed_flag
  const widthInMbs = bits.golomb() + 1;
  const heightInMapUnits = bits.golomb() + 1;
  const isFrameOnly = bits.bits(1);
  if (!isFrameOnly) bits.bits(1);
  bits.bits(1); // direct_8x8_inference_flag
  const crop = bits.bits(1) ? [bits.golomb(), bits.golomb(), bits.golomb(), bits.golomb()] : [];
  if (bits.isPastEnd) return undefined;
  const [left = 0, right = 0, top = 0, bottom = 0] = crop;
  const cropX = chroma === 1 || chroma === 2 ? 2 : 1;
  const cropY = (chroma === 1 ? 2 : 1) * (2 - isFrameOnly);
  const width = widthInMbs * 16 - cropX * (left + right);
  const height = heightInMapUnits * 16 * (2 - isFrameOnly) - cropY * (top + bottom);
  if (!isSize(width) || !isSize(height)) return undefined;
  return { codec: `avc1.${unit.toString('hex', 1, 4).toUpperCase()}`, width, height };
}

/** @returns chroma_format_idc */
function readChroma(bits: BitReader): number {
  const chroma = bits.golomb();
  if (chroma === 3) bits.bits(1);
  bits.golomb();
  bits.golomb();
  bits.bits(1);
  if (!bits.bits(1)) return chroma;
  for (let list = 0; list < (chroma === 3 ? 12 : 8); list++) {
    if (bits.bits(1)) skipScalingList(bits, list < 6 ? 16 : 64);
  }
  return chroma;
}

function skipScalingList(bits: BitReader, size: number): void {
  let last = 8;
  let next = 8;
  for (let i = 0; i < size; i++) {
    if (next !== 0) next = (last + bits.signedGolomb() + 256) % 256;
    if (next !== 0) last = next;
  }
}

/** Removes the emulation prevention bytes (03), which keep start codes from appearing inside a unit. */
function withoutEmulation(unit: Buffer): Buffer {
  return Buffer.from(
    unit.filter((byte, i) => !(byte === 3 && i >= 2 && unit[i - 1] === 0 && unit[i - 2] === 0)),
  );
}

class BitReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isPastEnd(): boolean {
    return this.#at > this.#bytes.length * 8;
  }

  /** Reads bits as an unsigned number. Past the end it reads zeros. */
  bits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++, this.#at++) {
      const byte = this.#bytes[this.#at >> 3] ?? 0;
      value = value * 2 + ((byte >> (7 - (this.#at & 7))) & 1);
    }
    return value;
  }

  /** Reads an unsigned Exp-Golomb number, ue(v). */
  golomb(): number {
    let zeros = 0;
    while (zeros < 32 && this.bits(1) === 0) zeros += 1;
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** Reads a signed Exp-Golomb number, se(v). */
  signedGolomb(): number {
    const value = this.golomb();
    return value % 2 === 1 ? (value + 1) / 2 : -value / 2;
  }
}
