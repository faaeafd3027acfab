import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { fitsADay, reshardSteps } from './reshard.ts';

test.each([
  [4, 4, []],
  [4, 8, [8]],
  [4, 30, [8, 16, 30]],
  [66, 10, [33, 17, 10]],
  [3, 1, [2, 1]],
  [1, 2, [2]],
])('from %d to %d shards the steps are %j', (current, target, steps) => {
  expect(reshardSteps(current, target)).toEqual(steps);
});

const shards = fc.integer({ min: 1, max: 10_000 });

property.prop([shards, shards])(
  'every reshard step is one that Kinesis allows, and the last is the target',
  (current, target) => {
    const steps = reshardSteps(current, target);
    expect(steps.at(-1) ?? current).toBe(target);
    for (const [index, next] of steps.entries()) {
      const before = steps[index - 1] ?? current;
      expect(next).toBeLessThanOrEqual(before * 2);
      expect(next).toBeGreaterThanOrEqual(before / 2);
    }
  },
);

test('fitsADay is false for more than ten reshard steps', () => {
  expect(fitsADay(reshardSteps(1, 1_024))).toBe(true);
  expect(fitsADay(reshardSteps(1, 1_025))).toBe(false);
});
