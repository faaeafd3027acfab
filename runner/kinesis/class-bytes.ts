import type { PutClass } from './unit.ts';

/** Bytes of units, by their class. */
export class ClassBytes {
  total = 0;
  readonly #bytes: Record<PutClass, number> = {
    video: 0,
    deskshare: 0,
    audio: 0,
    crowd: 0,
    text: 0,
    event: 0,
  };

  of(putClass: PutClass): number {
    return this.#bytes[putClass];
  }

  /** @param bytes may be negative */
  add(putClass: PutClass, bytes: number): void {
    this.#bytes[putClass] += bytes;
    this.total += bytes;
  }
}
