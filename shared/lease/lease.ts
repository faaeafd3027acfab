/** The clocks of a lease. Others may take over only later than `fenceAfterMs`, see sightings.ts. */
export interface LeaseTimes {
  /** The heartbeat is renewed this often. */
  readonly intervalMs: number;
  /**
   * A renewal without an answer after this long gets a second one beside it, over another connection, and stays. Do not
   * cancel it: if the table is only a little slow, cancelling would fence everybody.
   */
  readonly slowAfterMs: number;
  readonly retryMs: number;
  /** How often the lease is checked. In a process that was frozen this timer fires as soon as the process goes on. */
  readonly watchMs: number;
  /** Whoever could not renew for this long stops serving. */
  readonly fenceAfterMs: number;
}

/**
 * A member's right to serve. A *term* is a time without a lapse. What was claimed in a term is void when the term is over,
 * even if the heartbeat has recovered since, because others may have claimed it in between.
 */
export interface Lease {
  readonly term: number;
  /** The member's monotonic clock when the last renewal that counts was sent; undefined while there is no right. */
  readonly renewedAtMs: number | undefined;
}

export const NO_LEASE: Lease = { term: 0, renewedAtMs: undefined };

/** @returns the lease as it is now: the same object while it holds, another one without a right when it has lapsed */
export function leaseAt(lease: Lease, nowMs: number, fenceAfterMs: number): Lease {
  if (lease.renewedAtMs === undefined || nowMs - lease.renewedAtMs < fenceAfterMs) return lease;
  return { term: lease.term + 1, renewedAtMs: undefined };
}

/**
 * Takes in the answer to a renewal. The answer may be late, or come after the answer to a newer renewal.
 *
 * @param sentAtMs when the renewal was sent: observers cannot have seen the new heartbeat earlier
 */
export function renewed(
  lease: Lease,
  sentAtMs: number,
  nowMs: number,
  fenceAfterMs: number,
): Lease {
  const { term, renewedAtMs = sentAtMs } = leaseAt(lease, nowMs, fenceAfterMs);
  const latest = { term, renewedAtMs: Math.max(renewedAtMs, sentAtMs) };
  return leaseAt(latest, nowMs, fenceAfterMs);
}

/** @returns whether what was claimed in `term` may be served, given a lease that `leaseAt` has just brought up to date */
export function holds(lease: Lease, term: number): boolean {
  return lease.renewedAtMs !== undefined && lease.term === term;
}
