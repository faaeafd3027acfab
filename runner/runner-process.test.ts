import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { drainOnSignal, RUNNER_TIMES, runProcess } from './runner-process.ts';
import { DrainDeadline } from './task/drain-deadline.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A process that has received no signal yet, and a runner whose drain ends when the test says so. */
function setUp() {
  const stop = Promise.withResolvers<void>();
  const exits: number[] = [];
  let drains = 0;
  const deadline = new DrainDeadline({ flushMs: 100, exitMs: 200, secondExitMs: 50 });
  const runner = {
    stop() {
      drains += 1;
      return stop.promise;
    },
  };
  const host = { exit: (code: number) => void exits.push(code) };
  const signal = drainOnSignal(async () => runner, deadline, host);
  return { stop, exits, deadline, signal, drains: () => drains };
}

test('a signal drains the runner, and the process exits with 0', async () => {
  const { stop, exits, signal, drains } = setUp();
  signal();
  await vi.advanceTimersByTimeAsync(1);
  expect([drains(), exits]).toEqual([1, []]);
  stop.resolve();
  await vi.advanceTimersByTimeAsync(1);
  expect(exits).toEqual([0]);
});

test('a second signal drains no second time and moves the flush deadline to now', async () => {
  const { exits, deadline, signal, drains } = setUp();
  signal();
  await vi.advanceTimersByTimeAsync(1);
  expect(deadline.flush.aborted).toBe(false);
  signal();
  expect(deadline.flush.aborted).toBe(true);
  expect(drains()).toBe(1);
  await vi.advanceTimersByTimeAsync(50);
  expect(exits).toEqual([1]);
});

test('a drain that does not end is waited for until the deadline, and the process exits with 1', async () => {
  const { exits, deadline, signal } = setUp();
  signal();
  await vi.advanceTimersByTimeAsync(100);
  expect([deadline.flush.aborted, exits]).toEqual([true, []]);
  await vi.advanceTimersByTimeAsync(100);
  expect(exits).toEqual([1]);
});

test('a drain that fails ends the process with 1', async () => {
  const { stop, exits, signal } = setUp();
  signal();
  stop.reject(new Error('a defect'));
  await vi.advanceTimersByTimeAsync(1);
  expect(exits).toEqual([1]);
});

test('a process that cannot start says what is missing, exits with 1 and listens for no signal', async () => {
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const exits: number[] = [];
  const host = Object.assign(new EventEmitter(), { exit: (code: number) => void exits.push(code) });
  await runProcess({}, RUNNER_TIMES, host);
  expect(exits).toEqual([1]);
  expect(String(said.mock.lastCall?.[0])).toContain('SESSION_TABLE is missing');
  expect(host.eventNames()).toEqual([]);
  said.mockRestore();
});
