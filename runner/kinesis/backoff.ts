export interface BackoffPolicy {
  /** Longest delay before the second attempt, ms. */
  readonly baseMs: number;
  /** Longest delay before any attempt, ms. */
  readonly maxMs: number;
}

/**
 * Delay before an attempt: exponential, then anything between half of it and all of it, so that lanes that
 * failed together do not come back together.
 *
 * @param failures how often the record has failed so far, from 1
 * @param random uniform in [0, 1)
 */
export function backoffMs(failures: number, policy: BackoffPolicy, random: number): number {
  const exponential = policy.baseMs * 2 ** Math.min(failures - 1, 30);
  return Math.min(policy.maxMs, exponential) * (0.5 + random / 2);
}
