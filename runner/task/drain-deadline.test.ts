import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DRAIN_TIMES, DrainDeadline } from './drain-deadline.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('nobody stops waiting while no drain has begun', () => {
  const { flush } = new DrainDeadline();
  vi.advanceTimersByTime(3_600_000);
  expect(flush.aborted).toBe(false);
});

test('a signal begins the drain: first the flush deadline, then the exit', () => {
  const deadline = new DrainDeadline();
  const exit = vi.fn();
  expect(deadline.signalled(exit)).toBe(true);
  vi.advanceTimersByTime(DRAIN_TIMES.flushMs - 1);
  expect(deadline.flush.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect(deadline.flush.aborted).toBe(true);
  expect(exit).not.toHaveBeenCalled();
  vi.advanceTimersByTime(DRAIN_TIMES.exitMs - DRAIN_TIMES.flushMs);
  expect(exit).toHaveBeenCalledOnce();
});

test('a second signal stops the waiting at once and leaves time to report what is lost', () => {
  const deadline = new DrainDeadline();
  const exit = vi.fn();
  deadline.signalled(exit);
  vi.advanceTimersByTime(1_000);
  expect(deadline.signalled(exit)).toBe(false);
  expect(deadline.flush.aborted).toBe(true);
  vi.advanceTimersByTime(DRAIN_TIMES.secondExitMs);
  expect(exit).toHaveBeenCalledOnce();
});

test('all steps together end before ECS kills the task', () => {
  expect(DRAIN_TIMES.exitMs).toBeLessThan(115_000);
  expect(DRAIN_TIMES.flushMs + DRAIN_TIMES.secondExitMs).toBeLessThanOrEqual(DRAIN_TIMES.exitMs);
});

test('hand-overs are spread, and those of many sessions still begin within 45 s', () => {
  expect(DrainDeadline.paceMs(0)).toBe(250);
  expect(DrainDeadline.paceMs(180)).toBe(250);
  expect(DrainDeadline.paceMs(900)).toBe(50);
});
