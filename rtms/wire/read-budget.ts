/** 2,500 frames of audio, some 25 ms of work. */
const TURN_BYTES = 2 * 1024 * 1024;
/**
 * What that may take in all, ms. Small messages cost far more than their bytes say: 2 MiB of unknown messages, each of which
 * becomes a line, would hold the loop for seconds.
 */
const TURN_MS = 50;
/** How many may read on in one turn: each reads at least what TLS has at hand, 16 KiB. */
const TURN_READERS = 64;

/** Who reads, and can be told to go on. */
export interface Reader {
  readOn(): void;
}

/**
 * What all sockets together may read in one turn of the event loop. libuv reads a socket for as long as more is
 * there, and all sockets before any timer: a task that has more to read than it can do would only ever read, put
 * nothing, and drop it all in the end. With a budget it does what it can, and the rest waits at Zoom's end.
 */
export class ReadBudget {
  #left = TURN_BYTES;
  #leftMs = TURN_MS;
  #isTurn = false;
  readonly #waiting: Reader[] = [];

  /** Notes one read. @param tookMs what was done with it @returns false: the reader must pause until it is told to read on */
  take(bytes: number, reader: Reader, tookMs = 0): boolean {
    this.#left -= bytes;
    this.#leftMs -= tookMs;
    this.#startTurn();
    if (this.#left > 0 && this.#leftMs > 0) return true;
    this.#waiting.push(reader);
    return false;
  }

  #startTurn(): void {
    if (this.#isTurn) return;
    this.#isTurn = true;
    setImmediate(() => this.#endTurn());
  }

  #endTurn(): void {
    this.#left = TURN_BYTES;
    this.#leftMs = TURN_MS;
    this.#isTurn = false;
    for (const reader of this.#waiting.splice(0, TURN_READERS)) reader.readOn();
    if (this.#waiting.length > 0) this.#startTurn();
  }
}

/** Of this process. */
export const readBudget = new ReadBudget();
