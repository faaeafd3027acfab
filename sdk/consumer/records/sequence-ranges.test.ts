import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { SequenceRanges } from './sequence-ranges.ts';

describe('SequenceRanges', () => {
  property.prop([fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 })])(
    'answers as a Set of the same numbers does',
    (numbers) => {
      const ranges = new SequenceRanges();
      const set = new Set<number>();
      for (const number of numbers) {
        expect(ranges.add(number)).toBe(!set.has(number));
        set.add(number);
      }
      for (let number = 0; number <= 41; number++) expect(ranges.has(number)).toBe(set.has(number));
      expect(ranges.count).toBe(set.size);
      expect(ranges.last).toBe(Math.max(0, ...set));
      const lacking = ranges.missing(40).flatMap(({ from, to }) => numbersOf(from, to));
      expect(lacking).toEqual(numbersOf(1, 40).filter((number) => !set.has(number)));
    },
  );

  property.prop([
    fc.array(fc.tuple(fc.integer({ min: 1, max: 30 }), fc.nat({ max: 6 })), { maxLength: 20 }),
  ])('joins ranges that touch or overlap', (spans) => {
    const ranges = new SequenceRanges();
    const set = new Set<number>();
    for (const [from, length] of spans) {
      ranges.addRange({ from, to: from + length });
      for (const number of numbersOf(from, from + length)) set.add(number);
    }
    const held = ranges.ranges.flatMap(({ from, to }) => numbersOf(from, to));
    expect(held).toEqual([...set].sort((a, b) => a - b));
    for (const [index, range] of ranges.ranges.entries()) {
      const next = ranges.ranges[index + 1];
      if (next) expect(next.from).toBeGreaterThan(range.to + 1);
    }
  });

  test('stays small over a million numbers in a row', () => {
    const ranges = new SequenceRanges();
    for (let number = 1; number <= 1_000_000; number++) ranges.add(number);
    expect(ranges.ranges).toEqual([{ from: 1, to: 1_000_000 }]);
  });

  test('closes the oldest gap when there are more ranges than it may hold', () => {
    const ranges = new SequenceRanges(2);
    for (const number of [1, 3, 5]) ranges.add(number);
    expect(ranges.ranges).toEqual([
      { from: 1, to: 3 },
      { from: 5, to: 5 },
    ]);
  });
});

function numbersOf(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
