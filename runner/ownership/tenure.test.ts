import { expect, test } from 'vitest';
import {
  isExpired as isExpiredAfter,
  observe,
  type Sighting,
} from '../../shared/lease/sightings.ts';
import { EXPIRE_AFTER_MS, FENCE_AFTER_MS, HOLD_MS, holdLeftMs, Tenure } from './tenure.ts';

/** A heartbeat whose current term is the test's to set; it suspends when asked about another. */
function tenure(term: number) {
  const heartbeat = { term };
  const subject: Tenure = new Tenure(term, (asked) => {
    if (asked === heartbeat.term) return true;
    subject.suspend(0);
    return false;
  });
  return { heartbeat, subject };
}

test('a lapse that a frame is the first to notice suspends, and the frame is kept', () => {
  const { heartbeat, subject } = tenure(1);
  expect(subject.collects()).toBe(true);
  heartbeat.term = 2;
  expect(subject.collects()).toBe(true);
  expect(subject.state).toBe('suspended');
});

test('a proof makes a tenure valid in the term that it was sent in', () => {
  const { heartbeat, subject } = tenure(1);
  heartbeat.term = 2;
  subject.suspend(0);
  expect(subject.resume(2)).toBe(true);
  expect(subject.state).toBe('valid');
  expect(subject.collects()).toBe(true);
  heartbeat.term = 3;
  expect(subject.collects()).toBe(true);
  expect(subject.state).toBe('suspended');
});

test('a proof whose term has lapsed meanwhile does not count', () => {
  const { heartbeat, subject } = tenure(1);
  subject.suspend(0);
  heartbeat.term = 3;
  expect(subject.resume(2)).toBe(false);
  expect(subject.state).toBe('suspended');
});

test('a tenure that is over stays over', () => {
  const { subject } = tenure(1);
  subject.end();
  subject.suspend(0);
  expect(subject.resume(1)).toBe(false);
  expect(subject.collects()).toBe(false);
  expect(subject.state).toBe('over');
});

test.each([
  [FENCE_AFTER_MS, HOLD_MS - FENCE_AFTER_MS],
  [0, HOLD_MS - FENCE_AFTER_MS],
  [25_000, HOLD_MS - 25_000],
  [HOLD_MS, 0],
  [3_600_000, 0],
])('a lapse noticed %i ms after the last renewal is waited out for %i ms', (since, left) => {
  expect(holdLeftMs(since)).toBe(left);
});

test('the sockets of a task that is cut off close within the time of its successor', () => {
  const zoomWindowMs = 60_000;
  expect(HOLD_MS).toBeLessThanOrEqual(EXPIRE_AFTER_MS + zoomWindowMs / 2);
});

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
