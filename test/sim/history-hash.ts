import { createHash } from 'node:crypto';

const BLOCK_BYTES = 256 * 1024;

/** A hash of all that is added, in this order. Small pieces are hashed in blocks: a call for each would cost more than its bytes. */
export class HistoryHash {
  readonly #hash = createHash('sha256');
  readonly #block = Buffer.allocUnsafe(BLOCK_BYTES);
  #length = 0;

  add(piece: string | Uint8Array): void {
    // A character is three bytes of UTF-8 at most.
    const most = typeof piece === 'string' ? 3 * piece.length : piece.length;
    if (this.#length + most > BLOCK_BYTES) this.#flush();
    if (most > BLOCK_BYTES) this.#hash.update(piece);
    else if (typeof piece === 'string') this.#length += this.#block.write(piece, this.#length);
    else {
      this.#block.set(piece, this.#length);
      this.#length += piece.length;
    }
  }

  /** @param last added behind everything, for this digest alone */
  digest(last: string): string {
    this.#flush();
    return this.#hash.copy().update(last).digest('hex');
  }

  #flush(): void {
    this.#hash.update(this.#block.subarray(0, this.#length));
    this.#length = 0;
  }
}
