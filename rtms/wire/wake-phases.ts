/** How exactly sockets are woken, ms. */
const STEP_MS = 10;
/** With more sockets than this in each phase, their number is doubled: 2,000 frames of audio, 20 ms of work. */
const MAX_IN_PHASE = 256;
/** With fewer in each phase, their number is halved. */
const MIN_IN_PHASE = 64;

/** A resting socket. */
export interface Sleeper {
  wake(): void;
  /** Called after each cycle since the waking. @returns false: there may be more to read */
  afterReading(nowMs: number): boolean;
}

/**
 * Wakes the sockets that rest for the same time, in fixed groups. A phase is large enough to amortise a wake-up, and
 * small enough to finish before the next one. The groups are fixed because sockets that simply rest for so long after a
 * read drift into ever larger bunches.
 */
export class WakePhases {
  /** The sockets that wake in each step of 10 ms. Only some of the steps are a phase. */
  readonly #resting: Sleeper[][];
  #phases = 1;
  #ordinals = 0;
  #busy = 0;
  #count = 0;
  #timer: NodeJS.Timeout | undefined;
  #step = 0;

  constructor(restMs: number) {
    const steps = Math.max(1, Math.round(restMs / STEP_MS));
    this.#resting = Array.from({ length: steps }, () => []);
  }

  /** A socket has become busy. @returns a number for `rest` that spreads busy sockets evenly over the phases */
  enter(): number {
    this.#busy += 1;
    if (this.#busy > MAX_IN_PHASE * this.#phases && 2 * this.#phases <= this.#resting.length) {
      this.#phases *= 2;
    }
    this.#ordinals += 1;
    return this.#ordinals;
  }

  leave(): void {
    this.#busy -= 1;
    if (this.#busy < MIN_IN_PHASE * this.#phases && this.#phases > 1) this.#phases /= 2;
  }

  /** The socket rests until its phase comes. */
  rest(sleeper: Sleeper, ordinal: number): void {
    const steps = this.#resting.length;
    const step = Math.floor(((ordinal % this.#phases) * steps) / this.#phases);
    this.#resting[step]?.push(sleeper);
    this.#count += 1;
    if (this.#timer !== undefined) return;
    this.#step = stepAt(performance.now());
    this.#timer = setInterval(() => this.#wake(), STEP_MS);
  }

  /** Wakes every phase that has come since the last call: several if the process was paused. */
  #wake(): void {
    const steps = this.#resting.length;
    const due = stepAt(performance.now());
    const first = Math.max(this.#step + 1, due - steps + 1);
    const woken: Sleeper[] = [];
    for (let step = first; step <= due; step++) {
      woken.push(...(this.#resting[step % steps] as Sleeper[]));
      this.#resting[step % steps] = [];
    }
    this.#step = due;
    this.#count -= woken.length;
    for (const sleeper of woken) sleeper.wake();
    if (woken.length > 0) setImmediate(() => this.#afterReading(woken));
    if (this.#count > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** The event loop has read all woken sockets once. */
  #afterReading(awake: readonly Sleeper[]): void {
    const nowMs = performance.now();
    const left = awake.filter((sleeper) => !sleeper.afterReading(nowMs));
    if (left.length > 0) setImmediate(() => this.#afterReading(left));
  }
}

function stepAt(nowMs: number): number {
  return Math.floor(nowMs / STEP_MS);
}
