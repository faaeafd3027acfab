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

/** What is counted of the connections of a recogniser. */
interface ConnectionCounts {
  opened: number;
  timedOut: number;
  keptAlive: number;
}

/** The recogniser that listens at `url`: its counts stay live, and the end of the test breaks its connections and closes it. */
export function fakeRecogniser(
  url: string,
  server: { close(done: () => void): unknown },
  counts: ConnectionCounts,
  breakAll: () => void,
): FakeRecogniser {
  return {
    url,
    get opened() {
      return counts.opened;
    },
    get timedOut() {
      return counts.timedOut;
    },
    get keptAlive() {
      return counts.keptAlive;
    },
    breakAll,
    async [Symbol.asyncDispose]() {
      breakAll();
      await new Promise<void>((resolve) => void server.close(resolve));
    },
  };
}
