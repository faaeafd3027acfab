import { expect, test } from 'vitest';
import { admit, type Load, roomFor } from './admission.ts';

const IDLE: Load = {
  costUsed: 0,
  costTotal: 2,
  eventLoopDelayMs: 1,
  memoryShare: 0.1,
  draining: false,
  mayServe: true,
};

test.each<[string, Partial<Load>, string | undefined]>([
  ['admits what fits', {}, undefined],
  ['admits what just fits', { costUsed: 1 }, undefined],
  ['refuses what does not fit', { costUsed: 1.01 }, 'capacity'],
  ['refuses while draining', { draining: true }, 'draining'],
  ['refuses without a heartbeat', { mayServe: false }, 'fenced'],
  ['refuses with a late event loop', { eventLoopDelayMs: 201 }, 'event_loop'],
  ['refuses when memory is short', { memoryShare: 0.86 }, 'memory'],
])('%s', (_title, load, why) => {
  const expected = why === undefined ? { admitted: true } : { admitted: false, why };
  expect(admit({ ...IDLE, ...load }, 1)).toEqual(expected);
});

test('fills a task to the last hundredth', () => {
  for (let sessions = 0; sessions <= 10; sessions++) {
    expect(roomFor({ costUsed: sessions * 0.53, costTotal: 5.3 }, 0.53)).toBe(10 - sessions);
  }
});
