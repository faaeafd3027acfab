/** How long failed attempts wait. */
export interface BackoffPolicy {
  /** Longest delay before the second attempt, ms. */
  readonly baseMs: number;
  /** Longest delay before any attempt, ms. */
  readonly maxMs: number;
}

/**
 * Delay before the next attempt, ms: `baseMs`, doubled with each failure up to `maxMs`, of which a random part
 * between half and all is waited. Without that part, all that failed in one instant would come back in one instant.
 *
 * @param failures how many attempts have failed so far, from 1
 * @param random uniform in [0, 1)
 */
export function backoffMs(failures: number, policy: BackoffPolicy, random: number): number {
  const exponential = policy.baseMs * 2 ** Math.min(failures - 1, 30);
  return Math.min(policy.maxMs, exponential) * (0.5 + random / 2);
}
