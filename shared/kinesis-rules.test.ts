import { expect, test } from 'vitest';
import { hashKeyOf, holdsHashKey } from './kinesis-rules.ts';

const LAST = 2n ** 128n - 1n;
const HALF = 2n ** 127n;

test.each([
  ['', 'd41d8cd98f00b204e9800998ecf8427e'],
  ['a', '0cc175b9c0f1b6a831c399e269772661'],
  ['Zoë', 'fb44af73417cf03c023d098e7f07c114'],
])('the hash key of %j is its MD5', (key, md5) => {
  expect(hashKeyOf(key).toString(16).padStart(32, '0')).toBe(md5);
});

test.each([
  { name: 'first of the range', hashKey: 0n, range: [0n, HALF - 1n], expected: true },
  { name: 'last of the range', hashKey: HALF - 1n, range: [0n, HALF - 1n], expected: true },
  { name: 'just behind it', hashKey: HALF, range: [0n, HALF - 1n], expected: false },
  { name: 'last of all', hashKey: LAST, range: [HALF, LAST], expected: true },
  { name: 'just before it', hashKey: HALF - 1n, range: [HALF, LAST], expected: false },
])('a shard holds a hash key: $name', ({ hashKey, range: [from, to], expected }) => {
  const range = { StartingHashKey: String(from), EndingHashKey: String(to) };
  expect(holdsHashKey(range, hashKey)).toBe(expected);
});
