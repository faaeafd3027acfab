import { FENCE_AFTER_MS } from './expiry.ts';

/**
 * A task's right to serve. A *term* is a stretch of time without a lapse: whatever was claimed in a term
 * is void when the term is over, even if the heartbeat has recovered since, because others may have taken
 * it in between.
 */
export interface Lease {
  readonly term: number;
  /** The task's monotonic clock when the last renewal was sent; undefined while there is no right. */
  readonly renewedAtMs: number | undefined;
}

export const NO_LEASE: Lease = { term: 0, renewedAtMs: undefined };

/** The lease as it is now: the same object while it holds, another without a right once it is late. */
export function leaseAt(lease: Lease, nowMs: number): Lease {
  if (lease.renewedAtMs === undefined || nowMs - lease.renewedAtMs < FENCE_AFTER_MS) return lease;
  return { term: lease.term + 1, renewedAtMs: undefined };
}

/**
 * Takes in a renewal's answer, which may be late itself, or come after that of a newer one.
 *
 * @param sentAtMs when the renewal was sent: observers cannot have seen it earlier
 */
export function renewed(lease: Lease, sentAtMs: number, nowMs: number): Lease {
  const { term, renewedAtMs = sentAtMs } = leaseAt(lease, nowMs);
  return leaseAt({ term, renewedAtMs: Math.max(renewedAtMs, sentAtMs) }, nowMs);
}

/** May what was claimed in `term` be served, by a lease just brought up to date? */
export function holds(lease: Lease, term: number): boolean {
  return lease.renewedAtMs !== undefined && lease.term === term;
}
