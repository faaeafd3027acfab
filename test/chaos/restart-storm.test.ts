import { expect, test } from 'vitest';
import { runRestartStorm } from './restart-storm.ts';

// Side by side: each has a world of its own, and most of a storm is waiting.
test.concurrent.each([
  [true, 'goes on with or names', 2],
  [false, 'asks nothing and names', 0],
])(
  'a storm of ends with API credentials (%s) %s',
  { timeout: 900_000 },
  async (hasApi, _what, least) => {
    const options = {
      seed: 20_261_127,
      meetings: 10,
      runners: 2,
      stormMs: 15_000,
      hasApi,
      slack: 10,
    };
    const report = await runRestartStorm(options);
    expect(report).toMatchObject({ problems: [], technical: 3 });
    expect(report.resumed).toBeGreaterThanOrEqual(least);
  },
);
