import { expect, test } from 'vitest';
import { seededRandom } from './seeded-random.ts';

test('seededRandom repeats its sequence, so that the seed of an old report brings its run back', () => {
  const random = seededRandom(42);
  const numbers = [random(), random(), random()].map((number) => number * 2 ** 32);
  expect(numbers).toEqual([2_581_720_956, 1_925_393_290, 3_661_312_704]);
});
