import { ClassBytes } from './class-bytes.ts';
import { type Unit, type UnitClass, unitBytes } from './unit.ts';

/** Units in arrival order, with the time each arrived. Two parallel arrays, so that no object is made per unit. */
export class UnitQueue {
  #units: Unit[] = [];
  #arrivedAtMs: number[] = [];
  #head = 0;
  readonly #bytes = new ClassBytes();

  get length(): number {
    return this.#units.length - this.#head;
  }

  /** Memory of all queued units of one class. */
  bytesOf(unitClass: UnitClass): number {
    return this.#bytes.of(unitClass);
  }

  peek(): Unit | undefined {
    return this.#units[this.#head];
  }

  /** Infinity when empty. */
  get oldestArrivedAtMs(): number {
    return this.#arrivedAtMs[this.#head] ?? Number.POSITIVE_INFINITY;
  }

  push(unit: Unit, nowMs: number): void {
    this.#units.push(unit);
    this.#arrivedAtMs.push(nowMs);
    this.#bytes.add(unit.class, unitBytes(unit));
  }

  shift(): Unit | undefined {
    const unit = this.#units[this.#head];
    if (unit === undefined) return undefined;
    this.#head += 1;
    this.#bytes.add(unit.class, -unitBytes(unit));
    this.#compact();
    return unit;
  }

  /** Takes out, in order, the units for which `condemned` says yes; called once per unit, oldest first. */
  extract(condemned: (unit: Unit) => boolean): Unit[] {
    const out: Unit[] = [];
    let kept = 0;
    for (let index = this.#head; index < this.#units.length; index += 1) {
      const unit = this.#units[index] as Unit;
      if (condemned(unit)) {
        out.push(unit);
        this.#bytes.add(unit.class, -unitBytes(unit));
      } else {
        this.#units[kept] = unit;
        this.#arrivedAtMs[kept] = this.#arrivedAtMs[index] as number;
        kept += 1;
      }
    }
    this.#units.length = kept;
    this.#arrivedAtMs.length = kept;
    this.#head = 0;
    return out;
  }

  /** Shifting an array costs its length; forgetting the used front now and then costs one move per unit. */
  #compact(): void {
    if (this.#head < 64 || this.#head * 2 < this.#units.length) return;
    this.#units = this.#units.slice(this.#head);
    this.#arrivedAtMs = this.#arrivedAtMs.slice(this.#head);
    this.#head = 0;
  }
}
