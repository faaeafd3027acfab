import { expect, test } from 'vitest';
import { backoffMs } from './backoff.ts';

test.each([
  { failures: 1, random: 0, expected: 50 },
  { failures: 1, random: 1, expected: 100 },
  { failures: 2, random: 1, expected: 200 },
  { failures: 3, random: 0.5, expected: 300 },
  { failures: 9, random: 1, expected: 5_000 },
  { failures: 5_000, random: 0, expected: 2_500 },
])('after failure $failures, with $random drawn, waits $expected ms', (row) => {
  expect(backoffMs(row.failures, { baseMs: 100, maxMs: 5_000 }, row.random)).toBe(row.expected);
});
