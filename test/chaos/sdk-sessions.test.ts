import { expect, test } from 'vitest';
import { runSdkSessions } from './sdk-sessions.ts';

test('sessions one after another and many at once leave nothing behind', async () => {
  const report = await runSdkSessions({ sequential: 40, concurrent: 30 });
  expect(report.frames).toBeGreaterThanOrEqual(70 * 5);
  expect(report.heapGrowthBytes).toBeLessThan(5_000_000);
  expect(report.concurrentGrowthBytes).toBeLessThan(5_000_000);
});
