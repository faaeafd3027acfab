import { expect, test } from 'vitest';
import { runGroups } from './groups.ts';

test.each([true, false])(
  'a group survives kills, freezes, reshardings and a table that hangs or is throttled (push %s)',
  { timeout: 180_000 },
  async (push) => {
    const report = await runGroups({ seed: 7, seconds: 60, everyMs: 5_000, push });
    expect(report).toMatchObject({ missing: 0, outOfOrder: 0, late: 0, crashed: 0 });
    expect(report.repeatedPages).toBeLessThanOrEqual(1);
    expect(report.moves).toBeGreaterThan(0);
  },
);
