/** Input samples on each side of an output sample that have a part in it. */
const HALF_TAPS = 16;

/** Above this part of the band the filter lets less and less through, so that it can be short. */
const PASS = 0.94;

/** Rates that need more sets of weights are those of damaged frames. 11,025 Hz needs 640. */
const MAX_PHASES = 640;

/** Whether the weights of a conversion stay few. */
export function canResample(fromHz: number, toHz: number): boolean {
  return toHz / commonDivisor(fromHz, toHz) <= MAX_PHASES;
}

/** Converts sound between two rates, with a windowed sinc. It has no memory: the caller hands in what lies around a block. */
export class Resampler {
  /** How many samples around a block the caller has to hand in, on each side. */
  readonly margin: number;
  readonly #step: number;
  readonly #phases: number;
  readonly #kernels: readonly Float32Array[];

  /** @param fromHz,toHz whole numbers; a block must have a whole number of samples in both */
  constructor(fromHz: number, toHz: number) {
    const divisor = commonDivisor(fromHz, toHz);
    this.#step = fromHz / divisor;
    this.#phases = toHz / divisor;
    const cutoff = Math.min(1, toHz / fromHz) * PASS;
    this.margin = Math.ceil(HALF_TAPS / Math.min(1, toHz / fromHz));
    const { margin } = this;
    this.#kernels = Array.from({ length: this.#phases }, (_, phase) =>
      kernel(margin, phase / this.#phases, cutoff),
    );
  }

  /**
   * @param around the block with `margin` samples before and behind it
   * @param into gets the block at the other rate, added to what it holds
   */
  addTo(into: Float32Array, around: Float32Array): void {
    const taps = 2 * this.margin;
    let [base, phase] = [0, 0];
    for (let out = 0; out < into.length; out++) {
      const weights = this.#kernels[phase] as Float32Array;
      let sum = 0;
      for (let tap = 0; tap < taps; tap++)
        sum += (weights[tap] as number) * (around[base + tap + 1] ?? 0);
      into[out] = (into[out] as number) + sum;
      phase += this.#step;
      while (phase >= this.#phases) {
        phase -= this.#phases;
        base += 1;
      }
    }
  }
}

/** Weights of the inputs from `1 - margin` to `margin`, for an output that lies a fraction behind input 0. */
function kernel(margin: number, fraction: number, cutoff: number): Float32Array {
  const weights = Float32Array.from({ length: 2 * margin }, (_, tap) => {
    const distance = tap + 1 - margin - fraction;
    const x = Math.PI * distance * cutoff;
    const sinc = x === 0 ? 1 : Math.sin(x) / x;
    const window = 0.5 + 0.5 * Math.cos((Math.PI * distance) / (margin + 1));
    return sinc * window;
  });
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** The largest number that divides both. */
export function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}
