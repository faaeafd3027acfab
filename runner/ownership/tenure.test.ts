import { expect, test } from 'vitest';
import { EXPIRE_AFTER_MS, FENCE_AFTER_MS } from './expiry.ts';
import { HOLD_MS, holdLeftMs, Tenure } from './tenure.ts';

/** A heartbeat whose current term is the test's to set; it suspends when asked about another. */
function tenure(term: number) {
  const heartbeat = { term };
  const subject: Tenure = new Tenure(term, (asked) => {
    if (asked === heartbeat.term) return true;
    subject.suspend();
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
  subject.suspend();
  expect(subject.resume(2)).toBe(true);
  expect(subject.state).toBe('valid');
  expect(subject.collects()).toBe(true);
  heartbeat.term = 3;
  expect(subject.collects()).toBe(true);
  expect(subject.state).toBe('suspended');
});

test('a proof whose term has lapsed meanwhile does not count', () => {
  const { heartbeat, subject } = tenure(1);
  subject.suspend();
  heartbeat.term = 3;
  expect(subject.resume(2)).toBe(false);
  expect(subject.state).toBe('suspended');
});

test('a tenure that is over stays over', () => {
  const { subject } = tenure(1);
  subject.end();
  subject.suspend();
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
