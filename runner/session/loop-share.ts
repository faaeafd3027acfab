/** Share of the event loop's time that one session may use for long. */
const FAIR_SHARE = 0.25;
/** Time that a session may use at once after a quiet while. Zoom's buffer comes at once: 60 s of audio take 30 ms. */
const BURST_MS = 500;
/** A session that uses less than this share of what all sessions use is not what makes the loop late. */
const MAIN_SHARE = 0.5;
/** Shares are compared over the last one to two windows of this length. */
const WINDOW_MS = 1_000;
/** A session that had to rest this long, quiet time deducted, and still reads too much is ended. */
const MAX_RESTED_MS = 10_000;

/** Time that sessions spent on reading: those of a task together, or one alone. */
export class LoopUse {
  #sinceMs = 0;
  #spentMs = 0;
  #beforeMs = 0;

  /** Used in the last one to two windows. */
  get spentMs(): number {
    return this.#spentMs + this.#beforeMs;
  }

  spent(ms: number, nowMs: number): void {
    const age = nowMs - this.#sinceMs;
    if (age >= WINDOW_MS) {
      this.#beforeMs = age >= 2 * WINDOW_MS ? 0 : this.#spentMs;
      this.#spentMs = 0;
      this.#sinceMs = nowMs;
    }
    this.#spentMs += ms;
  }
}

/**
 * Limits what one session uses of the event loop, measured once for each read of its sockets. A session that uses more
 * than its share has to rest for it, so that the task's heartbeat and the other sessions are served; one that would
 * have to rest nearly all the time ends, long before the heartbeat is late. Only a session that uses more than all
 * others together is limited: on a machine short of CPU, everybody's reads take long.
 */
export class LoopShare {
  readonly #all: LoopUse;
  readonly #own = new LoopUse();
  readonly #onExhausted: () => void;
  #creditMs = BURST_MS;
  #atMs = 0;
  #restedMs = 0;

  constructor(all: LoopUse, onExhausted: () => void) {
    this.#all = all;
    this.#onExhausted = onExhausted;
  }

  /**
   * Notes one read.
   *
   * @param ms what it took
   * @returns how long its socket has to rest, ms; 0: not at all
   */
  spent(ms: number, nowMs: number): number {
    this.#all.spent(ms, nowMs);
    this.#own.spent(ms, nowMs);
    const elapsedMs = Math.max(0, nowMs - this.#atMs);
    this.#atMs = nowMs;
    const earnedMs = elapsedMs * FAIR_SHARE;
    this.#creditMs = Math.min(BURST_MS, this.#creditMs + earnedMs) - ms;
    // Quiet time is deducted at the rate at which credit comes.
    this.#restedMs = Math.max(0, this.#restedMs - earnedMs);
    if (this.#creditMs >= 0) return 0;
    if (this.#own.spentMs < MAIN_SHARE * this.#all.spentMs) {
      this.#creditMs = 0;
      return 0;
    }
    const restMs = -this.#creditMs / FAIR_SHARE;
    this.#restedMs += restMs;
    if (this.#restedMs > MAX_RESTED_MS) this.#onExhausted();
    return restMs;
  }
}
