/** A recogniser on this machine that a test can disturb. */
export interface FakeRecogniser extends AsyncDisposable {
  readonly url: string;
  /** How many streams or connections it had. */
  readonly opened: number;
  /** How many it ended for want of sound. */
  readonly timedOut: number;
  /** Messages that kept a silent connection alive. */
  readonly keptAlive: number;
  /** Breaks all connections, as a network does. */
  breakAll(): void;
}

/** Ends a stream that brings nothing for so long, as recognisers do. */
export class IdleRule {
  readonly #idleMs: number;
  readonly #onIdle: () => void;
  #timer: NodeJS.Timeout;

  constructor(idleMs: number, onIdle: () => void) {
    this.#idleMs = idleMs;
    this.#onIdle = onIdle;
    this.#timer = setTimeout(onIdle, idleMs);
  }

  heard(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#onIdle, this.#idleMs);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
