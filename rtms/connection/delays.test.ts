import { expect, test } from 'vitest';
import { redialDelayMs } from './delays.ts';

const delays = (pace: 'normal' | 'duplicate', random: number) =>
  [0, 1, 2, 3, 4, 5, 9].map((failed) => Math.round(redialDelayMs(pace, failed, () => random)));

test.each([
  ['normal', 0, [0, 500, 1000, 2000, 4000, 5000, 5000]],
  ['normal', 1, [250, 1000, 2000, 4000, 8000, 10000, 10000]],
  ['duplicate', 0, [1500, 1500, 3000, 6000, 12000, 12000, 12000]],
  ['duplicate', 1, [1650, 1650, 3300, 6600, 13200, 13200, 13200]],
] as const)('the waits before a redial at %s pace, with jitter %d', (pace, random, expected) => {
  expect(delays(pace, random)).toEqual(expected);
});

test('at least five attempts fit in the signaling window', () => {
  let atMs = 0;
  let attempts = 0;
  for (let failed = 0; atMs < 60_000; failed++, attempts++) {
    atMs += redialDelayMs('normal', failed, () => 1);
  }
  expect(attempts).toBeGreaterThan(8);
});
