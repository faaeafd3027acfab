import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { SHARD_END } from '../reading/checkpoints.ts';
import { comparePositions, type RecordPosition } from './group-rows.ts';

const at = (sequenceNumber: string, subSequenceNumber?: number): RecordPosition => ({
  sequenceNumber,
  ...(subSequenceNumber !== undefined && { subSequenceNumber }),
});

test.each([
  ['9', undefined, '10', undefined],
  ['7', 0, '7', 1],
  ['7', 3, '7', undefined],
  ['7', undefined, '8', 0],
  ['7', undefined, SHARD_END, undefined],
])('in a shard the position %s %s comes before %s %s', (a, subA, b, subB) => {
  expect(comparePositions(at(a, subA), at(b, subB))).toBeLessThan(0);
  expect(comparePositions(at(b, subB), at(a, subA))).toBeGreaterThan(0);
});

const position = fc.tuple(
  fc.constantFrom('1', '2', '10', '49'.padEnd(56, '0'), SHARD_END),
  fc.constantFrom(undefined, 0, 1, 2),
);

property.prop([position, position, position])('positions in a shard have one order', (a, b, c) => {
  const [first, second, third] = [at(...a), at(...b), at(...c)];
  const sign = (x: RecordPosition, y: RecordPosition) => Math.sign(comparePositions(x, y));
  expect(sign(first, second)).toBe(-sign(second, first) + 0);
  if (sign(first, second) <= 0 && sign(second, third) <= 0) {
    expect(sign(first, third)).toBeLessThanOrEqual(0);
  }
});
