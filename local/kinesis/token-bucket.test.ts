import { expect, test } from 'vitest';
import { createTokenBucket, hasTokens, takeTokens } from './token-bucket.ts';

test('a token bucket allows a burst of one second, then the rate', () => {
  const bucket = createTokenBucket(1000, 0);
  expect(hasTokens(bucket, 1000, 0)).toBe(true);
  takeTokens(bucket, 1000);
  expect(hasTokens(bucket, 1, 0)).toBe(false);
  expect(hasTokens(bucket, 250, 249)).toBe(false);
  expect(hasTokens(bucket, 250, 250)).toBe(true);
});

test('a token bucket saves no more than one second', () => {
  const bucket = createTokenBucket(1000, 0);
  takeTokens(bucket, 1000);
  hasTokens(bucket, 1, 60_000);
  expect(bucket.level).toBe(1000);
});

test('a full token bucket allows an amount larger than itself, which has to be refilled', () => {
  const bucket = createTokenBucket(1000, 0);
  expect(hasTokens(bucket, 10_000, 0)).toBe(true);
  takeTokens(bucket, 10_000);
  expect(hasTokens(bucket, 1, 9_000)).toBe(false);
  expect(hasTokens(bucket, 1, 9_001)).toBe(true);
  expect(hasTokens(bucket, 10_000, 9_999)).toBe(false);
  expect(hasTokens(bucket, 10_000, 10_000)).toBe(true);
});

test('a token bucket ignores a clock that goes back', () => {
  const bucket = createTokenBucket(1000, 5_000);
  takeTokens(bucket, 1000);
  expect(hasTokens(bucket, 1, 1_000)).toBe(false);
  expect(hasTokens(bucket, 1, 5_001)).toBe(true);
});
