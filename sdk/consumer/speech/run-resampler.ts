import { commonDivisor, Resampler } from '../export/audio/resample.ts';

/** Weights are the same for all speakers of a rate. */
const RESAMPLERS = new Map<string, Resampler>();

/**
 * Resamples one unbroken run of sound that comes in pieces, as if it came at once: output sample n stands at the time of
 * input sample n * from / to, without delay. Before and behind the run there is silence.
 */
export class RunResampler {
  readonly #from: number;
  readonly #to: number;
  readonly #resampler: Resampler | undefined;
  /** What is not converted yet, with the margin before it. */
  #held: Float32Array;
  #taken = 0;
  #given = 0;

  constructor(fromHz: number, toHz: number) {
    const divisor = commonDivisor(fromHz, toHz);
    this.#from = fromHz / divisor;
    this.#to = toHz / divisor;
    this.#resampler = fromHz === toHz ? undefined : resamplerOf(fromHz, toHz);
    this.#held = new Float32Array(this.#resampler?.margin ?? 0);
  }

  /** @returns what can be converted before the next piece is known */
  push(piece: Float32Array): Int16Array {
    this.#taken += piece.length;
    if (this.#resampler === undefined) {
      this.#given += piece.length;
      return toInt16(piece);
    }
    const held = new Float32Array(this.#held.length + piece.length);
    held.set(this.#held);
    held.set(piece, this.#held.length);
    this.#held = held;
    return this.#convert(this.#resampler);
  }

  /** Ends the run. @returns what was held back */
  flush(): Int16Array {
    const resampler = this.#resampler;
    if (resampler === undefined) return new Int16Array(0);
    const left = Math.ceil((this.#taken * this.#to) / this.#from) - this.#given;
    const held = new Float32Array(this.#held.length + resampler.margin + this.#from);
    held.set(this.#held);
    this.#held = held;
    return this.#convert(resampler).subarray(0, Math.max(left, 0));
  }

  #convert(resampler: Resampler): Int16Array {
    const { margin } = resampler;
    const steps = Math.max(Math.floor((this.#held.length - 2 * margin) / this.#from), 0);
    const out = new Float32Array(steps * this.#to);
    resampler.addTo(out, this.#held);
    this.#held = this.#held.slice(steps * this.#from);
    this.#given += out.length;
    return toInt16(out);
  }
}

function resamplerOf(fromHz: number, toHz: number): Resampler {
  const key = `${fromHz} ${toHz}`;
  const known = RESAMPLERS.get(key);
  if (known) return known;
  const made = new Resampler(fromHz, toHz);
  RESAMPLERS.set(key, made);
  return made;
}

function toInt16(samples: Float32Array): Int16Array {
  const out = new Int16Array(samples.length);
  for (let i = 0; i < samples.length; i++)
    out[i] = Math.min(Math.max(Math.round((samples[i] as number) * 32_768), -32_768), 32_767);
  return out;
}
