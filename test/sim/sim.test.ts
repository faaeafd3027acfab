import { expect, test } from 'vitest';
import { runInChild } from './child-run.ts';

/** A run of some seconds. */
const SHORT = ['--meetings=3', '--hours=0.15'];

test('two runs of one seed are one, also elsewhere on Earth', async () => {
  const args = [...SHORT, '--seed=7', '--faults=all'];
  const first = await runInChild(args);
  process.env['TZ'] = 'Pacific/Chatham';
  const second = await runInChild(args);
  expect(first.problems).toEqual([]);
  expect(second).toEqual(first);
});

test('all kinds of faults, and no problem', async () => {
  const { problems, frames } = await runInChild([...SHORT, '--faults=all', '--seed=3']);
  expect(problems).toEqual([]);
  expect(frames).toBeGreaterThan(1_000);
});

test('with the whole SDK too', async () => {
  const args = ['--meetings=1', '--hours=0.05', '--faults=kill,aws', '--sdk=whole', '--seed=1'];
  expect((await runInChild(args)).problems).toEqual([]);
});

test('owners that are killed one after the other leave no time that no record names', async () => {
  const args = ['--meetings=4', '--hours=0.2', '--faults=kill_successor', '--seed=4'];
  const { problems } = await runInChild(args);
  expect(problems).toEqual([]);
});
