import type { Socket } from 'node:net';
import type { Reader } from './read-budget.ts';
import { sharedReading } from './shared-reading.ts';
import type { Sleeper, WakePhases } from './wake-phases.ts';
import { MUCH_BYTES, type ReadRest } from './wire.ts';

/** A rest should save at least one read out of three. */
const MIN_MESSAGES_PER_REST = 1.5;
const RATE_WINDOW_MS = 500;

/**
 * Decides when one socket reads. A busy socket rests between two reads: Zoom sends every 20 ms of audio by itself, and
 * half of the cost of receiving it is the wake-up, so a socket that rests reads several messages at once
 * (`docs/performance.md`). Meanwhile the kernel holds and acknowledges what comes. A socket on which little comes, or
 * very much, reads at once.
 *
 * A socket also pauses while others read (ReadBudget), and while its session is held back (`hold`). These limits stay
 * when the socket is closing, because a peer that goes on sending would otherwise have the whole loop.
 */
export class ReadPace implements Reader, Sleeper {
  readonly #socket: Pick<Socket, 'pause' | 'resume'>;
  readonly #options: ReadRest;
  readonly #phases: WakePhases;
  #ordinal = 0;
  #messages = 0;
  #sinceMs = performance.now();
  #bytes = 0;
  #isBusy = false;
  /** The budget of this cycle is spent: the socket is paused until `readOn`. */
  #isWaiting = false;
  #isStopped = false;
  /** The session has used more than its share of the event loop: the socket is paused for a while. */
  #isHeld = false;
  /** Since the last call of `mayHaveMore`. */
  #bytesSince = 0;
  #wasInterrupted = false;

  constructor(socket: Pick<Socket, 'pause' | 'resume'>, rest: ReadRest) {
    this.#socket = socket;
    this.#options = rest;
    this.#phases = sharedReading.phasesOf(rest.maxMs);
  }

  /** A read begins. Sets `heldMs`: how long the messages of this read may have waited. */
  begin(): void {
    this.#options.heldMs = this.#isBusy ? this.#options.maxMs : 0;
  }

  /** Counts one message. */
  message(): void {
    this.#messages += 1;
  }

  /** Counts one read, and lets the socket rest when it is busy. @param tookMs how long processing it took */
  read(bytes: number, tookMs = 0): void {
    this.#bytes += bytes;
    this.#bytesSince += bytes;
    if (!this.#isWaiting && !sharedReading.budget.spend(bytes, this, tookMs)) {
      this.#isWaiting = true;
      this.#wasInterrupted = true;
      this.#socket.pause();
    }
    if (this.#isStopped || this.#options.maxMs === 0 || this.#isBusy || this.#isWaiting) return;
    this.#measure(performance.now());
    if (!this.#isBusy) return;
    this.#wasInterrupted = true;
    this.#rest();
  }

  /** There is budget again. */
  readOn(): void {
    this.#isWaiting = false;
    if (!this.#isHeld) this.#socket.resume();
  }

  /** Reads nothing for this long. What comes waits in the kernel, and then at the sender. */
  hold(forMs: number): void {
    if (this.#isHeld) return;
    this.#isHeld = true;
    this.#wasInterrupted = true;
    this.#socket.pause();
    setTimeout(() => {
      this.#isHeld = false;
      if (!this.#isWaiting) this.#socket.resume();
    }, forMs);
  }

  /** May more wait in the socket than has been read since the last call? A rest is no interruption: it begins when all is read. */
  mayHaveMore(): boolean {
    const isPaused = this.#isWaiting || this.#isHeld;
    const mayHaveMore = isPaused || this.#wasInterrupted || this.#bytesSince >= MUCH_BYTES;
    this.#wasInterrupted = false;
    this.#bytesSince = 0;
    return mayHaveMore;
  }

  /** The socket is closing: from now on it reads to its end without rests. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#setBusy(false);
    if (!this.#isWaiting && !this.#isHeld) this.#socket.resume();
  }

  wake(): void {
    this.#bytes = 0;
    if (!this.#isStopped && !this.#isHeld) this.#socket.resume();
  }

  /** What the kernel held has been read. @returns false: there may be more */
  afterReading(nowMs: number): boolean {
    if (this.#isStopped) return true;
    if (this.#isWaiting || this.#isHeld) return false;
    if (this.#bytes >= MUCH_BYTES) {
      this.#bytes = 0;
      return false;
    }
    this.#measure(nowMs);
    if (this.#isBusy) this.#rest();
    return true;
  }

  #rest(): void {
    this.#socket.pause();
    this.#phases.rest(this, this.#ordinal);
  }

  #measure(nowMs: number): void {
    const elapsedMs = nowMs - this.#sinceMs;
    if (elapsedMs < RATE_WINDOW_MS) return;
    this.#setBusy(this.#messages * this.#options.maxMs >= MIN_MESSAGES_PER_REST * elapsedMs);
    this.#messages = 0;
    this.#sinceMs = nowMs;
  }

  #setBusy(isBusy: boolean): void {
    if (isBusy === this.#isBusy) return;
    this.#isBusy = isBusy;
    if (isBusy) this.#ordinal = this.#phases.enter();
    else this.#phases.leave();
  }
}
