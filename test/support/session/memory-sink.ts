import type { DropCause, Sink, Unit, UnitClass } from '../../../runner/kinesis/unit.ts';

type Fate = 'written' | DropCause;

/** Stands for a producer and its Kinesis stream: keeps what it is given until somebody says what becomes of it. */
export class MemorySink implements Sink {
  /** What waits. */
  readonly units: Unit[] = [];
  /** What is written or dropped. */
  readonly past: Unit[] = [];
  /** What becomes of units when somebody waits for them; `stalled`: nothing until the waiting ends. */
  fate: Fate | 'stalled' = 'written';

  put(unit: Unit): void {
    this.units.push(unit);
  }

  async flush(signal: AbortSignal): Promise<void> {
    if (this.fate !== 'stalled') {
      this.finish(this.fate);
      return;
    }
    if (this.units.length === 0) return;
    signal.throwIfAborted();
    const { promise, reject } = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    await promise;
  }

  drop(_session: string, cause: DropCause, unitClass?: UnitClass): void {
    this.finish(cause, unitClass);
  }

  /** Decides about everything that waits, or about one class of it. */
  finish(fate: Fate, unitClass?: UnitClass): void {
    for (const unit of this.units.splice(0)) {
      if (unitClass !== undefined && unit.class !== unitClass) {
        this.units.push(unit);
        continue;
      }
      this.past.push(unit);
      if (fate === 'written') unit.receipt.written(unit);
      else unit.receipt.dropped(unit, fate);
    }
  }

  /** The events among the records, in the order in which they came. */
  get lines(): { id: string; type: string; sequence: number; data: Record<string, unknown> }[] {
    const units = [...this.past, ...this.units];
    return units.map(({ records }) => JSON.parse(Buffer.from(records[0] ?? []).toString()));
  }
}
