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
  /** Of the speaker; absent where everybody is in it. */
  readonly name?: string;
}

/** One second of the meeting's sound. */
export interface MixBlock {
  /** Since meeting zero. */
  readonly atMs: number;
  /** One channel, from -1 to 1. */
  readonly samples: Float32Array;
  /** Mean power (0 to 1) of each speaker in each tenth of the second. */
  readonly levels: ReadonlyMap<string, readonly number[]>;
  /** The sound of each speaker alone, as `samples`; empty where nobody asked for it. */
  readonly voices: ReadonlyMap<string, Float32Array>;
}

/** A second of one file. */
interface OwnSound {
  readonly rateHz: number;
  readonly second: Float32Array;
  /** The same with what stands before and behind it, as far as a conversion to the rate of the mix needs it. */
  readonly around: Float32Array;
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
  /** Files that are not in the mix, or not to their end, and files of which single packets could not be decoded. */
  readonly unread: { readonly path: string; readonly packets?: number }[] = [];
  readonly seconds: number;
  readonly #isSplit: boolean;
  /** Those that can be read. */
  readonly #voices: Map<Voice, string>;
  readonly #resamplers = new Map<number, Resampler>();
  #second = 0;

  private constructor(voices: Map<Voice, string>, unread: readonly string[], isSplit: boolean) {
    this.#voices = voices;
    this.#isSplit = isSplit;
    this.unread.push(...unread.map((path) => ({ path })));
    const ends = [...voices.keys()].map(({ reader }) =>
      reader instanceof WavReader ? reader.samples / reader.rateHz : reader.seconds,
    );
    this.seconds = Math.max(0, ...ends);
  }

  /** @param isSplit whether each block has the sound of each speaker too */
  static async open(files: readonly SoundFile[], isSplit = false): Promise<MixReader> {
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
    return new MixReader(voices, unread, isSplit);
  }

  get isEmpty(): boolean {
    return this.seconds === 0;
  }

  /** @returns the next second */
  async next(): Promise<MixBlock> {
    const samples = new Float32Array(MIX_RATE_HZ);
    const levels = new Map<string, number[]>();
    const voices = new Map<string, Float32Array>();
    const sums = new Map<number, Float32Array>();
    for (const [voice, path] of this.#voices) {
      const { speaker, reader } = voice;
      const own = await this.#read(reader).catch(() => undefined);
      if (own === undefined) {
        await this.#leaveOut(voice, path);
        continue;
      }
      raise(levels, speaker, levelsOf(own.second));
      if (this.#isSplit) this.#split(voices, speaker, own);
      const { rateHz, around } = own;
      const sum = rateHz === MIX_RATE_HZ ? samples : sums.get(rateHz);
      if (sum) add(sum, rateHz === MIX_RATE_HZ ? own.second : around);
      else sums.set(rateHz, around.slice());
    }
    for (const [rateHz, sum] of sums) this.#resampler(rateHz).addTo(samples, sum);
    for (const each of [samples, ...voices.values()]) clip(each);
    const atMs = this.#second * 1000;
    this.#second += 1;
    return { atMs, samples, levels, voices };
  }

  async #read(reader: Voice['reader']): Promise<OwnSound> {
    if (reader instanceof OpusReader) {
      const second = new Float32Array(MIX_RATE_HZ);
      await reader.addTo(second);
      return { rateHz: MIX_RATE_HZ, second, around: second };
    }
    const { rateHz } = reader;
    const margin = rateHz === MIX_RATE_HZ ? 0 : this.#resampler(rateHz).margin;
    const around = new Float32Array(rateHz + 2 * margin);
    await reader.addTo(around, this.#second * rateHz - margin);
    return { rateHz, second: around.subarray(margin, margin + rateHz), around };
  }

  /** One file must not cost the sound of everybody else. */
  async #leaveOut(voice: Voice, path: string): Promise<void> {
    this.#voices.delete(voice);
    this.unread.push({ path });
    await voice.reader.close().catch(() => undefined);
  }

  #split(voices: Map<string, Float32Array>, speaker: string, { rateHz, second, around }: OwnSound) {
    const whole = voices.get(speaker) ?? new Float32Array(MIX_RATE_HZ);
    voices.set(speaker, whole);
    if (rateHz === MIX_RATE_HZ) add(whole, second);
    else this.#resampler(rateHz).addTo(whole, around);
  }

  async close(): Promise<void> {
    for (const [{ reader }, path] of this.#voices) {
      if (reader instanceof OpusReader && reader.broken > 0)
        this.unread.push({ path, packets: reader.broken });
    }
    // One that cannot be closed must not keep the others open.
    await Promise.allSettled([...this.#voices.keys()].map(({ reader }) => reader.close()));
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

/** Sums that are too loud are clipped, as in `meeting.wav`. */
function clip(samples: Float32Array): void {
  for (const [i, value] of samples.entries()) samples[i] = Math.min(Math.max(value, -1), 1);
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
