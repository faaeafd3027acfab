import { crc32 } from 'node:zlib';
import type { Adjusted } from '../exporter.ts';

/** Capture times jitter. A frame that is off by less stands where the samples before it end. */
const TOLERANCE_MS = 30;

/** Zoom's longest meeting. A time further off from meeting zero is no time of this meeting. */
const MAX_MEETING_MS = 30 * 3_600_000;

/** Frames remembered to recognise repeats: Zoom sends up to 60 s of audio again after a change of owner. */
const REMEMBERED_FRAMES = 4_000;

/** From capture to receipt a frame takes 60 s at most, the time for which Zoom keeps audio. The rest is for jitter. */
const MAX_LAG_MS = 65_000;

/**
 * How far the first frame's capture may lie from its receipt. Clocks of Zoom and of the runner differ by less, because a
 * webhook whose time is off by more than 5 min is refused.
 */
const MAX_FIRST_LAG_MS = 600_000;

/** What a clock reads of a frame. */
export interface Captured {
  readonly capturedAt: Date;
  readonly receivedAt: Date;
  readonly epoch: number;
  /** Rises with every frame of an epoch. Audio that Zoom sends again has a number of its own too. */
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** Where a frame goes, counted in samples. All channels of one instant count as one sample. */
export interface Placed<Item> {
  readonly item: Item;
  /** Position of the first sample that is kept. */
  readonly at: number;
  /** How many samples to leave out at the front: they are written already, or lie before meeting zero. */
  readonly skip: number;
}

interface Waiting<Item> {
  readonly item: Item;
  readonly due: number;
  readonly samples: number;
  /** Whether its capture time was corrected. */
  readonly isCorrected: boolean;
}

export interface SampleClockOptions {
  readonly rateHz: number;
  /** Meeting zero, Unix ms. */
  readonly startMs: number;
  /** @default 30 */
  readonly toleranceMs?: number;
  /** Cut what overlaps after a change of owner: true for audio, as Zoom sends audio again and nothing else. @default true */
  readonly cutsReplays?: boolean;
}

/**
 * Puts the frames of one source on the meeting's time base, by capture time and by order:
 *
 * - A time ahead of the frames before is a pause when the next frame is there too, and an outlier when it is not. Such a
 *   frame therefore waits for the next one. An outlier moves nothing.
 * - A time that is off from the runner's clock by more than Zoom can hold a frame back is not believed, however many
 *   frames in a row have such times. Those frames stand where their receipt says, and keep the distances between them.
 *   So no odd times write silence of more than 65 s.
 * - A time behind is audio that Zoom sends again after a change of owner, and is cut. When sequence numbers went on
 *   rising in one epoch, a clock was set back instead, and nothing is cut: the frames go on where they are, until their
 *   times fit again.
 */
export class SampleClock<Item extends Captured> {
  /** Samples that were left out because they are written already, or lie before meeting zero. */
  cutSamples = 0;
  /** Frames that are not where their capture time says. */
  moved = 0;
  readonly #options: Required<SampleClockOptions>;
  readonly #tolerance: number;
  readonly #seen = new Map<number, number>();
  #next = 0;
  /** How far the clock of these frames was set back, in samples. */
  #shift = 0;
  /** What was added to the last capture time that was not believed, ms. */
  #correctionMs = 0;
  #epoch = 0;
  #sequence = 0;
  /** After a change of owner, and until frames are ahead of what is written: Zoom may send audio again. */
  #isReplay = false;
  #waiting: Waiting<Item> | undefined;
  /** From capture to receipt of the last frame whose time was believed, ms. */
  #lagMs: number | undefined;

  constructor(options: SampleClockOptions) {
    this.#options = { toleranceMs: TOLERANCE_MS, cutsReplays: true, ...options };
    this.#tolerance = (this.#options.toleranceMs * options.rateHz) / 1000;
  }

  get adjusted(): Adjusted {
    const { moved, cutSamples } = this;
    return { moved, cutMs: Math.round((cutSamples * 1000) / this.#options.rateHz) };
  }

  /** @returns the frames whose place is known now, in order: none, this one, or the one before and this one */
  place(item: Item, samples: number): Placed<Item>[] {
    if (this.#isRepeat(item.capturedAt.getTime(), item.payload)) {
      this.cutSamples += samples;
      return [];
    }
    const correctionMs = this.#correctionOf(item);
    const capturedAtMs = item.capturedAt.getTime() + correctionMs;
    const { startMs, rateHz, cutsReplays } = this.#options;
    const exact = Math.round(((capturedAtMs - startMs) * rateHz) / 1000);
    // A picture cannot be cut, so one from before meeting zero stands at zero.
    const due = cutsReplays ? exact : Math.max(exact, 0);
    const isCorrected = correctionMs !== 0;
    const placed = this.#placeWaiting(due, isCorrected);
    if (this.#epoch !== 0 && item.epoch !== this.#epoch) this.#isReplay = cutsReplays;
    const isNew = item.epoch !== this.#epoch || item.sequence > this.#sequence;
    this.#epoch = item.epoch;
    this.#sequence = item.sequence;
    const isTime = Math.abs(capturedAtMs - startMs) <= MAX_MEETING_MS;
    if (!isTime) placed.push(this.#keep(item, this.#next, samples, true));
    else if (due > this.#next + this.#tolerance)
      this.#waiting = { item, due, samples, isCorrected };
    else placed.push(...this.#placeNow(item, due, samples, isNew, isCorrected));
    return placed;
  }

  /** To be called when no frame follows. @returns the frame that still waited for its place */
  finish(): Placed<Item>[] {
    const { item, due, samples } = this.#waiting ?? {};
    this.#waiting = undefined;
    if (item === undefined || due === undefined || samples === undefined) return [];
    // No next frame confirms this time, so the runner's clock has to, also for a first frame.
    const isOutlier = Math.abs(lagMs(item) - (this.#lagMs ?? 0)) > MAX_LAG_MS;
    return [this.#keep(item, isOutlier ? this.#next : due, samples, isOutlier)];
  }

  /** What is to be added to a capture time, ms: 0 for a time that the runner's clock can confirm. */
  #correctionOf(item: Item): number {
    const lag = lagMs(item);
    const usualMs = this.#lagMs ?? 0;
    const maxMs = this.#lagMs === undefined ? MAX_FIRST_LAG_MS : MAX_LAG_MS;
    if (Math.abs(lag - usualMs) <= maxMs) return 0;
    // One correction for a row of frames: receipts jitter, and their distances must stay those of capture.
    const isKnown = Math.abs(lag - this.#correctionMs - usualMs) <= MAX_LAG_MS;
    if (!isKnown) this.#correctionMs = lag - usualMs;
    return this.#correctionMs;
  }

  /** Places the frame that waited: behind a pause if the next one is due behind it. */
  #placeWaiting(nextDue: number, isNextCorrected: boolean): Placed<Item>[] {
    const waiting = this.#waiting;
    if (waiting === undefined) return [];
    this.#waiting = undefined;
    const { item, due, samples, isCorrected } = waiting;
    // A corrected time is as exact as receipts are, which is too little to contradict a time that is believed.
    const isConfirmed = isNextCorrected && !isCorrected;
    const isPause = isConfirmed || nextDue >= due + samples - Math.max(this.#tolerance, 1);
    if (isPause) this.#shift = 0;
    return [this.#keep(item, isPause ? due : this.#next, samples, isCorrected || !isPause)];
  }

  #placeNow(
    item: Item,
    due: number,
    samples: number,
    isNew: boolean,
    isCorrected: boolean,
  ): Placed<Item>[] {
    if (due >= this.#next - this.#tolerance) {
      this.#shift = 0;
      this.#isReplay = false;
      return [this.#keep(item, this.#next, samples, isCorrected)];
    }
    // With nothing written yet, the frame lies before meeting zero.
    const isOld = this.#next === 0 || this.#isReplay || !isNew;
    if (this.#options.cutsReplays && isOld) {
      const skip = Math.min(samples, this.#next - due);
      this.cutSamples += skip;
      return skip === samples
        ? []
        : [this.#keep(item, this.#next, samples - skip, isCorrected, skip)];
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

  /** Whether the frame came before: the same bytes with the same capture time. After a clock was set back the bytes differ. */
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
