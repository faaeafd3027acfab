import type { TaskRow } from '../../shared/session-table/session-row.ts';

/** A task renews its heartbeat this often. */
export const HEARTBEAT_INTERVAL_MS = 3_000;

/** A task that could not renew for this long closes its sockets and stops writing. */
export const FENCE_AFTER_MS = 7_000;

/**
 * A task whose heartbeat has not changed for this long, on the observer's own clock, counts as dead. The distance to
 * FENCE_AFTER_MS is for records that are already on their way when the task is fenced.
 */
export const EXPIRE_AFTER_MS = 10_000;

/** The last change that an observer has seen of another task's heartbeat. */
export interface Sighting {
  readonly heartbeat: TaskRow['heartbeat'];
  /** The observer's monotonic clock when it had seen this value for the first time. */
  readonly sinceMs: number;
}

export type Sightings = ReadonlyMap<string, Sighting>;

/** One look at the table, on the observer's monotonic clock: before it was asked and after it answered. */
export interface Look {
  readonly askedAtMs: number;
  readonly answeredAtMs: number;
}

/**
 * Takes in one look at the heartbeats. The time without a change runs from the answer that showed a value first to the
 * sending of the latest look, so a slow read or a paused observer never declares a live task dead.
 *
 * @returns what is known now; nothing of tasks that are gone from the table
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

/** @param askedAtMs when the latest look was sent out, on the clock of `sighting` */
export function isExpired(sighting: Sighting | undefined, askedAtMs: number): boolean {
  return sighting !== undefined && askedAtMs - sighting.sinceMs >= EXPIRE_AFTER_MS;
}
