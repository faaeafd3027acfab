import { type BackoffPolicy, backoffMs } from '../../shared/backoff.ts';

/** Most bytes of one call. To encode that much blocks the event loop for some 10 ms. */
const CALL_BYTES = 2 * 1024 * 1024;
/** A call is made no smaller than that, however many have failed. */
const LEAST_CALL_BYTES = CALL_BYTES / 8;
/** So many calls in a row, of which no entry is taken, and the stream counts as away. One or two may be chance. */
const FAILURES_IN_A_ROW = 3;
/** The stream is tried again after that at the latest, ms. One small call of a task costs the service nothing. */
const LONGEST_PAUSE_MS = 2_000;

/**
 * The circuit breaker of one stream: while calls fail one after the other, a single one tries whether the stream is back, for
 * all lanes together. With a pause of its own, each of a task's hundreds of lanes would make its own call every few seconds
 * for as long as an outage takes, and wait for its own pause when that is over.
 *
 * A lane whose record has not failed yet tries at once, alone: somebody who begins to speak when the stream is back is not delayed.
 *
 * Calls become smaller as they fail and larger as they are taken, so that a slow way still lets some pass.
 *
 * Pure: time and chance come in.
 */
export class CallBreaker {
  readonly #pause: BackoffPolicy;
  readonly #random: () => number;
  #failures = 0;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #callBytes = CALL_BYTES;

  constructor(retry: BackoffPolicy, random: () => number) {
    this.#pause = { ...retry, maxMs: Math.min(retry.maxMs, LONGEST_PAUSE_MS) };
    this.#random = random;
  }

  /** Does the stream count as away? */
  get isOpen(): boolean {
    return this.#failures >= FAILURES_IN_A_ROW;
  }

  /** Most bytes of the next call. */
  get callBytes(): number {
    return this.#callBytes;
  }

  /** How many calls may be under way at once, for records that have failed. @param most while the stream answers */
  callsAtOnce(nowMs: number, most: number): number {
    if (!this.isOpen) return most;
    return nowMs >= this.#notBeforeMs ? 1 : 0;
  }

  /** An entry of a call was written, or refused for what it is. */
  taken(): void {
    this.#failures = 0;
    this.#callBytes = Math.min(CALL_BYTES, 2 * this.#callBytes);
  }

  /** A call has failed, or each of its entries. */
  failed(nowMs: number): void {
    this.#failures += 1;
    this.#callBytes = Math.max(LEAST_CALL_BYTES, this.#callBytes / 2);
    if (!this.isOpen) return;
    const pauses = this.#failures - FAILURES_IN_A_ROW + 1;
    this.#notBeforeMs = nowMs + backoffMs(pauses, this.#pause, this.#random());
  }
}
