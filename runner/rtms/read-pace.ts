import type { Socket } from 'node:net';

/** How exactly sockets are woken up, ms. */
const STEP_MS = 10;
/** With more sockets than that in each turn, there are twice as many turns: 1,000 frames of audio, 10 ms of work. */
const MAX_A_TURN = 128;
/** With fewer there are half as many. */
const MIN_A_TURN = 32;
/** A rest should save at least one read out of three. */
const MIN_MESSAGES_PER_REST = 1.5;
const RATE_WINDOW_MS = 500;
/** A read that brings more than half a TLS record is part of something large, with more to come. */
const LARGE_READ_BYTES = 8 * 1024;

/**
 * Lets a busy socket rest between reads. Zoom sends every 20 ms of audio by itself, and half of what receiving
 * it costs is being woken for it; a socket that rests brings several messages at once
 * (`docs/performance.md`). The kernel holds and acknowledges meanwhile what comes. Sockets on which little
 * comes, or something large, are read at once.
 */
export class ReadPace {
  readonly #socket: Socket;
  readonly #restMs: number;
  readonly #turns: Turns;
  readonly #ordinal: number;
  #messages = 0;
  #sinceMs = performance.now();
  #isBusy = false;
  #isResting = false;
  #hasRested = false;

  /** @param restMs the longest rest after a read; 0: none */
  constructor(socket: Socket, restMs: number) {
    this.#socket = socket;
    this.#restMs = restMs;
    this.#turns = turnsOf(restMs);
    this.#ordinal = this.#turns.nextOrdinal();
  }

  /** How long what is read now may have waited for that, ms. */
  get heldMs(): number {
    return this.#hasRested ? this.#restMs : 0;
  }

  /** Notes one message. */
  message(): void {
    this.#messages += 1;
  }

  /**
   * To be called after each read; a socket that was told to stop may still bring what it had read by then.
   *
   * @returns false: the socket is to stop reading; it will be woken up
   */
  goesOn(readBytes: number): boolean {
    if (this.#restMs === 0 || this.#isResting) return true;
    const nowMs = performance.now();
    const elapsedMs = nowMs - this.#sinceMs;
    if (elapsedMs >= RATE_WINDOW_MS) {
      this.#setBusy(this.#messages * this.#restMs >= MIN_MESSAGES_PER_REST * elapsedMs);
      this.#messages = 0;
      this.#sinceMs = nowMs;
    }
    this.#isResting = this.#isBusy && readBytes < LARGE_READ_BYTES;
    this.#hasRested = this.#isResting;
    if (this.#isResting) this.#turns.rest(this, this.#ordinal);
    return !this.#isResting;
  }

  /** The socket is closed. */
  stop(): void {
    this.#setBusy(false);
  }

  #setBusy(isBusy: boolean): void {
    if (isBusy !== this.#isBusy) this.#turns.change(isBusy ? 1 : -1);
    this.#isBusy = isBusy;
  }

  wake(): void {
    this.#isResting = false;
    this.#socket.resume();
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

  /** For `rest`: spreads sockets evenly. */
  nextOrdinal(): number {
    this.#ordinals += 1;
    return this.#ordinals;
  }

  /** So many sockets more have become busy, or fewer are. */
  change(busy: 1 | -1): void {
    this.#busy += busy;
    if (this.#busy > MAX_A_TURN * this.#turns && 2 * this.#turns <= this.#resting.length) {
      this.#turns *= 2;
    } else if (this.#busy < MIN_A_TURN * this.#turns && this.#turns > 1) this.#turns /= 2;
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
    for (let step = first; step <= due; step++) {
      const index = step % steps;
      const woken = this.#resting[index] as ReadPace[];
      this.#resting[index] = [];
      this.#count -= woken.length;
      for (const pace of woken) pace.wake();
    }
    this.#step = due;
    if (this.#count > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
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
