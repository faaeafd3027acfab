import { expect, test } from 'vitest';
import { packCalls } from './pack-calls.ts';

const LIMITS = { records: 3, bytes: 100, calls: 10 };

test.each([
  { name: 'nothing', entries: [], expected: [] },
  { name: 'all in one call', entries: [10, 20, 30], expected: [[10, 20, 30]] },
  { name: 'more records than a call takes', entries: [1, 2, 3, 4], expected: [[1, 2, 3], [4]] },
  { name: 'more bytes than a call takes', entries: [60, 41, 40], expected: [[60], [41, 40]] },
  { name: 'exactly as many bytes', entries: [60, 40, 1], expected: [[60, 40], [1]] },
  { name: 'one record above the bound', entries: [10, 200, 10], expected: [[10], [200], [10]] },
  {
    name: 'no more calls than allowed',
    entries: Array(9).fill(60),
    calls: 2,
    expected: [[60], [60]],
  },
  { name: 'no call allowed', entries: [1], calls: 0, expected: [] },
  {
    name: 'a record in a call of its own, the others together',
    entries: [1, -2, 3],
    expected: [[1, 3], [-2]],
  },
])('packs $name', ({ entries, calls = 10, expected }) => {
  // A negative size marks a record that wants a call of its own.
  const sizeOf = (size: number) => ({ sizeBytes: Math.abs(size), isAlone: size < 0 });
  expect(packCalls(entries, { ...LIMITS, calls }, sizeOf)).toEqual(expected);
});
