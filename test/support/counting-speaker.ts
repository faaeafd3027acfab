import type { MediaRecord } from '../../shared/record/media-record.ts';
import { mediaRecord, START_MS } from './test-records.ts';

/**
 * A speaker who counts: each number is a sound of two tones, by which a listener knows it again. The tones lie within what
 * 8,000 samples a second can carry.
 */

const LOW = Array.from({ length: 25 }, (_, index) => 300 + index * 40);
const HIGH = Array.from({ length: 20 }, (_, index) => 1_500 + index * 80);
const FRAME_MS = 20;

export const SAID_MS = 120;

/** How many numbers have a sound of their own: 1 to this. */
export const NUMBERS = LOW.length * HIGH.length;

export interface Said {
  readonly number: number;
  /** Since meeting zero. */
  readonly atMs: number;
}

/** @returns the sample of a number at a moment since it was begun, -1 to 1 */
function tone(number: number, seconds: number): number {
  const low = LOW[(number - 1) % LOW.length] as number;
  const high = HIGH[Math.floor((number - 1) / LOW.length)] as number;
  return 0.35 * (Math.cos(2 * Math.PI * low * seconds) + Math.cos(2 * Math.PI * high * seconds));
}

/** Twenty milliseconds of L16 of who says these numbers, in order of time. Frames of silence have zeros. */
export function saidFrame(
  said: readonly Said[],
  frame: number,
  { rateHz = 16_000, from = 0 }: { readonly rateHz?: number; readonly from?: number } = {},
): { readonly payload: Buffer; readonly from: number } {
  const count = (rateHz * FRAME_MS) / 1000;
  const payload = Buffer.alloc(count * 2);
  const startMs = frame * FRAME_MS;
  let at = from;
  while (at < said.length && (said[at] as Said).atMs + SAID_MS <= startMs) at += 1;
  for (let next = at; next < said.length; next++) {
    const { number, atMs } = said[next] as Said;
    if (atMs >= startMs + FRAME_MS) break;
    for (let i = 0; i < count; i++) {
      const sinceMs = startMs + (i * 1000) / rateHz - atMs;
      if (sinceMs < 0 || sinceMs >= SAID_MS) continue;
      payload.writeInt16LE(Math.round(tone(number, sinceMs / 1000) * 32_767), i * 2);
    }
  }
  return { payload, from: at };
}

/** All frames of who says these numbers, until some time behind the last one. */
export function countingRecords(
  said: readonly Said[],
  untilMs: number,
  changes: Partial<MediaRecord> = {},
): MediaRecord[] {
  const records: MediaRecord[] = [];
  let from = 0;
  for (let frame = 0; frame * FRAME_MS < untilMs; frame++) {
    const made = saidFrame(said, frame, { rateHz: changes.sampleRateHz ?? 16_000, from });
    from = made.from;
    const capturedAtMs = START_MS + frame * FRAME_MS;
    const times = { capturedAtMs, receivedAtMs: capturedAtMs + 40 };
    records.push(mediaRecord({ ...times, ...changes, sequence: frame + 1, payload: made.payload }));
  }
  return records;
}

/** Below this a sample is silence: the tones have 0.7 of full scale. */
const QUIET = 600;
const QUIET_MS = 15;

/** Hears the numbers in samples that come in blocks. */
export class CountingListener {
  readonly heard: Said[] = [];
  readonly #rateHz: number;
  #sound: number[] = [];
  #beganMs = 0;
  #quiet = 0;

  constructor(rateHz = 16_000) {
    this.#rateHz = rateHz;
  }

  /** @param atMs Unix ms of the first sample */
  hear(samples: Int16Array, atMs: number, isSilence = false): void {
    const enough = (QUIET_MS * this.#rateHz) / 1000;
    if (isSilence && samples.length >= enough) {
      this.end();
      return;
    }
    for (const [index, sample] of samples.entries()) {
      const isQuiet = Math.abs(sample) < QUIET;
      if (this.#sound.length === 0) {
        if (isQuiet) continue;
        this.#beganMs = atMs + (index * 1000) / this.#rateHz - START_MS;
      }
      this.#sound.push(sample);
      this.#quiet = isQuiet ? this.#quiet + 1 : 0;
      if (this.#quiet >= enough) this.end();
    }
  }

  end(): void {
    const sound = this.#sound.slice(0, this.#sound.length - this.#quiet);
    this.#sound = [];
    this.#quiet = 0;
    if (sound.length === 0) return;
    const [low, high] = [LOW, HIGH].map((tones) => this.#loudest(sound, tones)) as [number, number];
    this.heard.push({ number: high * LOW.length + low + 1, atMs: this.#beganMs });
  }

  #loudest(sound: readonly number[], tones: readonly number[]): number {
    const powers = tones.map((tone) => this.#power(sound, tone));
    return powers.indexOf(Math.max(...powers));
  }

  /** Goertzel's algorithm: how much of one tone there is. */
  #power(sound: readonly number[], tone: number): number {
    const factor = 2 * Math.cos((2 * Math.PI * tone) / this.#rateHz);
    let [before, last] = [0, 0];
    for (const sample of sound) [before, last] = [last, sample + factor * last - before];
    return before * before + last * last - factor * before * last;
  }
}

/** How long nobody writes when an owner dies, how much of what it had is lost with it, and how far back Zoom's copies go. */
const BLIND_MS = 8_000;
const UNWRITTEN_MS = 500;
const AGAIN_MS = 20_000;

/**
 * The same records as owners write them who die at these moments: the next one gets from Zoom once more what was said
 * before, and writes it in an epoch of its own.
 */
export function* takenOver(
  records: readonly MediaRecord[],
  deathsMs: readonly number[],
): Generator<MediaRecord, void, undefined> {
  const bounds = [Number.NEGATIVE_INFINITY, ...deathsMs, Number.POSITIVE_INFINITY];
  for (let epoch = 1; epoch < bounds.length; epoch++) {
    const [begin, end] = [bounds[epoch - 1] as number, bounds[epoch] as number];
    let sequence = 0;
    for (const record of records) {
      const sinceMs = record.capturedAtMs - START_MS;
      if (sinceMs < begin - AGAIN_MS || sinceMs >= end - UNWRITTEN_MS) continue;
      sequence += 1;
      const receivedAtMs = Math.max(record.receivedAtMs, START_MS + begin + BLIND_MS);
      yield { ...record, epoch, sequence, receivedAtMs };
    }
  }
}
