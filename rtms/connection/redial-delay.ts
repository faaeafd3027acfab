import { backoffMs } from '../../shared/backoff.ts';

/** How fast to try again: `duplicate` waits for Zoom to notice that our old connection is gone. */
export type Pace = 'normal' | 'duplicate';

/** Picks the wait before the next attempt. */
export type Backoff = (pace: Pace, failedAttempts: number, random: () => number) => number;

const FIRST_MS = 250;
const NORMAL = { baseMs: 1_000, maxMs: 10_000 };
const DUPLICATE_BASE_MS = 1_500;
const DUPLICATE_MAX_MS = 12_000;

/**
 * Milliseconds before the next attempt.
 *
 * A fresh loss is redialled at once, spread over 250 ms so that the sessions of a failed Zoom server do not
 * come back in one instant; then 1 s doubling to 10 s, each between half and whole. Zoom's guide starts at
 * 3 s, which leaves five attempts in its 60 s window; ours leaves nine. A duplicate waits 1.5 s doubling.
 *
 * @param failedAttempts 0 right after a loss
 * @param random 0 (included) to 1 (excluded)
 */
export const redialDelayMs: Backoff = (pace, failedAttempts, random) => {
  if (pace === 'duplicate') {
    const step = DUPLICATE_BASE_MS * 2 ** Math.max(0, failedAttempts - 1);
    return Math.min(DUPLICATE_MAX_MS, step) * (1 + random() / 10);
  }
  if (failedAttempts === 0) return random() * FIRST_MS;
  return backoffMs(failedAttempts, NORMAL, random());
};
