import { expect, test } from 'vitest';
import { LoopShare, LoopUse } from './loop-share.ts';

/** A session whose reads take `readMs` each, as often as it may, for `forMs`; others use `othersMs` a second. */
function run(readMs: number, everyMs: number, forMs: number, othersMs = 0) {
  const all = new LoopUse();
  let exhausted = 0;
  const share = new LoopShare(all, () => {
    exhausted += 1;
  });
  let [nowMs, usedMs, restedMs] = [10_000, 0, 0];
  const endMs = nowMs + forMs;
  let endedAtMs: number | undefined;
  while (nowMs < endMs) {
    all.spent((othersMs * everyMs) / 1_000, nowMs);
    nowMs += readMs;
    usedMs += readMs;
    const restMs = share.spent(readMs, nowMs);
    restedMs += restMs;
    if (exhausted > 0) endedAtMs ??= nowMs - 10_000;
    nowMs += Math.max(everyMs - readMs, restMs);
  }
  return { share: usedMs / forMs, restedMs, endedAtMs };
}

test('a session as they are is never slowed', () => {
  expect(run(1, 20, 60_000)).toMatchObject({ restedMs: 0, endedAtMs: undefined });
  expect(run(4, 20, 60_000)).toMatchObject({ restedMs: 0, endedAtMs: undefined });
});

test('a burst is not slowed', () => {
  expect(run(5, 5, 400)).toMatchObject({ restedMs: 0, endedAtMs: undefined });
});

test('a session that would use the whole loop is held to a quarter of it, and ends', () => {
  const { share, endedAtMs } = run(20, 20, 30_000);
  expect(share).toBeLessThan(0.3);
  expect(endedAtMs).toBeGreaterThan(5_000);
  expect(endedAtMs).toBeLessThan(30_000);
});

test('a single read that takes seconds is paid for with rest', () => {
  expect(run(3_500, 3_500, 3_500).restedMs).toBeGreaterThan(3_500);
});

test('nobody is slowed where everybody takes long', () => {
  expect(run(8, 20, 60_000, 900)).toMatchObject({ restedMs: 0, endedAtMs: undefined });
});
