import type { Socket } from 'node:net';
import { readBudget } from './read-budget.ts';
import type { ReadRest } from './wire.ts';

/** How exactly sockets are woken up, ms. */
const STEP_MS = 10;
/** With more sockets than that in each turn, there are twice as many turns: 2,000 frames of audio, 20 ms of work. */
const MAX_A_TURN = 256;
/** With fewer there are half as many. */
const MIN_A_TURN = 64;
/** A rest should save at least one read out of three. */
const MIN_MESSAGES_PER_REST = 1.5;
const RATE_WINDOW_MS = 500;
/** A socket that brings so much at once has more to come; what Zoom buffered is not to be slowed down. */
const MUCH_BYTES = 64 * 1024;

/**
 * Lets a busy socket rest between reads. Zoom sends every 20 ms of audio by itself, and half of what receiving
 * it costs is being woken for it; a socket that rests brings several messages at once
 * (`docs/performance.md`). The kernel holds and acknowledges meanwhile what comes. Sockets on which little
 * comes, or very much, are read at once.
 */
export class ReadPace {
  readonly #socket: Pick<Socket, 'pause' | 'resume'>;
  readonly #options: ReadRest;
  readonly #turns: Turns;
  #ordinal = 0;
  #messages = 0;
  #sinceMs = performance.now();
  #bytes = 0;
  #isBusy = false;
  /** Others read now. */
  #isWaiting = false;
  #isStopped = false;
  /** It has used more than its share of the event loop, and reads nothing for a while. */
  #isHeld = false;

  constructor(socket: Pick<Socket, 'pause' | 'resume'>, rest: ReadRest) {
    this.#socket = socket;
    this.#options = rest;
    this.#turns = turnsOf(rest.maxMs);
  }

  /** A read begins: says how long what it brings may have waited. */
  begin(): void {
    this.#options.heldMs = this.#isBusy ? this.#options.maxMs : 0;
  }

  /** Notes one message. */
  message(): void {
    this.#messages += 1;
  }

  /** Notes one read, and lets the socket rest when it is busy. @param tookMs what was done with it */
  read(bytes: number, tookMs = 0): void {
    this.#bytes += bytes;
    if (!this.#isWaiting && !readBudget.take(bytes, this, tookMs)) {
      this.#isWaiting = true;
      this.#socket.pause();
    }
    if (this.#isStopped || this.#options.maxMs === 0 || this.#isBusy || this.#isWaiting) return;
    this.#measure(performance.now());
    if (this.#isBusy) this.#rest();
  }

  /** Others have read now. */
  readOn(): void {
    this.#isWaiting = false;
    if (!this.#isHeld) this.#socket.resume();
  }

  /** Reads nothing for so long; what comes waits in the kernel, and then at the sender's. */
  hold(forMs: number): void {
    if (this.#isHeld) return;
    this.#isHeld = true;
    this.#socket.pause();
    setTimeout(() => {
      this.#isHeld = false;
      if (!this.#isWaiting) this.#socket.resume();
    }, forMs);
  }

  /**
   * The socket is closing: it is read to its end, without rests. What all may read in a turn and what its session may use
   * still hold: a peer that sends on while it is being left would otherwise have the whole loop.
   */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#setBusy(false);
    if (!this.#isWaiting && !this.#isHeld) this.#socket.resume();
  }

  /** The socket's turn has come. */
  wake(): void {
    this.#bytes = 0;
    if (!this.#isStopped && !this.#isHeld) this.#socket.resume();
  }

  /**
   * What the kernel held has been read.
   *
   * @returns false: there may be more
   */
  settle(nowMs: number): boolean {
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
    this.#turns.rest(this, this.#ordinal);
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
    if (isBusy) this.#ordinal = this.#turns.enter();
    else this.#turns.leave();
  }
}

/**
 * All that rest for the same time. They wake up in turns, each in its own: few enough that what one brings is
 * worth the trouble, enough that one is done before the next. Fixed turns, because sockets that just rest for so
 * long after a read drift into ever larger bunches.
 */
class Turns {
  /** What wakes up in each step; only some steps are a turn. */
  readonly #resting: ReadPace[][];
  #turns = 1;
  #ordinals = 0;
  #busy = 0;
  #count = 0;
  #timer: NodeJS.Timeout | undefined;
  #step = 0;

  constructor(restMs: number) {
    const steps = Math.max(1, Math.round(restMs / STEP_MS));
    this.#resting = Array.from({ length: steps }, () => []);
  }

  /** A socket has become busy. @returns what spreads the busy ones evenly, for `rest` */
  enter(): number {
    this.#busy += 1;
    if (this.#busy > MAX_A_TURN * this.#turns && 2 * this.#turns <= this.#resting.length) {
      this.#turns *= 2;
    }
    this.#ordinals += 1;
    return this.#ordinals;
  }

  leave(): void {
    this.#busy -= 1;
    if (this.#busy < MIN_A_TURN * this.#turns && this.#turns > 1) this.#turns /= 2;
  }

  rest(pace: ReadPace, ordinal: number): void {
    const steps = this.#resting.length;
    const step = Math.floor(((ordinal % this.#turns) * steps) / this.#turns);
    this.#resting[step]?.push(pace);
    this.#count += 1;
    if (this.#timer !== undefined) return;
    this.#step = stepAt(performance.now());
    this.#timer = setInterval(() => this.#wake(), STEP_MS);
  }

  /** All whose turn has come; several turns after a pause of this process. */
  #wake(): void {
    const steps = this.#resting.length;
    const due = stepAt(performance.now());
    const first = Math.max(this.#step + 1, due - steps + 1);
    const woken: ReadPace[] = [];
    for (let step = first; step <= due; step++) {
      woken.push(...(this.#resting[step % steps] as ReadPace[]));
      this.#resting[step % steps] = [];
    }
    this.#step = due;
    this.#count -= woken.length;
    for (const pace of woken) pace.wake();
    if (woken.length > 0) setImmediate(() => this.#settle(woken));
    if (this.#count > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** The loop has been through all sockets once. */
  #settle(awake: readonly ReadPace[]): void {
    const nowMs = performance.now();
    const left = awake.filter((pace) => !pace.settle(nowMs));
    if (left.length > 0) setImmediate(() => this.#settle(left));
  }
}

function stepAt(nowMs: number): number {
  return Math.floor(nowMs / STEP_MS);
}

const turnsByRest = new Map<number, Turns>();

function turnsOf(restMs: number): Turns {
  let turns = turnsByRest.get(restMs);
  if (turns === undefined) {
    turns = new Turns(restMs);
    turnsByRest.set(restMs, turns);
  }
  return turns;
}
