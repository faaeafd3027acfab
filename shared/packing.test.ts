import { expect, test } from 'vitest';
import { isPackingTime, type Packing, parsePacking } from './packing.ts';

const PACKING: Packing = {
  from: '01:00',
  to: '05:00',
  timeZone: 'UTC',
  belowPercent: 30,
  sessions: 'audio',
  keepTasks: 2,
};

test('reads what infra writes, and off', () => {
  expect(parsePacking(JSON.stringify(PACKING))).toEqual(PACKING);
  expect(parsePacking('off')).toBeUndefined();
});

test.each([
  ['on', 'neither off nor JSON'],
  [JSON.stringify({ ...PACKING, from: '25:00' }), 'from'],
  [JSON.stringify({ ...PACKING, keepTasks: 0 }), 'keepTasks'],
  [JSON.stringify({ ...PACKING, sessions: 'some' }), 'sessions'],
])('refuses %s', (text, named) => {
  expect(() => parsePacking(text)).toThrow(named);
});

test.each([
  ['01:00', '05:00', 'UTC', '2026-11-27T00:59:59Z', false],
  ['01:00', '05:00', 'UTC', '2026-11-27T01:00:00Z', true],
  ['01:00', '05:00', 'UTC', '2026-11-27T04:59:59Z', true],
  ['01:00', '05:00', 'UTC', '2026-11-27T05:00:00Z', false],
  ['22:00', '05:00', 'UTC', '2026-11-27T23:00:00Z', true],
  ['22:00', '05:00', 'UTC', '2026-11-27T00:00:00Z', true],
  ['22:00', '05:00', 'UTC', '2026-11-27T12:00:00Z', false],
  ['01:00', '05:00', 'America/New_York', '2026-11-27T06:30:00Z', true],
  ['01:00', '05:00', 'America/New_York', '2026-11-27T02:30:00Z', false],
  // The clock goes from 02:00 to 03:00 there.
  ['02:00', '03:00', 'America/New_York', '2026-03-08T07:30:00Z', false],
])('from %s to %s %s holds at %s: %s', (from, to, timeZone, at, isOpen) => {
  expect(isPackingTime({ from, to, timeZone }, Date.parse(at))).toBe(isOpen);
});
