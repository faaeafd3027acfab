import type { MemoryPool } from '../../shared/memory-pool.ts';
import { type ByteLevel, type FlushPolicies, Lane } from './lane.ts';
import {
  chooseDrop,
  DROP_STEP_BYTES,
  type MemoryLimits,
  type Overload,
  overload,
} from './pressure.ts';
import type { RecordFormat } from './record-format.ts';
import { sessionOf, type Unit, unitBytes } from './unit.ts';

/** Which partition keys: all of one session (what stands before the first `#`), or those that a function accepts. */
export type KeySelection = string | ((partitionKey: string) => boolean);

/** Whether a selection names this partition key. */
export function selects(selection: KeySelection, partitionKey: string): boolean {
  return typeof selection === 'string'
    ? sessionOf(partitionKey) === selection
    : selection(partitionKey);
}

export interface LaneTableOptions {
  readonly policies: FlushPolicies;
  readonly format: RecordFormat;
  readonly memory: MemoryPool;
  readonly limits: MemoryLimits;
}

/** A lane that has had nothing to do for that long is removed; its key gets a new one when it comes back. */
const IDLE_LANE_MS = 60_000;

/** The lanes of one producer, made when their key first appears, and the memory bounds they share. */
export class LaneTable {
  readonly #options: LaneTableOptions;
  readonly #task: ByteLevel = { bytes: 0 };
  readonly #lanes = new Map<string, Lane>();
  readonly #sessions = new Map<string, ByteLevel & { lanes: number }>();
  #sweptAtMs = 0;

  constructor(options: LaneTableOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#lanes.size;
  }

  /** Memory of all lanes. */
  get bytes(): number {
    return this.#task.bytes;
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
    const { policies, format, memory } = this.#options;
    const lane = new Lane({
      partitionKey,
      session,
      policies,
      format,
      memory,
      sessionLevel: level,
      taskLevel: this.#task,
    });
    this.#lanes.set(partitionKey, lane);
    return lane;
  }

  /**
   * Whose memory bound the unit would break in its lane.
   *
   * @param otherBytes memory of the task that lies in no lane
   */
  overload(lane: Lane, unit: Unit, otherBytes: number): Overload | undefined {
    const load = {
      laneBytes: lane.bytes,
      sessionBytes: lane.sessionBytes,
      taskBytes: this.#task.bytes + otherBytes,
    };
    return overload(load, unitBytes(unit), this.#options.limits);
  }

  /**
   * Drops queued units until one more fits into its lane.
   *
   * @param dropped told of each batch, at once
   * @returns false when nothing is left that is not dearer than the unit
   */
  makeRoom(
    lane: Lane,
    unit: Unit,
    dropped: (holder: Lane, units: readonly Unit[]) => void,
  ): boolean {
    for (let scope = this.overload(lane, unit, 0); scope; scope = this.overload(lane, unit, 0)) {
      const drop = chooseDrop(this.#sharing(scope, lane), unit.class);
      if (!drop) return false;
      const bytes = Math.max(DROP_STEP_BYTES, unitBytes(unit));
      dropped(drop.holder, drop.holder.dropOldest(drop.unitClass, bytes));
    }
    return true;
  }

  /** The lanes that share a bound with `lane`. */
  #sharing(scope: Overload, lane: Lane): Lane[] {
    if (scope === 'lane') return [lane];
    const lanes = [...this.#lanes.values()];
    return scope === 'task' ? lanes : lanes.filter(({ session }) => session === lane.session);
  }

  /** Removes lanes that are empty and have long sent nothing. Looks once a minute. */
  sweep(nowMs: number): void {
    if (nowMs - this.#sweptAtMs < IDLE_LANE_MS) return;
    this.#sweptAtMs = nowMs;
    for (const lane of this.#lanes.values()) {
      if (lane.accepted !== lane.done || nowMs - lane.lastSentAtMs < IDLE_LANE_MS) continue;
      this.#lanes.delete(lane.partitionKey);
      const level = this.#sessions.get(lane.session);
      if (level && --level.lanes === 0) this.#sessions.delete(lane.session);
    }
  }
}
