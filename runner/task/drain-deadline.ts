import { setMaxListeners } from 'node:events';

export interface DrainTimes {
  /** From the first signal to the flush deadline, ms. */
  readonly flushMs: number;
  /** From the first signal to the end of the process, whatever is left, ms. */
  readonly exitMs: number;
  /** From a second signal to the end of the process, ms: time to report what is lost, and no more. */
  readonly secondExitMs: number;
}

export const DRAIN_TIMES: DrainTimes = { flushMs: 95_000, exitMs: 113_000, secondExitMs: 12_000 };

/** Hand-overs start this far apart, unless all of them would then take longer than PACED_WITHIN_MS. */
const PACE_MS = 250;
const PACED_WITHIN_MS = 45_000;
const REPORT_LOSS_MS = 6_000;
const CLOSE_PRODUCERS_MS = 5_000;

/**
 * How long a drain may take. One object for everybody who waits in it, so that the waits of one drain add up to less
 * than ECS grants:
 *
 * ```
 *  first signal          flush deadline                exit      ECS kills
 *  0 s ──────── 45 s ───────── 95 s ────────── 101 s ── 113 s ──── 120 s
 *   │ sessions are   │ Kinesis is    │ losses are   │ rows, heartbeat
 *   │ handed over    │ waited for    │ reported     │ and process end
 * ```
 *
 * At the flush deadline everybody stops waiting, and what Kinesis has not taken is reported as lost. A second signal
 * moves the flush deadline to now.
 */
export class DrainDeadline {
  readonly #times: DrainTimes;
  readonly #flush = new AbortController();
  #hasBegun = false;

  constructor(times: DrainTimes = DRAIN_TIMES) {
    this.#times = times;
    // Every session and every row of the task waits on this one signal: Node would warn of a leak from the 11th on.
    setMaxListeners(0, this.#flush.signal);
  }

  /** Aborted at the flush deadline; never while no drain has begun. */
  get flush(): AbortSignal {
    return this.#flush.signal;
  }

  /**
   * Begins the drain, or ends the waiting when it has begun.
   *
   * @param exit ends the process, whatever is left
   * @returns whether the drain begins with this call
   */
  signalled(exit: () => void): boolean {
    const { flushMs, exitMs, secondExitMs } = this.#times;
    const isFirst = !this.#hasBegun;
    this.#hasBegun = true;
    if (isFirst) setTimeout(() => this.#stopWaiting(), flushMs).unref();
    else this.#stopWaiting();
    setTimeout(exit, isFirst ? exitMs : secondExitMs).unref();
    return isFirst;
  }

  /** @returns how far apart the hand-overs of this many sessions start, ms */
  static paceMs(sessions: number): number {
    return Math.min(PACE_MS, PACED_WITHIN_MS / Math.max(1, sessions));
  }

  /** @returns a signal for the gap events and the ledger of one session, after the flush deadline */
  reportLoss(): AbortSignal {
    return AbortSignal.timeout(REPORT_LOSS_MS);
  }

  /** @returns a signal for what the producers still hold when all sessions are gone */
  closeProducers(): AbortSignal {
    return AbortSignal.any([this.flush, AbortSignal.timeout(CLOSE_PRODUCERS_MS)]);
  }

  #stopWaiting(): void {
    this.#flush.abort(new Error('the flush deadline has passed'));
  }
}
