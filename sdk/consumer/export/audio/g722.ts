/**
 * G.722 at 64 kbit/s: two ADPCM bands, joined by a quadrature mirror filter. Block names, tables and arithmetic
 * are those of the recommendation.
 *
 * @see ITU-T G.722 (09/2012), section 6 and annex tables
 */
const QM6 = [
  -136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232,
  -9360, -8576, -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400,
  -2032, -1688, -1360, -1040, -728, 24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232,
  9360, 8576, 7856, 7192, 6576, 6000, 5456, 4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688,
  1360, 1040, 728, 432, 136, -432, -136,
];
const QM4 = [
  0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200,
  0,
];
const QM2 = [-7408, -1616, 7408, 1616];
const RL42 = [0, 7, 6, 5, 4, 3, 2, 1, 7, 6, 5, 4, 3, 2, 1, 0];
const RH2 = [2, 1, 2, 1];
const WL = [-60, -30, 58, 172, 334, 538, 1198, 3042];
const WH = [0, -214, 798];
const ILB = [
  2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
  2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];
const QMF = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];

const at = (table: ArrayLike<number>, index: number) => table[index] as number;
const clamp = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);
const saturate = (value: number) => clamp(value, -32768, 32767);
const isSameSign = (a: number, b: number) => a >> 15 === b >> 15;

/** The adaptive predictor and quantizer scale of one band. */
class Band {
  /** Predicted signal. */
  s = 0;
  /** Quantizer step. */
  det: number;
  readonly #maxNb: number;
  readonly #shift: number;
  #nb = 0;
  #sz = 0;
  readonly #a = [0, 0, 0];
  readonly #b = [0, 0, 0, 0, 0, 0, 0];
  readonly #d = [0, 0, 0, 0, 0, 0, 0];
  readonly #p = [0, 0, 0];
  readonly #r = [0, 0, 0];

  constructor(det: number, maxNb: number, shift: number) {
    this.det = det;
    this.#maxNb = maxNb;
    this.#shift = shift;
  }

  /** Blocks 3L and 3H: LOGSC and SCALE. */
  rescale(weight: number): void {
    this.#nb = clamp(((this.#nb * 127) >> 7) + weight, 0, this.#maxNb);
    const mantissa = at(ILB, (this.#nb >> 6) & 31);
    const shift = this.#shift - (this.#nb >> 11);
    this.det = (shift < 0 ? mantissa << -shift : mantissa >> shift) << 2;
  }

  /** Blocks 4L and 4H. @param difference the quantized difference signal */
  predict(difference: number): void {
    const [a, b, d, p, r] = [this.#a, this.#b, this.#d, this.#p, this.#r];
    d[0] = difference;
    r[0] = saturate(this.s + difference);
    p[0] = saturate(this.#sz + difference);
    const [a1, a2] = this.#poles(at(p, 0), at(p, 1), at(p, 2));
    this.#updateZeros(difference);
    for (let i = 6; i > 0; i--) d[i] = at(d, i - 1);
    for (let i = 2; i > 0; i--) {
      r[i] = at(r, i - 1);
      p[i] = at(p, i - 1);
    }
    a[1] = a1;
    a[2] = a2;
    const sp1 = (a1 * saturate(at(r, 1) * 2)) >> 15;
    const sp2 = (a2 * saturate(at(r, 2) * 2)) >> 15;
    let sz = 0;
    for (let i = 6; i > 0; i--) sz += (at(b, i) * saturate(at(d, i) * 2)) >> 15;
    this.#sz = saturate(sz);
    this.s = saturate(saturate(sp1 + sp2) + this.#sz);
  }

  /** UPPOL2 and UPPOL1. */
  #poles(p0: number, p1: number, p2: number): readonly [number, number] {
    const a1 = at(this.#a, 1);
    const scaled = saturate(a1 * 4);
    const wd2 = isSameSign(p0, p1) ? Math.min(-scaled, 32767) : scaled;
    const wd3 = (isSameSign(p0, p2) ? 128 : -128) + (wd2 >> 7) + ((at(this.#a, 2) * 32512) >> 15);
    const nextA2 = clamp(wd3, -12288, 12288);
    const wd1 = saturate((isSameSign(p0, p1) ? 192 : -192) + ((a1 * 32640) >> 15));
    const bound = saturate(15360 - nextA2);
    return [clamp(wd1, -bound, bound), nextA2];
  }

  /** UPZERO. */
  #updateZeros(difference: number): void {
    const step = difference === 0 ? 0 : 128;
    for (let i = 1; i <= 6; i++) {
      const signed = isSameSign(at(this.#d, i), difference) ? step : -step;
      this.#b[i] = saturate(signed + ((at(this.#b, i) * 32640) >> 15));
    }
  }
}

/** Decodes one speaker's G.722; keeps the state from frame to frame. */
export class G722Decoder {
  readonly #low = new Band(32, 18432, 8);
  readonly #high = new Band(8, 22528, 10);
  readonly #x = new Int32Array(24);

  /** @returns 16-bit little-endian samples at 16 kHz, two for each byte */
  decode(payload: Uint8Array): Buffer {
    const out = Buffer.allocUnsafe(payload.length * 4);
    for (const [i, code] of payload.entries()) {
      const low = this.#decodeLow(code & 0x3f);
      const high = this.#decodeHigh(code >> 6);
      this.#join(low, high, out, i * 4);
    }
    return out;
  }

  #decodeLow(code: number): number {
    const band = this.#low;
    const sample = clamp(band.s + ((band.det * at(QM6, code)) >> 15), -16384, 16383);
    const difference = (band.det * at(QM4, code >> 2)) >> 15;
    band.rescale(at(WL, at(RL42, code >> 2)));
    band.predict(difference);
    return sample;
  }

  #decodeHigh(code: number): number {
    const band = this.#high;
    const difference = (band.det * at(QM2, code)) >> 15;
    const sample = clamp(difference + band.s, -16384, 16383);
    band.rescale(at(WH, at(RH2, code)));
    band.predict(difference);
    return sample;
  }

  /** The receive QMF: two band samples make two samples of the whole. */
  #join(low: number, high: number, out: Buffer, offset: number): void {
    const x = this.#x;
    x.copyWithin(0, 2);
    x[22] = low + high;
    x[23] = low - high;
    let even = 0;
    let odd = 0;
    for (let i = 0; i < 12; i++) {
      even += at(x, 2 * i + 1) * at(QMF, 11 - i);
      odd += at(x, 2 * i) * at(QMF, i);
    }
    out.writeInt16LE(saturate(even >> 11), offset);
    out.writeInt16LE(saturate(odd >> 11), offset + 2);
  }
}
