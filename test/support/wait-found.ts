import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits until `check` finds something: neither `undefined` nor `false`. Does not need vitest, so programs beside the tests use it too.
 *
 * @throws Error naming `what` after `timeoutMs`
 */
export async function waitFound<T>(
  what: string,
  check: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs: number,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await check();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await sleep(25);
  }
}
