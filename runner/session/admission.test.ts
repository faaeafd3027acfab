import { expect, test } from 'vitest';
import { roomFor, SLOTS, slotsOf } from '../../shared/slots.ts';
import { admit, type Load, slotsOfSession } from './admission.ts';

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
