import type { Lane } from './lane.ts';
import type { DropCause, Unit } from './unit.ts';

interface Waiter {
  /** How many units each lane must have settled. */
  readonly until: Map<Lane, number>;
  readonly resolve: () => void;
}

/** Counts units in and out, tells their receipts, and wakes those who wait for that. */
export class Settlement {
  /** Accepted, and neither written nor dropped. */
  open = 0;
  writtenUnits = 0;
  readonly droppedUnits: Record<DropCause, number> = {
    buffer_full: 0,
    spool_full: 0,
    write_failed: 0,
    revoked: 0,
  };

  readonly #waiters = new Set<Waiter>();

  accept(lane: Lane, units: number): void {
    lane.accepted += units;
    this.open += units;
  }

  /** The end of a unit. Whoever calls must be done with it: a receipt may put the next unit right here. */
  settle(lane: Lane, unit: Unit, cause?: DropCause): void {
    lane.settled += 1;
    this.open -= 1;
    if (cause === undefined) {
      this.writtenUnits += 1;
      unit.receipt.written(unit);
    } else {
      this.droppedUnits[cause] += 1;
      unit.receipt.dropped(unit, cause);
    }
  }

  /**
   * Waits until each of the lanes has settled what it has accepted so far.
   *
   * @throws the signal's reason when it aborts first
   */
  async wait(lanes: Iterable<Lane>, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const until = new Map<Lane, number>();
    for (const lane of lanes) {
      if (lane.settled < lane.accepted) until.set(lane, lane.accepted);
    }
    if (until.size === 0) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter = { until, resolve };
    const giveUp = () => reject(signal?.reason);
    this.#waiters.add(waiter);
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      await promise;
    } finally {
      this.#waiters.delete(waiter);
      signal?.removeEventListener('abort', giveUp);
    }
  }

  /** To be called after units were settled, once per batch. */
  wake(): void {
    for (const { until, resolve } of this.#waiters) {
      for (const [lane, count] of until) if (lane.settled >= count) until.delete(lane);
      if (until.size === 0) resolve();
    }
  }
}
