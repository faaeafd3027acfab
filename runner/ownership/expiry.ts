import type { TaskRow } from '../../shared/session-table/session-row.ts';

/** A task renews its heartbeat this often. */
export const HEARTBEAT_INTERVAL_MS = 3_000;

/** A task that could not renew for this long closes its sockets and stops writing. */
export const FENCE_AFTER_MS = 7_000;

/**
 * A task whose heartbeat stood still for this long, on the observer's own clock, is dead. The distance to
 * FENCE_AFTER_MS is the time a fenced task has to stop; renewals count from before their request was sent.
 */
export const EXPIRE_AFTER_MS = 10_000;

/** What an observer remembers of another task's heartbeat. */
export interface Sighting {
  readonly heartbeat: TaskRow['heartbeat'];
  /** The observer's monotonic clock when it had first seen this value. */
  readonly sinceMs: number;
}

export type Sightings = ReadonlyMap<string, Sighting>;

/** One look at the table, on the observer's monotonic clock: before it was asked and after it answered. */
export interface Look {
  readonly askedAtMs: number;
  readonly answeredAtMs: number;
}

/**
 * Takes in one look at the heartbeats. A counter stands still from when it was surely seen until another
 * look was sent out, so neither a slow answer nor a frozen observer buries a living task.
 *
 * @returns tasks that are gone from the table are forgotten
 */
export function observe(seen: Sightings, rows: Iterable<TaskRow>, look: Look): Sightings {
  const next = new Map<string, Sighting>();
  for (const { taskId, heartbeat } of rows) {
    const before = seen.get(taskId);
    const isSame = before?.heartbeat === heartbeat;
    next.set(taskId, isSame ? before : { heartbeat, sinceMs: look.answeredAtMs });
  }
  return next;
}

/** @param askedAtMs when the last look that `sighting` comes from was sent out */
export function isExpired(sighting: Sighting | undefined, askedAtMs: number): boolean {
  return sighting !== undefined && askedAtMs - sighting.sinceMs >= EXPIRE_AFTER_MS;
}
