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

test('two runs of one seed with the whole SDK are one', async () => {
  const run = ['--meetings=3', '--hours=0.1', '--faults=all', '--fault-rate=4', '--sdk=whole'];
  const first = await runInChild([...run, '--seed=5']);
  // Its credentials are looked for in the environment of the simulated process, and nowhere else.
  process.env['AWS_ACCESS_KEY_ID'] = 'of this machine';
  expect(await runInChild([...run, '--seed=5'])).toEqual(first);
  expect(first.problems).toEqual([]);
}, 300_000);
