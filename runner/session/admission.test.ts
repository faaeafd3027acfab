import { afterEach, expect, test, vi } from 'vitest';
import { SILENT_LOGGER } from '../../shared/logger.ts';
import { roomFor, SLOTS, slotsOf } from '../../shared/session-table/slots.ts';
import { admit, isStrained, type Load, Refusals, slotsOfSession } from './admission.ts';

const IDLE: Load = {
  slotsUsed: 0,
  slotsTotal: 2,
  eventLoopDelayMs: 1,
  memoryShare: 0.1,
  draining: false,
  mayServe: true,
};

test.each<[string, Partial<Load>, string | undefined]>([
  ['admits what fits', {}, undefined],
  ['admits what just fits', { slotsUsed: 1 }, undefined],
  ['refuses what does not fit', { slotsUsed: 1.01 }, 'capacity'],
  ['refuses while draining', { draining: true }, 'draining'],
  ['refuses without a heartbeat', { mayServe: false }, 'fenced'],
  ['refuses with a late event loop', { eventLoopDelayMs: 201 }, 'event_loop'],
  ['refuses when memory is short', { memoryShare: 0.86 }, 'memory'],
])('%s', (_title, load, why) => {
  const expected = why === undefined ? { admitted: true } : { admitted: false, why };
  expect(admit({ ...IDLE, ...load }, 1, false)).toEqual(expected);
  expect(isStrained({ ...IDLE, ...load })).toBe(why === 'event_loop' || why === 'memory');
});

test('takes what nobody else took in spite of a late event loop, and of nothing else', () => {
  const late = { ...IDLE, eventLoopDelayMs: 900 };
  expect(admit(late, 1, true)).toEqual({ admitted: true });
  expect(admit({ ...late, slotsUsed: 2 }, 1, true)).toMatchObject({ why: 'capacity' });
  expect(admit({ ...late, memoryShare: 0.9 }, 1, true)).toMatchObject({ why: 'memory' });
  expect(admit({ ...late, draining: true }, 1, true)).toMatchObject({ why: 'draining' });
});

test('fills a task to the last hundredth', () => {
  for (let sessions = 0; sessions <= 10; sessions++) {
    expect(roomFor({ slotsUsed: sessions * 0.53, slotsTotal: 5.3 }, 0.53)).toBe(10 - sessions);
  }
});

test('weighs a session by what was asked for until Zoom has said what it sends', () => {
  const audio = { contentType: 2, codec: 4, sampleRate: 3, channel: 2, dataOpt: 2, sendRateMs: 20 };
  const asked = slotsOf(Object.keys(SLOTS) as (keyof typeof SLOTS)[]);
  expect(slotsOfSession(asked, undefined)).toBe(asked);
  const agreed = { audio, chat: { contentType: 5 } };
  expect(slotsOfSession(asked, agreed)).toBe(slotsOf(['audio', 'chat']));
});

const LOAD = {
  slotsUsed: 3,
  slotsTotal: 40,
  eventLoopDelayMs: 250.4,
  memoryShare: 0.871,
  draining: false,
  mayServe: true,
};

afterEach(() => vi.restoreAllMocks());

test('a refusal is logged with its numbers, once a minute for each reason', () => {
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

test('a refusal that the row of the task shows is not logged', () => {
  const warn = vi.fn();
  const refusals = new Refusals({ ...SILENT_LOGGER, warn });
  for (const why of ['capacity', 'draining', 'fenced'] as const) refusals.note(why, LOAD);
  expect(warn).not.toHaveBeenCalled();
});
