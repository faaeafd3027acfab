/** How long a producer waits between two rounds of PutRecords calls, ms. What becomes ready meanwhile shares the calls. */
export interface CallGaps {
  readonly quietMs: number;
  /** While more than `BUSY_UNITS_PER_SECOND` units come. */
  readonly busyMs: number;
}

/** How often lanes are looked at while anything waits. A record may leave that much later than its policy says. */
export const TICK_MS = 20;

/** A media record has waited 190 ms for company when it leaves, so a longer gap would only add latency. */
export const MEDIA_GAPS: CallGaps = { quietMs: TICK_MS, busyMs: TICK_MS };
/** A call costs as much CPU as dozens of lines: 20 calls a second instead of 50 save the task of many transcripts a third. */
export const LINE_GAPS: CallGaps = { quietMs: TICK_MS, busyMs: 50 };

/**
 * From this rate on, a line finds at least five others within `TICK_MS`, so that a longer gap saves calls. 300
 * sessions that each say something every two seconds stay below it.
 */
const BUSY_UNITS_PER_SECOND = 250;
const WINDOW_MS = 500;

/** The gap that has to lie between two rounds of calls. @param isFlushing somebody waits for what is held */
export function callGapMs(
  unitsPerSecond: number,
  isFlushing: boolean,
  { quietMs, busyMs }: CallGaps,
): number {
  return unitsPerSecond > BUSY_UNITS_PER_SECOND && !isFlushing ? busyMs : quietMs;
}

/**
 * Decides when the next calls may leave. A unit that comes after a gap without calls leaves at once, so one that is
 * alone never waits. Pure: time comes in.
 */
export class CallPace {
  readonly #gaps: CallGaps;
  #calledAtMs = Number.NEGATIVE_INFINITY;
  #windowStartMs = Number.NEGATIVE_INFINITY;
  #units = 0;
  #unitsPerSecond = 0;

  constructor(gaps: CallGaps) {
    this.#gaps = gaps;
  }

  /** A unit has come. */
  arrived(nowMs: number): void {
    this.#roll(nowMs);
    this.#units += 1;
  }

  /** Calls have left. */
  called(nowMs: number): void {
    this.#calledAtMs = nowMs;
  }

  /** How long the next calls have to wait, ms; 0 or less = not at all. */
  waitMs(nowMs: number, isFlushing: boolean): number {
    this.#roll(nowMs);
    return this.#calledAtMs + this.#gapMs(isFlushing) - nowMs;
  }

  /** May a tick make calls? Where the gap is no longer than a tick it may, even soon after other calls: linger is over then. */
  mayCall(nowMs: number, isFlushing: boolean): boolean {
    return this.waitMs(nowMs, isFlushing) <= 0 || this.#gapMs(isFlushing) <= TICK_MS;
  }

  #gapMs(isFlushing: boolean): number {
    return callGapMs(this.#unitsPerSecond, isFlushing, this.#gaps);
  }

  /** The rate is that of the last whole window, and 0 after one in which nothing asked. */
  #roll(nowMs: number): void {
    const elapsedMs = nowMs - this.#windowStartMs;
    if (elapsedMs < WINDOW_MS) return;
    this.#unitsPerSecond = elapsedMs < 2 * WINDOW_MS ? (1_000 * this.#units) / elapsedMs : 0;
    this.#units = 0;
    this.#windowStartMs = nowMs;
  }
}
