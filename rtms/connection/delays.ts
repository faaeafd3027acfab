import { backoffMs } from '../../shared/backoff.ts';

/** How fast to dial again. `duplicate` is slower: Zoom has to notice first that our old connection is gone. */
export type Pace = 'normal' | 'duplicate';

/** The wait before the next attempt, ms. */
export type Backoff = (pace: Pace, failedAttempts: number, random: () => number) => number;

const FIRST_MS = 250;
const NORMAL = { baseMs: 1_000, maxMs: 10_000 };
const DUPLICATE_BASE_MS = 1_500;
const DUPLICATE_MAX_MS = 12_000;

/**
 * Milliseconds before the next attempt.
 *
 * After a loss the first attempt comes within 250 ms, at a random moment, so that the sessions of a failed Zoom server do
 * not all come back in one instant. Then the wait doubles from 1 s to 10 s, of which a random part between half and all
 * is waited. Zoom's guide starts at 3 s, which leaves five attempts in its 60 s window; this leaves nine. After a
 * duplicate the wait doubles from 1.5 s to 12 s.
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

/** Calls back after `delayMs` unless the signal aborts first. */
export function after(delayMs: number, signal: AbortSignal, callback: () => void): void {
  if (signal.aborted) return;
  const timer = setTimeout(() => {
    signal.removeEventListener('abort', cancel);
    callback();
  }, delayMs);
  const cancel = () => clearTimeout(timer);
  signal.addEventListener('abort', cancel, { once: true });
}
