import { expect, test } from 'vitest';
import { evenRanges, hashPartitionKey, MAX_HASH_KEY, parseHashKey } from './shard.ts';

// Digests of RFC 1321, A.5.
test.each([
  ['a', '0cc175b9c0f1b6a831c399e269772661'],
  ['abc', '900150983cd24fb0d6963f7d28e17f72'],
  ['message digest', 'f96b697d7cb7938d525a2f31aaf161d0'],
])('partition key %j is hashed with MD5', (key, digest) => {
  expect(hashPartitionKey(key)).toBe(BigInt(`0x${digest}`));
});

test.each([
  ['0', 0n],
  ['340282366920938463463374607431768211455', MAX_HASH_KEY],
  ['340282366920938463463374607431768211456', undefined],
  ['-1', undefined],
  ['01', undefined],
  ['1.0', undefined],
  ['', undefined],
])('parseHashKey reads %j as %s', (text, value) => {
  expect(parseHashKey(text)).toBe(value);
});

test('three even ranges meet without a gap and end at the last hash key', () => {
  const [a, b, c] = evenRanges(3);
  expect(a?.start).toBe(0n);
  expect(b?.start).toBe((a?.end ?? 0n) + 1n);
  expect(c?.start).toBe((b?.end ?? 0n) + 1n);
  expect(c?.end).toBe(MAX_HASH_KEY);
});
