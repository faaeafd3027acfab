import type { UnitClass } from './unit.ts';

/** Bytes of units, by their class. */
export class ClassBytes {
  total = 0;
  readonly #bytes: Record<UnitClass, number> = {
    video: 0,
    deskshare: 0,
    audio: 0,
    crowd: 0,
    text: 0,
    event: 0,
  };

  of(unitClass: UnitClass): number {
    return this.#bytes[unitClass];
  }

  /** @param bytes may be negative */
  add(unitClass: UnitClass, bytes: number): void {
    this.#bytes[unitClass] += bytes;
    this.total += bytes;
  }
}
