import { expect, test, vi } from 'vitest';
import type { MetricName } from '../../shared/metrics.ts';
import { CostMeter } from './cost-meter.ts';

test('the cost meter prices what was written since the last period, and nothing while there is no meeting', () => {
  vi.useFakeTimers({ now: 0 });
  const seen: [MetricName, number][] = [];
  const metrics = {
    count() {},
    observe: (name: MetricName, value: number) => seen.push([name, value]),
  };
  const prices = { taskHour: 0, shardsPerMeetingHour: 0, millionPutUnits: 1, gigabyteIn: 0 };
  const meter = new CostMeter(prices, metrics);
  vi.advanceTimersByTime(10_000);
  meter.observe(0, [{ putUnits: 500, bytes: 0 }]);
  vi.advanceTimersByTime(10_000);
  meter.observe(2, [
    { putUnits: 1_500, bytes: 0 },
    { putUnits: 1_000, bytes: 0 },
  ]);
  vi.useRealTimers();
  // 2,000 units in 10 s are 720,000 an hour, 0.72 at a dollar a million, shared by two.
  expect(seen).toEqual([['CostPerMeetingHour', expect.closeTo(0.36, 6)]]);
});
