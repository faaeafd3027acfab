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
 * What memory knows of one segment file: enough to tell every receipt even if the file cannot be read, and
 * to drop its units without reading it. Costs one small object per run, not per unit.
 */
export class SpoolSegment {
  readonly partitionKey: string;
  readonly path: string;
  /** Written by an earlier process: nobody waits for receipts. */
  readonly isRecovered: boolean;
  /**
   * `open`: may be appended to. `busy`: the disk is at it. `closed`: complete. `loaded`: its units are in
   * memory, the file is kept until all are settled. `gone`: the file is removed.
   */
  state: 'open' | 'busy' | 'closed' | 'loaded' | 'gone' = 'open';
  /** What the file must hold: its header and the units not dropped. */
  bytes: number;
  /** Length of the file's intact part; more than `bytes` until dropped units are cut out. */
  fileBytes = 0;
  /** Units not yet settled. */
  units = 0;

  readonly #receipts: Receipt[] = [];
  readonly #shed = new Set<UnitClass>();
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

  receiptIndex(receipt: Receipt): number {
    const known = this.#receipts.indexOf(receipt);
    return known >= 0 ? known : this.#receipts.push(receipt) - 1;
  }

  /** Takes up what an earlier process wrote; its receipts died with it. */
  recover(frames: readonly SpoolFrame[], fileBytes: number): void {
    this.state = 'closed';
    this.fileBytes = fileBytes;
    for (const frame of frames) {
      const receipt = this.#receipts[frame.receiptIndex] ?? deafReceipt();
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
  sheddable(unitClass: UnitClass): number {
    if (this.state !== 'open' && this.state !== 'closed') return 0;
    let total = 0;
    for (const run of this.#runs) if (run.class === unitClass) total += run.fileBytes;
    return total;
  }

  /** Forgets units of one class, or all; the file is the caller's business. @returns them, without records */
  take(unitClass?: UnitClass): Unit[] {
    // Nothing may follow: from here on the class tells which frames of the file are still meant.
    this.state = 'closed';
    if (unitClass) this.#shed.add(unitClass);
    const condemned = this.#runs.filter(
      (run) => unitClass === undefined || run.class === unitClass,
    );
    this.#runs = this.#runs.filter((run) => !condemned.includes(run));
    this.#lastRuns.clear();
    const units: Unit[] = [];
    for (const run of condemned) {
      this.bytes -= run.fileBytes;
      this.units -= run.count;
      units.push(...expand(run, this.partitionKey));
    }
    return units;
  }

  /** Is the unit of that frame still wanted? */
  keeps(frame: SpoolFrame): boolean {
    return !this.#shed.has(frame.class);
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

function deafReceipt(): Receipt {
  return { written() {}, dropped() {} };
}

/** The units of a run as far as they are remembered: capture times evenly spaced, bytes evenly spread. */
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
