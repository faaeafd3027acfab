import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A fuzzer's inputs by number and not by the clock, so that a seed is the same inputs on every machine. They are spread over their
 * seconds: a flood would take the loop of the arena, which is Zoom, AWS and reader in one process, and not that of the runner.
 *
 * @param perSecond at most so many
 */
export async function paced(
  seconds: number,
  perSecond: number,
  act: () => Promise<void>,
): Promise<number> {
  const sinceMs = performance.now();
  const count = Math.round(seconds * perSecond);
  for (let done = 0; done < count; done += 1) {
    const earlyMs = sinceMs + (1_000 * done) / perSecond - performance.now();
    if (earlyMs > 1) await sleep(earlyMs);
    await act();
  }
  return count;
}
