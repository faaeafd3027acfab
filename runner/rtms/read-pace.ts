import type { Socket } from 'node:net';

/** Resting sockets wake up in steps of that, so that they do not all come at once, ms. */
const STEP_MS = 10;
/** The longest rest there can be, in steps. */
const STEPS = 100;
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
  #messages = 0;
  #sinceMs = performance.now();
  #isBusy = false;
  #isResting = false;
  #hasRested = false;

  /** @param restMs how long to rest after a read, up to 1,000; 0: not at all */
  constructor(socket: Socket, restMs: number) {
    this.#socket = socket;
    this.#restMs = restMs;
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
      this.#isBusy = this.#messages * this.#restMs >= MIN_MESSAGES_PER_REST * elapsedMs;
      this.#messages = 0;
      this.#sinceMs = nowMs;
    }
    this.#isResting = this.#isBusy && readBytes < LARGE_READ_BYTES;
    this.#hasRested = this.#isResting;
    if (this.#isResting) rest(this, this.#restMs);
    return !this.#isResting;
  }

  wake(): void {
    this.#isResting = false;
    this.#socket.resume();
  }
}

/** What rests, by the step in which it wakes up. */
const resting: ReadPace[][] = Array.from({ length: STEPS + 1 }, () => []);
let step = 0;
let count = 0;
let timer: NodeJS.Timeout | undefined;

function rest(pace: ReadPace, restMs: number): void {
  const steps = Math.min(STEPS, Math.ceil(restMs / STEP_MS));
  resting[(step + steps) % resting.length]?.push(pace);
  count += 1;
  timer ??= setInterval(wakeNext, STEP_MS);
}

function wakeNext(): void {
  step = (step + 1) % resting.length;
  const woken = resting[step] as ReadPace[];
  resting[step] = [];
  count -= woken.length;
  if (count === 0) {
    clearInterval(timer);
    timer = undefined;
  }
  for (const pace of woken) pace.wake();
}
