import { expect, test } from 'vitest';
import { costPerMeetingHour, parseRunnerPrices, type RunnerPrices } from './cost.ts';

const PRICES: RunnerPrices = {
  taskHour: 0.05,
  shardsPerMeetingHour: 0.01,
  millionPutUnits: 0.014,
  gigabyteIn: 0.08,
};

test('shares the task and what was written in the period among the sessions', () => {
  const usage = { periodSeconds: 36, sessions: 10, putUnits: 1e6, bytesOut: 1024 ** 3 };
  // 0.05 for the task and a hundred times (0.014 + 0.08) for an hour at this rate, over ten; then shards.
  expect(costPerMeetingHour(PRICES, usage)).toBeCloseTo((0.05 + 9.4) / 10 + 0.01, 10);
});

test('has no answer without a meeting', () => {
  const idle = { periodSeconds: 10, sessions: 0, putUnits: 0, bytesOut: 0 };
  expect(costPerMeetingHour(PRICES, idle)).toBeUndefined();
  expect(costPerMeetingHour(PRICES, { ...idle, sessions: 1, periodSeconds: 0 })).toBeUndefined();
});

test('reads the prices that infra wrote, and names a wrong one', () => {
  expect(parseRunnerPrices(JSON.stringify(PRICES))).toEqual(PRICES);
  expect(() => parseRunnerPrices('{')).toThrow('not JSON');
  expect(() => parseRunnerPrices('[]')).toThrow(/taskHour|the whole/);
  expect(() => parseRunnerPrices(JSON.stringify({ ...PRICES, taskHour: -1 }))).toThrow('taskHour');
});
