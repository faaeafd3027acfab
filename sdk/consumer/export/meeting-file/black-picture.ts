import { avcConfig, u32, type VideoSize } from './mp4-boxes.ts';

/** A black picture that stands where no camera has one. */
interface BlackPicture {
  /**
   * Parameter sets and one key frame, each behind its length. Twice, with different numbers: two key frames in a row must
   * not have the same number.
   */
  readonly variants: readonly [Buffer, Buffer];
  /** Decoder configuration record. */
  readonly config: Buffer;
}

/** Sides in macroblocks, which have 16 pixels. */
const inBlocks = (pixels: number) => Math.ceil(pixels / 16);

/** Numbers of bits: H.264 writes most of its syntax in Exp-Golomb codes. */
class Bits {
  #bytes: number[] = [];
  #open = 0;
  #count = 0;

  put(value: number, bits: number): this {
    for (let i = bits - 1; i >= 0; i--) {
      this.#open = this.#open * 2 + (Math.floor(value / 2 ** i) % 2);
      this.#count += 1;
      if (this.#count === 8) {
        this.#bytes.push(this.#open);
        this.#open = 0;
        this.#count = 0;
      }
    }
    return this;
  }

  /** Writes unsigned numbers, ue(v). */
  golomb(...values: number[]): this {
    for (const value of values) {
      const length = Math.floor(Math.log2(value + 1));
      this.put(0, length).put(value + 1, length + 1);
    }
    return this;
  }

  align(): this {
    while (this.#count !== 0) this.put(0, 1);
    return this;
  }

  bytes(values: Uint8Array): this {
    for (const value of values) this.put(value, 8);
    return this;
  }

  /** Ends a NAL unit, and keeps start codes from appearing inside of it. */
  toUnit(header: number): Buffer {
    this.put(1, 1).align();
    const out = [header];
    let zeros = 0;
    for (const byte of this.#bytes) {
      if (zeros >= 2 && byte <= 3) {
        out.push(3);
        zeros = 0;
      }
      out.push(byte);
      zeros = byte === 0 ? zeros + 1 : 0;
    }
    return Buffer.from(out);
  }
}

/**
 * Makes a key frame that is black all over, a byte a macroblock: the first macroblock has its samples (I_PCM), and each
 * other one is predicted from its neighbours and differs from them in nothing.
 *
 * @see ITU-T H.264, 7.3.2.1 (SPS), 7.3.2.2 (PPS), 7.3.3 (slice header), 7.3.5 (macroblock), table 9-5 (coeff_token)
 */
export function blackPicture(size: VideoSize): BlackPicture {
  const [across, down] = [inBlocks(size.width), inBlocks(size.height)];
  const sps = new Bits().put(66, 8).put(0xc0, 8).put(51, 8);
  // Identifier, frame numbers of 4 bits, pictures in the order of decoding, no reference, no gaps.
  sps.golomb(0, 0, 2, 1).put(0, 1);
  sps.golomb(across - 1, down - 1).put(0b11, 2);
  const [right, bottom] = [across * 16 - size.width, down * 16 - size.height];
  if (right + bottom === 0) sps.put(0, 1);
  else sps.put(1, 1).golomb(0, right >> 1, 0, bottom >> 1);
  sps.put(0, 1);
  const pps = new Bits().golomb(0, 0).put(0, 2).golomb(0, 0, 0).put(0, 3);
  pps.golomb(0, 0, 0).put(0b100, 3);
  const sets = [sps.toUnit(0x67), pps.toUnit(0x68)] as const;
  const variant = (id: number) =>
    Buffer.concat(
      [...sets, slice(across, down, id).toUnit(0x65)].flatMap((unit) => [u32(unit.length), unit]),
    );
  return { variants: [variant(0), variant(1)], config: avcConfig(...sets) };
}

function slice(across: number, down: number, idrId: number): Bits {
  // First macroblock, I slice, PPS 0, frame number 0; no long-term reference, quantizer as it is, no deblocking.
  const bits = new Bits().golomb(0, 7, 0).put(0, 4).golomb(idrId).put(0, 2).golomb(0, 1);
  for (let block = 0; block < across * down; block++) {
    if (block === 0) {
      bits.golomb(25).align().bytes(Buffer.alloc(256, 16)).bytes(Buffer.alloc(128, 128));
      continue;
    }
    // I_16x16 predicted by the mean of its neighbours, chroma too, quantizer unchanged.
    bits.golomb(3, 0, 0);
    const isBesidePcm = block === 1 || block === across;
    // No coefficients. The code depends on how many the neighbours have, and I_PCM counts as 16.
    if (isBesidePcm) bits.put(0b000011, 6);
    else bits.put(1, 1);
  }
  return bits;
}
