import { expect, test, vi } from 'vitest';
import { runInChild } from './child-run.ts';

// A run takes some seconds, and minutes on a machine that has much else to do.
vi.setConfig({ testTimeout: 240_000 });

test('two runs of one seed with all kinds of faults are one, also elsewhere on Earth, and have no problem', async () => {
  const args = ['--meetings=4', '--hours=0.2', '--seed=7', '--faults=all', '--fault-rate=2'];
  const [first, second] = await Promise.all([
    runInChild(args),
    runInChild(args, { TZ: 'Pacific/Chatham' }),
  ]);
  expect(first.problems).toEqual([]);
  expect(second).toEqual(first);
});

test('a disk that still fails when its task comes back is used later, and nothing stays on it', async () => {
  const args = ['--meetings=4', '--hours=0.3', '--seed=1', '--faults=spool', '--fault-rate=20'];
  expect((await runInChild(args)).problems).toEqual([]);
});

test('a run with the whole SDK breaks no rule', async () => {
  const args = ['--meetings=1', '--hours=0.05', '--faults=kill,aws', '--fault-rate=20'];
  const { problems, faults } = await runInChild([...args, '--sdk=whole', '--seed=1']);
  expect(problems).toEqual([]);
  expect(faults).toBeGreaterThan(0);
});

test('a row is not over where its last event met an outage of Kinesis', async () => {
  const args = ['--meetings=2', '--hours=0.1', '--seed=1', '--faults=kinesis,stop'];
  expect((await runInChild([...args, '--fault-rate=12'])).problems).toEqual([]);
});

test('owners that are killed one after the other leave no time that no record names', async () => {
  const args = ['--meetings=4', '--hours=0.2', '--faults=kill_successor', '--seed=4'];
  expect((await runInChild(args)).problems).toEqual([]);
});
