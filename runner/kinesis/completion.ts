import type { Lane } from './lane.ts';
import type { DropCause, Unit } from './unit.ts';

interface Flush {
  /** How many units each lane must have written or dropped. */
  readonly until: Map<Lane, number>;
  readonly hurries: boolean;
  readonly resolve: () => void;
}

/** Counts units in and out, tells their receipts what became of them, and wakes the flushes that wait for that. */
export class Completion {
  readonly #droppedUnits: Record<DropCause, number> = {
    buffer_full: 0,
    spool_full: 0,
    write_failed: 0,
    revoked: 0,
  };
  #openUnits = 0;
  #writtenUnits = 0;
  readonly #flushes = new Set<Flush>();
  readonly #openLanes = new Set<Lane>();

  /** Accepted, and neither written nor dropped. */
  get openUnits(): number {
    return this.#openUnits;
  }

  /**
   * The lanes that have such units, those that wait longest first. A task of 2,000 transcripts has 2,000 lanes and one
   * line in twenty of them: to look at all of them, 50 times a second, took a sixth of its CPU.
   */
  get openLanes(): ReadonlySet<Lane> {
    return this.#openLanes;
  }

  /** Does anybody wait for units to be done who wants them to leave at once? */
  get isFlushing(): boolean {
    for (const { hurries } of this.#flushes) if (hurries) return true;
    return false;
  }

  get writtenUnits(): number {
    return this.#writtenUnits;
  }

  get droppedUnits(): Readonly<Record<DropCause, number>> {
    return this.#droppedUnits;
  }

  accept(lane: Lane, units: number): void {
    if (lane.done === lane.accepted) this.#openLanes.add(lane);
    lane.accept(units);
    this.#openUnits += units;
  }

  /**
   * A unit is written, or dropped when there is a cause. The caller must be done with it: its receipt may put the next
   * unit at once, and may fill in the same object again for another frame.
   */
  done(lane: Lane, unit: Unit, cause?: DropCause): void {
    lane.countDone();
    if (lane.done === lane.accepted) this.#openLanes.delete(lane);
    this.#openUnits -= 1;
    if (cause === undefined) {
      this.#writtenUnits += 1;
      unit.receipt.written(unit);
    } else {
      this.#droppedUnits[cause] += 1;
      unit.receipt.dropped(unit, cause);
    }
  }

  /**
   * Waits until each of the lanes is done with the units it has accepted so far.
   *
   * @param hurries whether calls leave sooner meanwhile, which costs CPU
   * @throws the signal's reason when it aborts first
   */
  async wait(lanes: Iterable<Lane>, signal?: AbortSignal, hurries = true): Promise<void> {
    signal?.throwIfAborted();
    const until = new Map<Lane, number>();
    for (const lane of lanes) {
      if (lane.done < lane.accepted) until.set(lane, lane.accepted);
    }
    if (until.size === 0) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const flush = { until, hurries, resolve };
    const stopWaiting = () => reject(signal?.reason);
    this.#flushes.add(flush);
    signal?.addEventListener('abort', stopWaiting, { once: true });
    try {
      await promise;
    } finally {
      this.#flushes.delete(flush);
      signal?.removeEventListener('abort', stopWaiting);
    }
  }

  /** To be called after units are done, once per batch: to look at all flushes for each unit would cost too much. */
  wake(): void {
    for (const { until, resolve } of this.#flushes) {
      for (const [lane, count] of until) if (lane.done >= count) until.delete(lane);
      if (until.size === 0) resolve();
    }
  }
}
