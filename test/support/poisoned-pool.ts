import { MemoryPool } from '../../shared/memory-pool.ts';

/** Overwrites memory as soon as it is released: whoever still reads it, or sends it, has something else from then on. */
export class PoisonedPool extends MemoryPool {
  /** Pieces that were released. */
  released = 0;
  /** Pieces that were acquired. */
  acquired = 0;

  override acquire(sizeBytes: number): Buffer {
    this.acquired += 1;
    return super.acquire(sizeBytes);
  }

  override release(memory: Uint8Array): void {
    memory.fill(0xdb);
    this.released += 1;
    super.release(memory);
  }
}
