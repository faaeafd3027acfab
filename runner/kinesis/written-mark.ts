/** How often the mark moves on while Kinesis takes everything. */
export const MARK_INTERVAL_MS = 1_000;

/** Dropped units stand in a `gap` event a second later, which is put then (`runner/session/recording/gap-events.ts`). */
const GAP_PUT_MS = 2_000;

/** A flush and a call take no longer while Kinesis takes everything. */
const UNWRITTEN_MS = 1_000;
/** The last step that was answered is no older than this while Kinesis takes everything: a step and a half, and its answer. */
const RECENT_MS = 2_500;

/** A step that is later than this after the one before tells of a process that stood still. */
const LATE_MS = 2 * MARK_INTERVAL_MS;

export interface WrittenMarkOptions {
  /** Waits until everything that was put before is written or dropped. */
  readonly done: () => Promise<void>;
  /** How many units have been dropped so far. */
  readonly dropped: () => number;
  /** How long the oldest record has waited for Kinesis, ms. */
  readonly oldestAgeMs: () => number;
}

/**
 * Until when everything that a task has received is written, or told as lost. Its heartbeat says so: should it be killed, whoever
 * reads the records knows what it may have taken with it. They do not show that by themselves, since of a transcript, of a share and
 * of people who are muted nothing comes for minutes, whether or not Kinesis takes anything.
 *
 * ```
 * put        · ·  ·    ·  · · · ·  ·
 * Kinesis    takes all │ takes nothing
 * mark                 ┤ stays here, and everything after it may be lost with the task
 * ```
 *
 * A step asks whether all that was put before is done, and the next one asks anew only when it is. A mark that followed the oldest
 * unit in memory would jump when that unit is dropped, before Kinesis has the `gap` event about it. So the mark stays until
 * nothing has been dropped for a while, and all that was put in that while is done too.
 */
export class WrittenMark {
  readonly #options: WrittenMarkOptions;
  /** Nothing was received before. */
  #doneUntilMs = Date.now();
  #isWaiting = false;
  #dropped = 0;
  #unquietAtMs = Number.NEGATIVE_INFINITY;
  #steppedAtMs = Number.POSITIVE_INFINITY;

  constructor(options: WrittenMarkOptions) {
    this.#options = options;
  }

  /** To be called every `MARK_INTERVAL_MS`. */
  step(): void {
    const nowMs = Date.now();
    // After a standstill the sockets hold what came meanwhile, and are read behind this step perhaps.
    if (nowMs - this.#steppedAtMs > LATE_MS) this.#unquietAtMs = nowMs;
    this.#steppedAtMs = nowMs;
    const isQuiet = this.#isQuiet(nowMs);
    if (this.#isWaiting || !isQuiet) return;
    const dropped = this.#dropped;
    this.#isWaiting = true;
    void this.#options.done().then(() => {
      this.#isWaiting = false;
      if (this.#options.dropped() === dropped) this.#doneUntilMs = nowMs;
    });
  }

  /** Unix ms. While Kinesis takes everything, a second ago. */
  get untilMs(): number {
    const nowMs = Date.now();
    const oldestAgeMs = this.#options.oldestAgeMs();
    const isRecent = nowMs - this.#doneUntilMs <= RECENT_MS;
    if (isRecent && oldestAgeMs <= UNWRITTEN_MS && this.#isQuiet(nowMs))
      return nowMs - UNWRITTEN_MS;
    // A lane counts how many units are done and not which: dropped ones that came later stand for one that is tried again.
    return Math.min(this.#doneUntilMs, Math.floor(nowMs - oldestAgeMs));
  }

  /** Has everything been put that was received, and every event about what was dropped? */
  #isQuiet(nowMs: number): boolean {
    const dropped = this.#options.dropped();
    if (dropped !== this.#dropped) this.#unquietAtMs = nowMs;
    this.#dropped = dropped;
    return nowMs - this.#unquietAtMs >= GAP_PUT_MS;
  }
}
