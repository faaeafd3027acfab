import { describe, expect, test } from 'vitest';
import { FaultPlan, type FaultScript, parseFaultScript } from './faults.ts';

const CALL = { stream: 'media', operation: 'PutRecords' };

/** What the first `calls` calls of `entries` records each meet. */
function play(script: FaultScript, calls = 200, entries = 5) {
  const plan = new FaultPlan(script, 0);
  return Array.from({ length: calls }, () => {
    const { entryError, ...fate } = plan.decide(CALL, 0);
    return { ...fate, entries: Array.from({ length: entries }, entryError) };
  });
}

const RULE = {
  entryErrors: { ProvisionedThroughputExceededException: 0.3, InternalFailure: 0.1 },
  errors: { InternalFailure: 0.2 },
  latencyMs: 10,
  jitterMs: 5,
  dropAnswerShare: 0.05,
} as const;

test('the same seed gives the same faults, and another seed gives others', () => {
  expect(play({ seed: 7, rules: [RULE] })).toEqual(play({ seed: 7, rules: [RULE] }));
  expect(play({ seed: 7, rules: [RULE] })).not.toEqual(play({ seed: 8, rules: [RULE] }));
});

test('neither the number of entries nor the share of another fault moves a fault', () => {
  const plain = play({ seed: 7, rules: [RULE] });
  const drops = plain.map((fate) => fate.dropAnswer);
  expect(play({ seed: 7, rules: [RULE] }, 200, 9).map((fate) => fate.dropAnswer)).toEqual(drops);
  const calm = play({ seed: 7, rules: [{ ...RULE, errors: {} }] });
  expect(calm.map((fate) => fate.dropAnswer)).toEqual(drops);
});

test('each fault happens about as often as its share says', () => {
  const fates = play({ rules: [RULE] }, 4_000);
  const entries = fates.flatMap((fate) => fate.entries);
  const share = <T>(all: T[], wanted: T) => all.filter((one) => one === wanted).length / all.length;
  expect(share(entries, 'ProvisionedThroughputExceededException')).toBeCloseTo(0.3, 1);
  expect(share(entries, 'InternalFailure')).toBeCloseTo(0.1, 1);
  expect(
    share(
      fates.map((fate) => fate.error),
      'InternalFailure',
    ),
  ).toBeCloseTo(0.2, 1);
  expect(
    share(
      fates.map((fate) => fate.dropAnswer),
      true,
    ),
  ).toBeCloseTo(0.05, 1);
  expect(Math.min(...fates.map((fate) => fate.latencyMs))).toBeGreaterThanOrEqual(10);
  expect(Math.max(...fates.map((fate) => fate.latencyMs))).toBeLessThan(15);
});

test('a share of 1 faults every call and a share of 0 none', () => {
  expect(play({ rules: [{ errors: { InternalFailure: 1 } }] }).every((fate) => fate.error)).toBe(
    true,
  );
  expect(play({ rules: [{ errors: { InternalFailure: 0 } }] }).some((fate) => fate.error)).toBe(
    false,
  );
});

test.each([
  { rule: {}, hit: true },
  { rule: { stream: 'media' }, hit: true },
  { rule: { stream: 'events' }, hit: false },
  { rule: { operation: 'PutRecords' }, hit: true },
  { rule: { operation: 'GetRecords' }, hit: false },
  { rule: { stream: 'media', operation: 'PutRecords' }, hit: true },
  { rule: { stream: 'media', operation: 'PutRecord' }, hit: false },
])('rule $rule reaches a PutRecords on media: $hit', ({ rule, hit }) => {
  const plan = new FaultPlan({ rules: [{ ...rule, latencyMs: 9 }] }, 0);
  expect(plan.decide(CALL, 0).latencyMs).toBe(hit ? 9 : 0);
  expect(plan.matched).toEqual([hit ? 1 : 0]);
});

test('a call follows the first matching rule, and the next one when that is over', () => {
  const rules = [{ latencyMs: 1, durationMs: 100 }, { latencyMs: 2 }];
  const plan = new FaultPlan({ rules }, 1_000);
  expect(plan.decide(CALL, 1_099).latencyMs).toBe(1);
  expect(plan.decide(CALL, 1_100).latencyMs).toBe(2);
});

describe('a wrong script is refused by the name of its field', () => {
  test.each([
    { script: { rules: [{ dropShare: 0.1 }] }, field: 'rules.0.dropShare' },
    { script: { rules: [{ dropAnswerShare: 1.1 }] }, field: 'rules.0.dropAnswerShare' },
    { script: { rules: [{ errors: { Oops: 1 } }] }, field: 'rules.0.errors.Oops' },
    { script: { rules: [{ stall: 'pause' }] }, field: 'rules.0.stall' },
    { script: { seed: 1 }, field: 'rules' },
    { script: 'stall', field: '(root)' },
  ])('$field', ({ script, field }) => {
    expect(() => parseFaultScript(script)).toThrow(`fault script: ${field}:`);
  });
});
