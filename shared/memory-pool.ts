const MIN_BYTES = 256;
/** Kept for later; a thousand sessions need a third of it. */
const MAX_SPARE_BYTES = 32 * 1024 * 1024;

/**
 * Buffers that are used again, by size.
 *
 * A frame's buffers live about 200 ms: long enough for V8 to move them to its old generation, where they are collected
 * late and in bulk. Memory outside of V8's heap also triggers a collection of the whole heap for every 64 MB that is
 * allocated. With the pool, a 300 kB picture costs half the CPU (docs/adr/0008-reused-memory.md).
 */
export class MemoryPool {
  /** By `sizeClass`. */
  #spare: Uint8Array[][] = [];
  #spareBytes = 0;
  readonly #maxSpareBytes: number;

  /** @param maxSpareBytes kept for later; what is released beyond it is left to the garbage collector */
  constructor(maxSpareBytes = MAX_SPARE_BYTES) {
    this.#maxSpareBytes = maxSpareBytes;
  }

  /** Memory of exactly that size, not cleared. `release` it, or leave it to the garbage collector. */
  acquire(sizeBytes: number): Buffer {
    const memory = this.#spare[sizeClass(sizeBytes)]?.pop();
    if (memory === undefined) {
      // The pool is full of other sizes, perhaps of an earlier load: without this, no size of the new one would fit.
      if (this.#spareBytes >= this.#maxSpareBytes) this.#empty();
      return Buffer.allocUnsafeSlow(classBytes(sizeBytes)).subarray(0, sizeBytes);
    }
    this.#spareBytes -= classBytes(sizeBytes);
    if (memory.length === sizeBytes) return memory as Buffer;
    return Buffer.from(memory.buffer as ArrayBuffer, 0, sizeBytes);
  }

  /**
   * Takes memory back. It is written over soon, so the caller must hold the only reference.
   *
   * @param memory as `acquire` of some pool returned it, not a part of it
   */
  release(memory: Uint8Array): void {
    if (this.#spareBytes >= this.#maxSpareBytes) return;
    const { length } = memory;
    const kept = this.#spare[sizeClass(length)];
    if (kept === undefined) this.#spare[sizeClass(length)] = [memory];
    else kept.push(memory);
    this.#spareBytes += classBytes(length);
  }

  #empty(): void {
    this.#spare = [];
    this.#spareBytes = 0;
  }
}

/**
 * The pool of this process. `startRunner` passes it to the sessions, whose records it holds, and to the producers.
 * `rtms/wire/frame-reader.ts` imports it: the wiring does not reach that deep, and messages use the buffers of records again.
 */
export const processMemory = new MemoryPool();

/** Four classes for each power of two, so that at most a fifth of a buffer is unused. */
function sizeClass(sizeBytes: number): number {
  const last = Math.max(sizeBytes, MIN_BYTES) - 1;
  const exponent = 31 - Math.clz32(last);
  return 4 * exponent + ((last >>> (exponent - 2)) & 3);
}

/** The largest size of a size's class. */
function classBytes(sizeBytes: number): number {
  const last = Math.max(sizeBytes, MIN_BYTES) - 1;
  const step = 29 - Math.clz32(last);
  return ((last >>> step) + 1) << step;
}
