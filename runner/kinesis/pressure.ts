import type { UnitClass } from './unit.ts';

/** Bounds of the memory that waiting units may take, bytes. */
export interface MemoryLimits {
  readonly laneBytes: number;
  /** All lanes of one session: partition keys that are equal up to the first `#`. */
  readonly sessionBytes: number;
  readonly taskBytes: number;
  /**
   * What every lane may hold whatever the others do, so that the backlog of others does not delay a key that keeps up.
   * The other bounds are exceeded by that much per lane at worst.
   */
  readonly floorBytes: number;
}

/**
 * A lane holds 25 s of 720p video, or a few full-screen pictures, before it goes to the disk. A task of 60 sessions
 * with all lanes at their floor stays below its bound.
 */
export const DEFAULT_MEMORY_LIMITS: MemoryLimits = {
  laneBytes: 4 * 1024 * 1024,
  sessionBytes: 8 * 1024 * 1024,
  taskBytes: 64 * 1024 * 1024,
  floorBytes: 128 * 1024,
};

/** Bytes that are in memory already: of a lane, its session, and the task. */
export interface MemoryLoad {
  readonly laneBytes: number;
  readonly sessionBytes: number;
  readonly taskBytes: number;
}

/** Whose bound one more unit would break. */
export type Overload = 'lane' | 'session' | 'task';

/**
 * Whether a unit has to leave memory, and on whose account. A unit that is larger than a bound by itself may still
 * have it alone.
 *
 * @param load without the unit that wants in
 * @returns undefined when it may stay in memory
 */
export function overload(
  load: MemoryLoad,
  unitBytes: number,
  limits: MemoryLimits,
): Overload | undefined {
  if (breaks(load.laneBytes, unitBytes, limits.laneBytes)) return 'lane';
  if (load.laneBytes + unitBytes <= limits.floorBytes) return undefined;
  if (breaks(load.sessionBytes, unitBytes, limits.sessionBytes)) return 'session';
  if (breaks(load.taskBytes, unitBytes, limits.taskBytes)) return 'task';
  return undefined;
}

function breaks(bytes: number, unitBytes: number, limit: number): boolean {
  return bytes > 0 && bytes + unitBytes > limit;
}

/** Drop order under memory pressure, cheapest first; oldest first within a class. */
const DROP_ORDER: readonly UnitClass[] = ['video', 'deskshare', 'audio', 'crowd', 'text', 'event'];

/** Dropped at least at a time: to choose costs a look at every lane, which one unit alone is not worth. */
export const DROP_STEP_BYTES = 64 * 1024;

/** Classes that may be dropped to let a unit of that class in, first choice first: never a dearer one. */
function droppableFor(incoming: UnitClass): readonly UnitClass[] {
  return DROP_ORDER.slice(0, DROP_ORDER.indexOf(incoming) + 1);
}

/** Something that holds units and could drop its oldest. */
export interface UnitHolder {
  /** Bytes that dropping units of that class would free. */
  droppableBytes(unitClass: UnitClass): number;
  /** Smaller is older; compared between holders only. */
  readonly oldestAtMs: number;
}

/**
 * What to drop so that a unit of class `incoming` finds room: of the cheapest class that anybody holds, the units of
 * the holder that has waited longest.
 *
 * @returns undefined when nobody holds anything that is not dearer than the unit itself
 */
export function chooseDrop<T extends UnitHolder>(
  holders: Iterable<T>,
  incoming: UnitClass,
): { readonly holder: T; readonly unitClass: UnitClass } | undefined {
  const all = [...holders];
  for (const unitClass of droppableFor(incoming)) {
    let oldest: T | undefined;
    for (const holder of all) {
      if (holder.droppableBytes(unitClass) === 0) continue;
      if (oldest === undefined || holder.oldestAtMs < oldest.oldestAtMs) oldest = holder;
    }
    if (oldest) return { holder: oldest, unitClass };
  }
  return undefined;
}
