import { expect, test } from 'vitest';
import { Gauge, STEP_MS, Traffic } from './traffic.ts';

const NOW_MS = 1_800_000_005_000;

test('rates are of the last ten whole seconds, with units of 25 kB rounded up for each record', () => {
  const traffic = new Traffic();
  for (let second = 1; second <= 20; second++) traffic.record(26_000, NOW_MS - second * 1_000);
  expect(traffic.rates(NOW_MS)).toEqual({
    bytesPerSecond: 26_000,
    recordsPerSecond: 1,
    unitsPerSecond: 2,
  });
  expect(traffic.rates(NOW_MS + 60_000).bytesPerSecond).toBe(0);
});

test('a sparkline has 15 minutes, nothing where nobody read, and zero where nothing came', () => {
  const traffic = new Traffic();
  traffic.record(50_000, NOW_MS - STEP_MS);
  const { values } = traffic.sparkline('media', NOW_MS, NOW_MS - 3 * STEP_MS);
  expect(values).toHaveLength(90);
  expect(values.slice(-4)).toEqual([null, 0, 0, 5_000]);
  expect(values.filter((value) => value !== null).length).toBe(3);
});

test('what arrives late is drawn where it arrived in Kinesis', () => {
  const traffic = new Traffic();
  traffic.record(10_000, NOW_MS);
  traffic.record(20_000, NOW_MS - 5 * STEP_MS);
  const { values } = traffic.sparkline('media', NOW_MS + STEP_MS, 0);
  expect([values.at(-1), values.at(-6)]).toEqual([1_000, 2_000]);
});

test('a gauge keeps the last value of each step, and drops what is older than 15 minutes', () => {
  const gauge = new Gauge('lag', 'ms');
  for (let step = 0; step < 200; step++) gauge.set(step, NOW_MS + step * STEP_MS);
  const { values } = gauge.sparkline(NOW_MS + 199 * STEP_MS);
  expect([values.length, values[0], values.at(-1)]).toEqual([90, 110, 199]);
});
