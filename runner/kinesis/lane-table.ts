import { type ByteLevel, type FlushPolicies, Lane } from './lane.ts';
import type { Packing } from './packing.ts';
import type { MemoryLoad, Overload } from './pressure.ts';
import { sessionOf } from './unit.ts';

/** Which partition keys: all of one session (what stands before the first `#`), or those a test accepts. */
export type KeySelection = string | ((partitionKey: string) => boolean);

export function selects(selection: KeySelection, partitionKey: string): boolean {
  return typeof selection === 'string'
    ? sessionOf(partitionKey) === selection
    : selection(partitionKey);
}

/** Lanes that have had nothing to do for that long are forgotten. */
const IDLE_LANE_MS = 60_000;

/** The lanes of one producer, made when their key first appears, and the memory they share. */
export class LaneTable {
  readonly task: ByteLevel = { bytes: 0 };

  readonly #policies: FlushPolicies;
  readonly #packing: Packing;
  readonly #lanes = new Map<string, Lane>();
  readonly #sessions = new Map<string, ByteLevel & { lanes: number }>();
  #sweptAtMs = 0;

  constructor(policies: FlushPolicies, packing: Packing) {
    this.#policies = policies;
    this.#packing = packing;
  }

  get size(): number {
    return this.#lanes.size;
  }

  [Symbol.iterator](): IterableIterator<Lane> {
    return this.#lanes.values();
  }

  lane(partitionKey: string): Lane {
    const known = this.#lanes.get(partitionKey);
    if (known) return known;
    const session = sessionOf(partitionKey);
    const level = this.#sessions.get(session) ?? { bytes: 0, lanes: 0 };
    level.lanes += 1;
    this.#sessions.set(session, level);
    const levels = { session: level, task: this.task };
    const lane = new Lane(partitionKey, session, this.#policies, levels, this.#packing);
    this.#lanes.set(partitionKey, lane);
    return lane;
  }

  /** @param otherBytes of the task, outside of lanes */
  load(lane: Lane, otherBytes: number): MemoryLoad {
    return {
      laneBytes: lane.bytes,
      sessionBytes: lane.sessionBytes,
      taskBytes: this.task.bytes + otherBytes,
    };
  }

  /** The lanes that share a bound with `lane`. */
  within(scope: Overload, lane: Lane): Lane[] {
    if (scope === 'lane') return [lane];
    const lanes = [...this.#lanes.values()];
    return scope === 'task' ? lanes : lanes.filter(({ session }) => session === lane.session);
  }

  /** Forgets lanes that have nothing and have long sent nothing. Looks once a minute. */
  sweep(nowMs: number): void {
    if (nowMs - this.#sweptAtMs < IDLE_LANE_MS) return;
    this.#sweptAtMs = nowMs;
    for (const lane of this.#lanes.values()) {
      if (lane.accepted !== lane.settled || nowMs - lane.lastSentAtMs < IDLE_LANE_MS) continue;
      this.#lanes.delete(lane.partitionKey);
      const level = this.#sessions.get(lane.session);
      if (level && --level.lanes === 0) this.#sessions.delete(lane.session);
    }
  }
}
