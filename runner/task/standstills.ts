/** The timer by which the process notices that it stood still. */
const TICK_MS = 500;
/** A tick that comes so much later was held up by more than a busy event loop. */
const LATE_MS = 1_000;
/** What happened while the process stood still is read so soon after it has gone on: what has come to a socket, and then its end. */
const READ_WITHIN_MS = 1_000;

interface Standstill {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * Remembers when this process stood still for more than a second: frozen by its host, stopped, or with a blocked event loop. A
 * connection that broke meanwhile is noticed only afterwards, as if it had just broken. Zoom keeps nothing but audio for it, and
 * nobody knows when within that time it broke; so the time in which nobody may have received anything begins with the standstill.
 *
 * Of a connection that did not break nothing is lost: what Zoom has sent waits in the socket.
 *
 * ```
 * process    at work ··· tick ┊ stands still                      ┊ goes on, reads what has come, finds the connection closed
 * connection up ···························· breaks
 * blind time                  ├────────────────────────────────────── ··· reconnected
 * ```
 *
 * All times are monotonic ms.
 */
export class Standstills {
  readonly #clock: () => number;
  readonly #timer = setInterval(() => this.tick(), TICK_MS).unref();
  #tickMs: number;
  #last: Standstill | undefined;

  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
    this.#tickMs = clock();
  }

  /** @returns the moment at which something was noticed, or the beginning of the standstill that it was noticed right after */
  atWorkUntil(noticedMs: number): number {
    const nowMs = this.#clock();
    // What is read right after a standstill may come before the tick.
    if (isLate(this.#tickMs, nowMs)) this.tick();
    const last = this.#last;
    if (last === undefined || noticedMs < last.fromMs) return noticedMs;
    return noticedMs - last.toMs <= READ_WITHIN_MS ? last.fromMs : noticedMs;
  }

  /** The timer's. It is public for tests, which have their own clock. */
  tick(): void {
    const [fromMs, toMs] = [this.#tickMs, this.#clock()];
    this.#tickMs = toMs;
    if (!isLate(fromMs, toMs)) return;
    // What happened in a standstill just before this one may not have been read yet.
    const before = this.#last;
    const isOne = before !== undefined && fromMs - before.toMs <= READ_WITHIN_MS;
    this.#last = { fromMs: isOne ? before.fromMs : fromMs, toMs };
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function isLate(fromMs: number, toMs: number): boolean {
  return toMs - fromMs > TICK_MS + LATE_MS;
}
