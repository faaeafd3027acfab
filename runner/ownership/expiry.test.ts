import { expect, test } from 'vitest';
import {
  isExpired as isExpiredAfter,
  observe,
  type Sighting,
} from '../../shared/lease/sightings.ts';
import { EXPIRE_AFTER_MS } from './expiry.ts';

const row = (heartbeat: number) => ({ id: 't', heartbeat });
const isExpired = (sighting: Sighting | undefined, askedAtMs: number) =>
  isExpiredAfter(sighting, askedAtMs, EXPIRE_AFTER_MS);
const at = (askedAtMs: number, answeredAtMs = askedAtMs) => ({ askedAtMs, answeredAtMs });

test('a task whose counter did not change between two looks expires', () => {
  const first = observe(new Map(), [row(1)], at(0));
  const later = observe(first, [row(1)], at(EXPIRE_AFTER_MS));
  expect(isExpired(later.get('t'), EXPIRE_AFTER_MS - 1)).toBe(false);
  expect(isExpired(later.get('t'), EXPIRE_AFTER_MS)).toBe(true);
});

test('the time that an answer took does not count towards the expiry of a task', () => {
  const first = observe(new Map(), [row(1)], at(0, 2_500));
  const later = observe(first, [row(1)], at(EXPIRE_AFTER_MS, EXPIRE_AFTER_MS + 2_500));
  expect(isExpired(later.get('t'), EXPIRE_AFTER_MS)).toBe(false);
});

test('a task that lived on while its observer was frozen does not expire', () => {
  const first = observe(new Map(), [row(1)], at(0));
  const later = observe(first, [row(9)], at(60_000));
  expect(isExpired(later.get('t'), 60_000)).toBe(false);
});

test('a task that is gone from the table is not remembered', () => {
  const first = observe(new Map(), [row(1)], at(0));
  expect(observe(first, [], at(1)).size).toBe(0);
});

test('a task that was never seen has not expired', () => {
  expect(isExpired(undefined, 1e9)).toBe(false);
});
