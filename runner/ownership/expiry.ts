import type { LeaseTimes } from '../../shared/lease/lease.ts';

/** A task renews its heartbeat this often. */
export const HEARTBEAT_INTERVAL_MS = 3_000;

/** A task that could not renew for this long closes its sockets and stops writing. */
export const FENCE_AFTER_MS = 7_000;

/**
 * A task whose heartbeat has not changed for this long, on the observer's own clock, counts as dead. The distance to
 * FENCE_AFTER_MS is for records that are already on their way when the task is fenced.
 */
export const EXPIRE_AFTER_MS = 10_000;

export const TASK_LEASE: LeaseTimes = {
  intervalMs: HEARTBEAT_INTERVAL_MS,
  slowAfterMs: 2_000,
  retryMs: 500,
  watchMs: 250,
  fenceAfterMs: FENCE_AFTER_MS,
};
