import { expect, test } from 'vitest';
import { runInChild } from './child-run.ts';
import { shrink } from './shrink.ts';

test('a failing run is shrunk to the fault and the meeting that it takes', async () => {
  const args = [
    '--meetings=4',
    '--hours=0.3',
    '--faults=stop_meets_start',
    '--fault-rate=20',
    '--seed=1',
    '--mutation=end that meets a new start',
  ];
  const failed = await runInChild(args);
  expect(failed.problems[0]?.judge).toBe('liveness');
  const left = await shrink(args, failed, () => {});
  const again = await runInChild(left);
  expect(again.problems.map(({ judge }) => judge)).toContain('liveness');
  const skipped = (name: string) =>
    left.find((arg) => arg.startsWith(`--skip-${name}=`))?.split(',').length ?? 0;
  expect(failed.faults - skipped('faults')).toBe(1);
  expect(skipped('meetings')).toBeGreaterThan(0);
}, 900_000);
