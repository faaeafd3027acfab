import type { Receipt, Unit, UnitClass } from '../unit.ts';
import { frameBytes, type SpoolFrame } from './segment-format.ts';

/** Units of one source with sequence numbers that follow each other. */
interface Run {
  readonly class: UnitClass;
  readonly receipt: Receipt;
  readonly fromSequence: number;
  count: number;
  payloadBytes: number;
  readonly fromMs: number;
  toMs: number;
  fileBytes: number;
}

/** A unit that came back from the disk. */
export class SpooledUnit implements Unit {
  readonly partitionKey: string;
  readonly class: UnitClass;
  readonly records: readonly Uint8Array[];
  readonly sequence: number;
  readonly capturedAtMs: number;
  readonly payloadBytes: number;
  readonly receipt: Receipt;
  readonly segment: SpoolSegment;

  constructor(
    segment: SpoolSegment,
    frame: SpoolFrame,
    receipt: Receipt,
    records: readonly Uint8Array[],
  ) {
    this.partitionKey = segment.partitionKey;
    this.class = frame.class;
    this.records = records;
    this.sequence = frame.sequence;
    this.capturedAtMs = frame.capturedAtMs;
    this.payloadBytes = frame.payloadBytes;
    this.receipt = receipt;
    this.segment = segment;
  }
}

/**
 * What memory knows of one segment file: enough to tell every receipt even if the file cannot be read, and to drop its
 * units without reading it. It costs one small object per run of consecutive units, not one per unit.
 */
export class SpoolSegment {
  readonly partitionKey: string;
  readonly path: string;
  /** Written by an earlier process, whose receipts died with it. */
  readonly isRecovered: boolean;
  /**
   * `open`: may be appended to. `busy`: the disk reads or writes it. `closed`: complete. `loaded`: its units are in
   * memory, the file is kept until all are written or dropped. `gone`: the file is removed.
   */
  state: 'open' | 'busy' | 'closed' | 'loaded' | 'gone' = 'open';
  /** What the file must hold: its header and the units not dropped. */
  bytes: number;
  /** Length of the file's intact part; more than `bytes` until the file is rewritten without the dropped units. */
  fileBytes = 0;
  /** Units that are neither written nor dropped. */
  units = 0;

  readonly #receipts: Receipt[] = [];
  readonly #droppedClasses = new Set<UnitClass>();
  #runs: Run[] = [];
  readonly #lastRuns = new Map<Receipt, Run>();

  constructor(partitionKey: string, path: string, headerBytes: number, isRecovered: boolean) {
    this.partitionKey = partitionKey;
    this.path = path;
    this.bytes = headerBytes;
    this.isRecovered = isRecovered;
  }

  /** By Zoom's clock; Infinity when empty. */
  get oldestAtMs(): number {
    return this.#runs[0]?.fromMs ?? Number.POSITIVE_INFINITY;
  }

  /** One of its units is written or dropped. */
  countDone(): void {
    this.units -= 1;
  }

  receiptIndex(receipt: Receipt): number {
    const known = this.#receipts.indexOf(receipt);
    return known >= 0 ? known : this.#receipts.push(receipt) - 1;
  }

  /** Takes up what an earlier process wrote; its receipts died with it. */
  recover(frames: readonly SpoolFrame[], fileBytes: number): void {
    this.state = 'closed';
    this.fileBytes = fileBytes;
    for (const frame of frames) {
      const receipt = this.#receipts[frame.receiptIndex] ?? unheardReceipt();
      this.#receipts[frame.receiptIndex] = receipt;
      this.add({ ...frame, partitionKey: this.partitionKey, receipt });
    }
  }

  /** The unit stands at the end of the file. */
  add(unit: Unit): void {
    const fileBytes = frameBytes(unit);
    this.bytes += fileBytes;
    this.units += 1;
    const last = this.#lastRuns.get(unit.receipt);
    if (last?.class === unit.class && last.fromSequence + last.count === unit.sequence) {
      last.count += 1;
      last.payloadBytes += unit.payloadBytes;
      last.toMs = unit.capturedAtMs;
      last.fileBytes += fileBytes;
      return;
    }
    const run: Run = {
      class: unit.class,
      receipt: unit.receipt,
      fromSequence: unit.sequence,
      count: 1,
      payloadBytes: unit.payloadBytes,
      fromMs: unit.capturedAtMs,
      toMs: unit.capturedAtMs,
      fileBytes,
    };
    this.#runs.push(run);
    this.#lastRuns.set(unit.receipt, run);
  }

  /** Bytes that dropping units of that class would free now. */
  droppableBytes(unitClass: UnitClass): number {
    if (this.state !== 'open' && this.state !== 'closed') return 0;
    let total = 0;
    for (const run of this.#runs) if (run.class === unitClass) total += run.fileBytes;
    return total;
  }

  /** Drops the units of one class, or all, from what the file should hold. @returns them, without records */
  drop(unitClass?: UnitClass): Unit[] {
    // Nothing may be appended: from here on, all frames of the class in this file count as dropped.
    this.state = 'closed';
    if (unitClass) this.#droppedClasses.add(unitClass);
    const dropped = this.#runs.filter((run) => unitClass === undefined || run.class === unitClass);
    this.#runs = this.#runs.filter((run) => !dropped.includes(run));
    this.#lastRuns.clear();
    const units: Unit[] = [];
    for (const run of dropped) {
      this.bytes -= run.fileBytes;
      this.units -= run.count;
      units.push(...expand(run, this.partitionKey));
    }
    return units;
  }

  /** Whether the unit of that frame was not dropped. */
  keeps(frame: SpoolFrame): boolean {
    return !this.#droppedClasses.has(frame.class);
  }

  /**
   * Matches what was read with what was written.
   *
   * @param frames the intact frames, in order
   * @param mark for the records of an earlier process
   * @returns `units` with their receipts, and those that the file should have held besides
   */
  load(
    frames: readonly SpoolFrame[],
    mark: (record: Uint8Array) => Uint8Array,
  ): { units: SpooledUnit[]; missing: Unit[] } {
    const units: SpooledUnit[] = [];
    for (const frame of frames) {
      const receipt = this.#receipts[frame.receiptIndex];
      if (!receipt || !this.keeps(frame)) continue;
      const records = this.isRecovered ? frame.records.map(mark) : frame.records;
      units.push(new SpooledUnit(this, frame, receipt, records));
    }
    if (units.length === this.units) return { units, missing: [] };
    const read = new Map<Receipt, Set<number>>();
    for (const { receipt, sequence } of units) {
      const sequences = read.get(receipt) ?? new Set();
      read.set(receipt, sequences.add(sequence));
    }
    const missing = this.#runs
      .flatMap((run) => expand(run, this.partitionKey))
      .filter((unit) => !read.get(unit.receipt)?.has(unit.sequence));
    this.units = units.length;
    return { units, missing };
  }
}

function unheardReceipt(): Receipt {
  return { written() {}, dropped() {} };
}

/** The units of a run as far as memory knows them: capture times evenly spaced, payload bytes evenly spread. */
function expand(run: Run, partitionKey: string): Unit[] {
  const { count, fromMs, toMs, payloadBytes } = run;
  return Array.from({ length: count }, (_, index) => ({
    partitionKey,
    class: run.class,
    records: [],
    sequence: run.fromSequence + index,
    capturedAtMs:
      count === 1 ? fromMs : Math.round(fromMs + ((toMs - fromMs) * index) / (count - 1)),
    payloadBytes:
      Math.floor((payloadBytes * (index + 1)) / count) - Math.floor((payloadBytes * index) / count),
    receipt: run.receipt,
  }));
}
