import { afterEach, expect, test, vi } from 'vitest';
import { SILENT_LOGGER } from '../../shared/logger.ts';
import { Refusals } from './refusals.ts';

const LOAD = {
  slotsUsed: 3,
  slotsTotal: 40,
  eventLoopDelayMs: 250.4,
  memoryShare: 0.871,
  draining: false,
  mayServe: true,
};

afterEach(() => vi.restoreAllMocks());

test('says why and with which numbers, once a minute for each reason', () => {
  const warn = vi.fn();
  const refusals = new Refusals({ ...SILENT_LOGGER, warn });
  const clock = vi.spyOn(performance, 'now').mockReturnValue(1_000);
  for (let i = 0; i < 10; i++) refusals.note('memory', LOAD);
  refusals.note('event_loop', LOAD);
  expect(warn.mock.calls.map(([, fields]) => fields)).toEqual([
    expect.objectContaining({ event: 'sessions_refused', why: 'memory', memoryPercent: 87 }),
    expect.objectContaining({ why: 'event_loop', eventLoopDelayMs: 250, slotsUsed: 3 }),
  ]);
  clock.mockReturnValue(61_000);
  refusals.note('memory', LOAD);
  expect(warn).toHaveBeenCalledTimes(3);
});

test('is silent about what the row of the task shows', () => {
  const warn = vi.fn();
  const refusals = new Refusals({ ...SILENT_LOGGER, warn });
  for (const why of ['capacity', 'draining', 'fenced'] as const) refusals.note(why, LOAD);
  expect(warn).not.toHaveBeenCalled();
});
