import { expect, test } from 'vitest';
import { runWebhookStorm } from './webhook-storm.ts';

test('after a storm of webhooks and outages every stream is in the right state, none twice', async () => {
  const report = await runWebhookStorm({ events: 300, seed: 4 });
  expect(report).toMatchObject({ undelivered: 0, wrong: [], unclaimed: [], claimedTwice: [] });
  expect(report.outages).toBeGreaterThan(0);
  expect(report.answers['503'] ?? 0).toBeGreaterThan(0);
  expect(report.answers['401'] ?? 0).toBeGreaterThan(0);
  // Ten times the time after which the function itself times out.
  expect(report.slowestAnswerMs).toBeLessThan(20_000);
});
