import type { RecordFormat } from './record-format.ts';
import { ClassBytes, type Unit, type UnitClass, unitBytes } from './unit.ts';

/**
 * The units of one lane in the order they came, with the time of each. Of the first unit, some records may have left
 * already: such a unit is never dropped, or a consumer would see half a frame.
 *
 * Two parallel arrays, so that no object is made per unit.
 */
export class UnitQueue {
  readonly #format: RecordFormat;
  #units: Unit[] = [];
  #arrivedAtMs: number[] = [];
  #head = 0;
  /** Records of the first unit that have left. */
  #leftOfFirst = 0;
  #packedBytes = 0;
  readonly #bytes = new ClassBytes();

  constructor(format: RecordFormat) {
    this.#format = format;
  }

  /** Bytes by which all queued records would make a shared record grow. */
  get packedBytes(): number {
    return this.#packedBytes;
  }

  /** Has a part of the first unit left? */
  get isFirstBegun(): boolean {
    return this.#leftOfFirst > 0;
  }

  /** Infinity when empty. */
  get oldestArrivedAtMs(): number {
    return this.#arrivedAtMs[this.#head] ?? Number.POSITIVE_INFINITY;
  }

  /** Memory of the units of one class that `extract` may drop. */
  droppableBytes(unitClass: UnitClass): number {
    const bytes = this.#bytes.of(unitClass);
    const first = this.peek();
    return this.isFirstBegun && first?.class === unitClass ? bytes - unitBytes(first) : bytes;
  }

  peek(): Unit | undefined {
    return this.#units[this.#head];
  }

  /** The user record to leave next. */
  peekRecord(): Uint8Array | undefined {
    return this.peek()?.records[this.#leftOfFirst];
  }

  push(unit: Unit, nowMs: number): void {
    this.#units.push(unit);
    this.#arrivedAtMs.push(nowMs);
    this.#bytes.add(unit.class, unitBytes(unit));
    for (const record of unit.records) {
      this.#packedBytes += this.#format.grownBytes(record.length);
    }
  }

  /** Takes out the next user record. @returns its unit, when this was the last record of it */
  shiftRecord(): Unit | undefined {
    const { records } = this.#units[this.#head] as Unit;
    const record = records[this.#leftOfFirst] as Uint8Array;
    this.#packedBytes -= this.#format.grownBytes(record.length);
    this.#leftOfFirst += 1;
    return this.#leftOfFirst === records.length ? this.shift() : undefined;
  }

  /** Takes out what is left of the first unit. */
  shift(): Unit | undefined {
    const unit = this.#units[this.#head];
    if (unit === undefined) return undefined;
    this.#uncountPacked(unit, this.#leftOfFirst);
    this.#leftOfFirst = 0;
    this.#head += 1;
    this.#bytes.add(unit.class, -unitBytes(unit));
    this.#compact();
    return unit;
  }

  /** Takes out, in order, the units that `isWanted` picks; it is asked once per unit, oldest first. */
  extract(isWanted: (unit: Unit) => boolean): Unit[] {
    const first = this.peek();
    const out: Unit[] = [];
    let kept = 0;
    for (let index = this.#head; index < this.#units.length; index += 1) {
      const unit = this.#units[index] as Unit;
      if (isWanted(unit)) {
        out.push(unit);
        this.#bytes.add(unit.class, -unitBytes(unit));
        this.#uncountPacked(unit, unit === first ? this.#leftOfFirst : 0);
      } else {
        this.#units[kept] = unit;
        this.#arrivedAtMs[kept] = this.#arrivedAtMs[index] as number;
        kept += 1;
      }
    }
    this.#units.length = kept;
    this.#arrivedAtMs.length = kept;
    this.#head = 0;
    if (this.peek() !== first) this.#leftOfFirst = 0;
    return out;
  }

  #uncountPacked({ records }: Unit, from: number): void {
    for (let index = from; index < records.length; index += 1) {
      this.#packedBytes -= this.#format.grownBytes(records[index]?.length ?? 0);
    }
  }

  /** Shifting an array costs its length; dropping the used front now and then costs one move per unit. */
  #compact(): void {
    if (this.#head < 64 || this.#head * 2 < this.#units.length) return;
    this.#units = this.#units.slice(this.#head);
    this.#arrivedAtMs = this.#arrivedAtMs.slice(this.#head);
    this.#head = 0;
  }
}
