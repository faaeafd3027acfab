import { expect, test } from 'vitest';
import { nextDueMs } from './catch-up.ts';

test.each([
  { name: 'a key on time', dueMs: 10_000, bytesPerMs: 100, expected: 10_100 },
  { name: 'a quiet key waits longer', dueMs: 10_000, bytesPerMs: 40, expected: 10_250 },
  { name: 'an unknown key passes for a quiet one', dueMs: 10_000, bytesPerMs: 0, expected: 10_500 },
  { name: 'a key that had no backlog for long', dueMs: -1e9, bytesPerMs: 100, expected: 9_100 },
  { name: 'a key that had all for itself', dueMs: 10_950, bytesPerMs: 100, expected: 11_000 },
])('when a backlog sends next: $name', ({ dueMs, bytesPerMs, expected }) => {
  expect(nextDueMs(dueMs, 30_000, bytesPerMs, 10_000)).toBe(expected);
});

test('keys that share a shard each get three times their live rate where it can give that', () => {
  // Bytes a millisecond: one video and two audio keys, on a shard of 1,000 that could give each 4.3 times.
  const keys = [157, 37, 37].map((rate) => ({ rate, dueMs: 0, sentBytes: 0, sentAtMs: 0 }));
  const record = 25_000;
  const spanMs = 60_000;
  for (let nowMs = 0; nowMs < spanMs; nowMs += 25) {
    keys.sort((a, b) => a.dueMs - b.dueMs || a.sentAtMs - b.sentAtMs);
    const [first] = keys;
    if (!first) continue;
    first.dueMs = nextDueMs(first.dueMs, record, first.rate, nowMs);
    first.sentAtMs = nowMs;
    first.sentBytes += record;
  }
  for (const { rate, sentBytes } of keys) {
    expect(sentBytes / spanMs / rate).toBeGreaterThan(2.95);
  }
});
