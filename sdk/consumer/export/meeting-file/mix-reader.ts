import { OpusDecoders } from '../audio/opus-decoders.ts';
import { canResample, Resampler } from '../audio/resample.ts';
import { OpusReader } from './opus-reader.ts';
import { WavReader } from './wav-reader.ts';

/** The rate of the mix: all rates of Zoom but one divide it, and every player takes it. */
export const MIX_RATE_HZ = 48_000;

/** A sound file that begins at meeting zero. */
export interface SoundFile {
  /** Ending in `.wav` or `.ogg`. */
  readonly path: string;
  /** Whose voice it is: the key of the source. */
  readonly speaker: string;
}

/** One second of the meeting's sound. */
export interface MixBlock {
  /** Since meeting zero. */
  readonly atMs: number;
  /** One channel, from -1 to 1. */
  readonly samples: Float32Array;
  /** Mean power (0 to 1) of each speaker in each tenth of the second. */
  readonly levels: ReadonlyMap<string, readonly number[]>;
}

/** Milliseconds of one level. */
export const LEVEL_MS = 100;

interface Voice {
  readonly speaker: string;
  readonly reader: WavReader | OpusReader;
}

/**
 * Mixes sound files that all begin at meeting zero into one channel, a second at a time. A file that cannot be opened is
 * left out and named in `unread`.
 */
export class MixReader {
  /** Files that are not in the mix, and files whose packets could not all be decoded. */
  readonly unread: { readonly path: string; readonly packets?: number }[] = [];
  readonly seconds: number;
  readonly #voices: readonly Voice[];
  readonly #paths: ReadonlyMap<Voice, string>;
  readonly #resamplers = new Map<number, Resampler>();
  #second = 0;

  private constructor(voices: ReadonlyMap<Voice, string>, unread: readonly string[]) {
    this.#voices = [...voices.keys()];
    this.#paths = voices;
    this.unread.push(...unread.map((path) => ({ path })));
    const ends = this.#voices.map(({ reader }) =>
      reader instanceof WavReader ? reader.samples / reader.rateHz : reader.seconds,
    );
    this.seconds = Math.max(0, ...ends);
  }

  static async open(files: readonly SoundFile[]): Promise<MixReader> {
    const voices = new Map<Voice, string>();
    const unread: string[] = [];
    const decoders = new OpusDecoders();
    for (const { path, speaker } of files) {
      const opening = path.endsWith('.wav')
        ? WavReader.open(path)
        : OpusReader.open(path, decoders);
      let reader = await opening.catch(() => undefined);
      if (reader instanceof WavReader && !canResample(reader.rateHz, MIX_RATE_HZ)) {
        await reader.close();
        reader = undefined;
      }
      if (reader) voices.set({ speaker, reader }, path);
      else unread.push(path);
    }
    return new MixReader(voices, unread);
  }

  get isEmpty(): boolean {
    return this.#voices.length === 0;
  }

  /** @returns the next second */
  async next(): Promise<MixBlock> {
    const samples = new Float32Array(MIX_RATE_HZ);
    const levels = new Map<string, number[]>();
    const sums = new Map<number, Float32Array>();
    for (const { speaker, reader } of this.#voices) {
      if (reader instanceof WavReader) {
        const { rateHz } = reader;
        const { margin } = this.#resampler(rateHz);
        const around = new Float32Array(rateHz + 2 * margin);
        await reader.addTo(around, this.#second * rateHz - margin);
        raise(levels, speaker, levelsOf(around.subarray(margin, margin + rateHz)));
        const sum = sums.get(rateHz);
        if (sum) add(sum, around);
        else sums.set(rateHz, around);
      } else {
        const own = new Float32Array(MIX_RATE_HZ);
        await reader.addTo(own);
        raise(levels, speaker, levelsOf(own));
        add(samples, own);
      }
    }
    for (const [rateHz, sum] of sums) this.#resampler(rateHz).addTo(samples, sum);
    // Sums that are too loud are clipped, as in `meeting.wav`.
    for (const [i, value] of samples.entries()) samples[i] = Math.min(Math.max(value, -1), 1);
    const atMs = this.#second * 1000;
    this.#second += 1;
    return { atMs, samples, levels };
  }

  async close(): Promise<void> {
    for (const [{ reader }, path] of this.#paths) {
      if (reader instanceof OpusReader && reader.broken > 0)
        this.unread.push({ path, packets: reader.broken });
    }
    // One that cannot be closed must not keep the others open.
    await Promise.allSettled(this.#voices.map(({ reader }) => reader.close()));
  }

  #resampler(rateHz: number): Resampler {
    const known = this.#resamplers.get(rateHz);
    if (known) return known;
    const resampler = new Resampler(rateHz, MIX_RATE_HZ);
    this.#resamplers.set(rateHz, resampler);
    return resampler;
  }
}

function add(into: Float32Array, values: Float32Array): void {
  for (let i = 0; i < into.length; i++) into[i] = (into[i] as number) + (values[i] as number);
}

/** A speaker with two files in one second is as loud as the louder one. */
function raise(levels: Map<string, number[]>, speaker: string, own: readonly number[]): void {
  const before = levels.get(speaker);
  levels.set(speaker, before ? own.map((level, i) => Math.max(level, before[i] ?? 0)) : [...own]);
}

/** @returns the mean power of each tenth of a second, 0 to 1 */
function levelsOf(second: Float32Array): number[] {
  const count = 1000 / LEVEL_MS;
  return Array.from({ length: count }, (_, index) => {
    const from = Math.floor((index * second.length) / count);
    const to = Math.floor(((index + 1) * second.length) / count);
    let power = 0;
    for (let i = from; i < to; i++) power += (second[i] as number) ** 2;
    return power / Math.max(to - from, 1);
  });
}
