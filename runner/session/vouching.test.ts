import { expect, test } from 'vitest';
import { Tenure } from '../ownership/tenure.ts';
import { untoldBlindSince, vouchesFor } from './vouching.ts';

const NOW_MS = 1_800_000_000_000;
/** Of a claim in term 1, which holds as long as the test does not say otherwise. */
const tenure = (change: (tenure: Tenure) => void = () => {}) => {
  const subject = new Tenure(1, () => true);
  change(subject);
  return subject;
};
const suspended = (subject: Tenure) => subject.suspend(NOW_MS - 40_000);
const left = (agoMs: number, isTold: boolean) => ({ atMs: NOW_MS - agoMs, isTold });

test.each<[string, boolean, (tenure: Tenure) => void, ReturnType<typeof left>?]>([
  ['received, in its term', true, () => {}],
  ['suspended', false, suspended],
  [
    'proved',
    true,
    (subject) => {
      suspended(subject);
      subject.resume(2);
    },
  ],
  [
    'dropped before it was proved',
    false,
    (subject) => {
      suspended(subject);
      subject.end();
    },
  ],
  [
    'found to be of another owner',
    true,
    (subject) => {
      suspended(subject);
      subject.lose();
    },
  ],
  ['over, which its row will say', true, (subject) => subject.end()],
  ['just being left', true, () => {}, left(999, false)],
  ['left for a second, and its row does not say so', false, () => {}, left(1_000, false)],
  ['left for long, and its row says so', true, () => {}, left(240_000, true)],
  ['left, its row says so, and suspended', false, suspended, left(240_000, true)],
])('a heartbeat counts for a stream that is %s: %s', (_what, counts, change, leaving) => {
  const served = { tenure: tenure(change), ...(leaving && { left: leaving }) };
  expect(vouchesFor(served, NOW_MS)).toBe(counts);
});

test.each<[string, number, number, (tenure: Tenure) => void]>([
  ['it left, in its term', 5_000, 5_000, () => {}],
  ['a second before the last renewal, where it left after a lapse', 5_000, 41_000, suspended],
  ['it left, where the lease lapsed later', 60_000, 60_000, suspended],
  [
    'the first of two lapses',
    5_000,
    41_000,
    (subject) => {
      suspended(subject);
      subject.suspend(NOW_MS - 9_000);
    },
  ],
])(
  'nothing of a stream without a last event is written since %s',
  (_since, leftAgoMs, sinceAgoMs, change) => {
    const session = { blindSince: (atMs: number) => ({ atMs }) };
    const served = { session, tenure: tenure(change) };
    const since = { atMs: NOW_MS - sinceAgoMs };
    const told = (wroteUntilMs?: number) =>
      untoldBlindSince(served, NOW_MS - leftAgoMs, wroteUntilMs);
    expect(told()).toEqual(since);
    expect(told(NOW_MS - 90_000)).toEqual({ ...since, wroteUntilMs: NOW_MS - 90_000 });
  },
);

test('a row that says since when of an owner before says nothing of what this one had written', () => {
  const served = { session: { blindSince: () => undefined }, tenure: tenure() };
  expect(untoldBlindSince(served, NOW_MS, NOW_MS - 90_000)).toBeUndefined();
});
