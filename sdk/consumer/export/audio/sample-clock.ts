import { crc32 } from 'node:zlib';
import type { Adjusted } from '../exporter.ts';

/** Capture times jitter; what is off by less stays where the samples before it end. */
const TOLERANCE_MS = 30;

/** Zoom's longest meeting. A time further off is no time of this meeting. */
const MAX_MEETING_MS = 30 * 3_600_000;

/** Zoom gives back up to 60 s of audio after a change of owner: frames remembered, to know them again. */
const REMEMBERED_FRAMES = 4_000;

/** Capture and receipt drift apart by no more than what Zoom keeps. */
const MAX_LAG_MS = 65_000;

/** What a clock looks at. */
export interface Captured {
  readonly capturedAt: Date;
  readonly receivedAt: Date;
  readonly epoch: number;
  /** Rises with every frame of an epoch: audio that Zoom sends again has a number of its own too. */
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** In samples, all channels of one instant counting as one. */
export interface Placed<Item> {
  readonly item: Item;
  /** Where the first sample that is kept goes. */
  readonly at: number;
  /** How many samples at the front lie before what is written already, or before the start. */
  readonly skip: number;
}

interface Waiting<Item> {
  readonly item: Item;
  readonly due: number;
  readonly samples: number;
}

export interface SampleClockOptions {
  readonly rateHz: number;
  /** Meeting zero, Unix ms. */
  readonly startMs: number;
  /** @default 30 */
  readonly toleranceMs?: number;
  /** Cut what overlaps after a change of owner? Zoom gives audio back, and nothing else. @default true */
  readonly cutsReplays?: boolean;
}

/**
 * Puts the frames of one source on the meeting's time base, by capture time and by order:
 *
 * - a time ahead of the frames before is a pause when the next frame is there too, and an outlier when it is not:
 *   so such a frame waits for the next one. An outlier moves nothing.
 * - a time behind is what Zoom gives back after a change of owner, and cut; or, when sequence numbers went on rising in
 *   one epoch, the clock was set back, and then nothing is lost: the frames go on where they are, until their times
 *   fit again.
 */
export class SampleClock<Item extends Captured> {
  /** Samples that were left out because they are there already, or lie before meeting zero. */
  cutSamples = 0;
  /** Frames that are not where their capture time says. */
  moved = 0;
  readonly #options: Required<SampleClockOptions>;
  readonly #tolerance: number;
  readonly #seen = new Map<number, number>();
  #next = 0;
  /** How far the clock of these frames was set back. */
  #shift = 0;
  #epoch = 0;
  #sequence = 0;
  /** What follows a change of owner may be given back by Zoom, until it is ahead of what is written. */
  #isReplay = false;
  #waiting: Waiting<Item> | undefined;
  /** From capture to receipt, of the last frame whose time was believed. */
  #lagMs: number | undefined;

  constructor(options: SampleClockOptions) {
    this.#options = { toleranceMs: TOLERANCE_MS, cutsReplays: true, ...options };
    this.#tolerance = (this.#options.toleranceMs * options.rateHz) / 1000;
  }

  get adjusted(): Adjusted {
    const { moved, cutSamples } = this;
    return { moved, cutMs: Math.round((cutSamples * 1000) / this.#options.rateHz) };
  }

  /** @returns what has its place now, in order: none, this item, or the one before and this one */
  place(item: Item, samples: number): Placed<Item>[] {
    const capturedAtMs = item.capturedAt.getTime();
    if (this.#isRepeat(capturedAtMs, item.payload)) {
      this.cutSamples += samples;
      return [];
    }
    const { startMs, rateHz, cutsReplays } = this.#options;
    const exact = Math.round(((capturedAtMs - startMs) * rateHz) / 1000);
    // A picture cannot be cut: one from before meeting zero stands there.
    const due = cutsReplays ? exact : Math.max(exact, 0);
    const placed = this.#settle(due);
    if (this.#epoch !== 0 && item.epoch !== this.#epoch) this.#isReplay = cutsReplays;
    const isNew = item.epoch !== this.#epoch || item.sequence > this.#sequence;
    this.#epoch = item.epoch;
    this.#sequence = item.sequence;
    const isTime = Math.abs(capturedAtMs - startMs) <= MAX_MEETING_MS;
    if (!isTime) placed.push(this.#keep(item, this.#next, samples, true));
    else if (due > this.#next + this.#tolerance) this.#waiting = { item, due, samples };
    else placed.push(...this.#now(item, due, samples, isNew));
    return placed;
  }

  /** Nothing follows. @returns what still waited for its place */
  finish(): Placed<Item>[] {
    const { item, due, samples } = this.#waiting ?? {};
    this.#waiting = undefined;
    if (item === undefined || due === undefined || samples === undefined) return [];
    // Nothing is received long before it was captured, so a first frame is judged too.
    const isOutlier = Math.abs(lagMs(item) - (this.#lagMs ?? 0)) > MAX_LAG_MS;
    return [this.#keep(item, isOutlier ? this.#next : due, samples, isOutlier)];
  }

  /** The frame that waited: behind a pause if the next one is due behind it. */
  #settle(nextDue: number): Placed<Item>[] {
    const waiting = this.#waiting;
    if (waiting === undefined) return [];
    this.#waiting = undefined;
    const { item, due, samples } = waiting;
    const isPause = nextDue >= due + samples - Math.max(this.#tolerance, 1);
    if (isPause) this.#shift = 0;
    return [this.#keep(item, isPause ? due : this.#next, samples, !isPause)];
  }

  #now(item: Item, due: number, samples: number, isNew: boolean): Placed<Item>[] {
    if (due >= this.#next - this.#tolerance) {
      this.#shift = 0;
      this.#isReplay = false;
      return [this.#keep(item, this.#next, samples, false)];
    }
    // From before meeting zero, and nothing is written yet.
    const isOld = this.#next === 0 || this.#isReplay || !isNew;
    if (this.#options.cutsReplays && isOld) {
      const skip = Math.min(samples, this.#next - due);
      this.cutSamples += skip;
      return skip === samples ? [] : [this.#keep(item, this.#next, samples - skip, false, skip)];
    }
    const shifted = due + this.#shift;
    if (shifted > this.#next + this.#tolerance) return [this.#keep(item, shifted, samples, true)];
    if (Math.abs(shifted - this.#next) > this.#tolerance) this.#shift = this.#next - due;
    return [this.#keep(item, this.#next, samples, true)];
  }

  #keep(item: Item, at: number, samples: number, isMoved: boolean, skip = 0): Placed<Item> {
    if (isMoved) this.moved += 1;
    this.#next = at + samples;
    if (!isMoved) this.#lagMs = lagMs(item);
    return { item, at, skip };
  }

  /** The same bytes with the same capture time: a clock that was set back brings other ones. */
  #isRepeat(capturedAtMs: number, payload: Uint8Array): boolean {
    const checksum = crc32(payload);
    if (this.#seen.get(capturedAtMs) === checksum) return true;
    this.#seen.set(capturedAtMs, checksum);
    if (this.#seen.size > REMEMBERED_FRAMES) {
      this.#seen.delete(this.#seen.keys().next().value as number);
    }
    return false;
  }
}

function lagMs({ capturedAt, receivedAt }: Captured): number {
  return receivedAt.getTime() - capturedAt.getTime();
}
