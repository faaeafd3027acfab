import { expect, test } from 'vitest';
import { runGroups } from './groups.ts';

test('a group loses, reorders and repeats nothing through drains and reshardings', {
  timeout: 120_000,
}, async () => {
  const faults = ['drain', 'split', 'merge'] as const;
  const report = await runGroups({ seed: 4, seconds: 4, everyMs: 1_000, faults, push: true });
  expect(report).toMatchObject({ missing: 0, outOfOrder: 0, late: 0, repeated: 0, crashed: 0 });
  expect(report.frames).toBeGreaterThan(0);
});
