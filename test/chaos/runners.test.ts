import { expect, test } from 'vitest';
import { runRunnerStorm } from './runners.ts';

test('a storm over the runners loses nothing without a word', { timeout: 150_000 }, async () => {
  const options = { seed: 20_261_122, meetings: 6, runners: 2, stormMs: 15_000 };
  const report = await runRunnerStorm(options);
  expect(report).toMatchObject({ problems: [], quarantined: 0, unended: [] });
  expect(report.missingAudioMs['handed_over']?.max ?? 0).toBe(0);
});
