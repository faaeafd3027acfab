import { describe, expect, test } from 'vitest';
import { type ConfigInput, readConfig } from '../config/config.ts';
import { DEV } from '../config/stages/dev.ts';
import { PROD } from '../config/stages/prod.ts';
import { costPerHour, floodHour } from './cost-model.ts';

const HOURS_PER_MONTH = 730;

const line = (config: ConfigInput, meetings: number, item: string) =>
  costPerHour(readConfig(config), meetings).find((one) => one.item === item)?.dollarsPerHour ?? 0;

const month = (config: ConfigInput, meetings: number) =>
  costPerHour(readConfig(config), meetings).reduce((sum, one) => sum + one.dollarsPerHour, 0) *
  HOURS_PER_MONTH;

describe('prices follow the configuration', () => {
  test('dev idles at $45 a month or less', () => {
    expect(month(DEV, 0)).toBeLessThanOrEqual(45);
  });

  test('shards that are configured are paid for, however few meetings run', () => {
    const shards = 65;
    expect(line(PROD, 0, 'Kinesis media')).toBeCloseTo(shards * (0.015 + 0.02), 3);
    const forDay = { ...PROD, records: { ...PROD.records, retentionHours: 24 } };
    expect(line(forDay, 0, 'Kinesis media')).toBeCloseTo(shards * 0.015, 3);
  });

  test('On-Demand Advantage bills its commitment, and nothing more once that is used up', () => {
    const advantage: ConfigInput = {
      records: { capacity: { mode: 'on-demand', advantage: true } },
    };
    const gigabytes = (25 * 3600) / 1024;
    expect(line(advantage, 0, 'Kinesis commitment, unused')).toBeCloseTo(gigabytes * 0.048, 3);
    expect(line(advantage, 1000, 'Kinesis commitment, unused')).toBe(0);
    expect(line(advantage, 1000, 'Kinesis media')).toBeLessThan(
      line({}, 1000, 'Kinesis media') / 2,
    );
  });

  test('a flood costs in proportion to what the throttle lets in', () => {
    const flood = (requestsPerSecond: number) =>
      floodHour(readConfig({ webhook: { requestsPerSecond } }));
    expect(flood(2_000)).toBeLessThan(15);
    expect(flood(4_000)).toBeCloseTo(2 * flood(2_000), 6);
  });
});
