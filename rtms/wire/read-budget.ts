/** 2,500 frames of audio, about 25 ms of work. */
const CYCLE_BYTES = 2 * 1024 * 1024;
/**
 * Time that reading may take in one cycle, ms. Bytes alone are no limit, because small messages cost far more than their
 * size: 2 MiB of unknown messages, each of which becomes a line, would hold the loop for seconds.
 */
const CYCLE_MS = 50;
/** How many waiting readers go on in one cycle. Each reads at least what TLS has ready, 16 KiB. */
const CYCLE_READERS = 64;

/** A socket that reads and can be told to go on. */
export interface Reader {
  readOn(): void;
}

/**
 * How much all sockets together may read in one cycle of the event loop. libuv reads a socket for as long as more is
 * there, and reads all sockets before it runs a timer. A task that has more to read than it can process would only read:
 * it would write nothing, and in the end drop everything. With a budget it processes what it can, and the rest waits at
 * Zoom's end of the connections.
 */
export class ReadBudget {
  #leftBytes = CYCLE_BYTES;
  #leftMs = CYCLE_MS;
  #isInCycle = false;
  readonly #waiting: Reader[] = [];

  /**
   * Counts one read.
   *
   * @param tookMs how long it took to process what was read
   * @returns false: the reader must pause until `readOn` is called
   */
  spend(bytes: number, reader: Reader, tookMs = 0): boolean {
    this.#leftBytes -= bytes;
    this.#leftMs -= tookMs;
    this.#beginCycle();
    if (this.#leftBytes > 0 && this.#leftMs > 0) return true;
    this.#waiting.push(reader);
    return false;
  }

  #beginCycle(): void {
    if (this.#isInCycle) return;
    this.#isInCycle = true;
    setImmediate(() => this.#endCycle());
  }

  #endCycle(): void {
    this.#leftBytes = CYCLE_BYTES;
    this.#leftMs = CYCLE_MS;
    this.#isInCycle = false;
    for (const reader of this.#waiting.splice(0, CYCLE_READERS)) reader.readOn();
    if (this.#waiting.length > 0) this.#beginCycle();
  }
}
