import { expect, test } from 'vitest';
import { chooseDrop, overload } from './pressure.ts';
import type { UnitClass } from './unit.ts';

const LIMITS = { laneBytes: 100, sessionBytes: 200, taskBytes: 400, floorBytes: 30 };

/** Levels of lane, session and task, then a unit of 10 bytes. */
test.each([
  { levels: [0, 0, 0], expected: undefined },
  { levels: [90, 90, 90], expected: undefined },
  { levels: [91, 91, 91], expected: 'lane' },
  { levels: [50, 190, 190], expected: undefined },
  { levels: [50, 191, 191], expected: 'session' },
  { levels: [50, 50, 391], expected: 'task' },
  { levels: [50, 191, 391], expected: 'session' },
  // A unit larger than a bound has it alone.
  { levels: [0, 0, 0], bytes: 999, expected: undefined },
  { levels: [0, 1, 1], bytes: 999, expected: 'session' },
  // A lane that keeps up is not pushed out by others.
  { levels: [20, 999, 999], expected: undefined },
  { levels: [21, 999, 999], expected: 'session' },
])(
  'the bound that a unit breaks at levels $levels: $expected',
  ({ levels: [laneBytes = 0, sessionBytes = 0, taskBytes = 0], bytes = 10, expected }) => {
    expect(overload({ laneBytes, sessionBytes, taskBytes }, bytes, LIMITS)).toBe(expected);
  },
);

const holder = (name: string, oldestAtMs: number, ...classes: UnitClass[]) => ({
  name,
  oldestAtMs,
  droppableBytes: (unitClass: UnitClass) => (classes.includes(unitClass) ? 1 : 0),
});

const ALL = ['talk', 'old camera', 'new camera', 'screen'] as const;

test.each([
  { incoming: 'audio', expected: 'video of old camera' },
  { incoming: 'video', expected: 'video of old camera' },
  { incoming: 'audio', without: ['old camera'], expected: 'video of new camera' },
  { incoming: 'audio', without: ['old camera', 'new camera'], expected: 'deskshare of screen' },
  { incoming: 'event', without: ['old camera', 'new camera', 'screen'], expected: 'audio of talk' },
  { incoming: 'event', without: ALL, more: ['text', 'event'], expected: 'text of lines' },
  { incoming: 'text', without: ALL, more: ['text', 'crowd'], expected: 'crowd of lines' },
  { incoming: 'crowd', without: ALL, more: ['text', 'event'], expected: undefined },
  { incoming: 'crowd', without: ALL, more: ['text', 'crowd'], expected: 'crowd of lines' },
  { incoming: 'deskshare', without: ['old camera', 'new camera', 'screen'], expected: undefined },
  { incoming: 'video', without: ['old camera', 'new camera'], expected: undefined },
] as const)('for $incoming drops $expected', ({ incoming, expected, ...row }) => {
  const without: readonly string[] = 'without' in row ? row.without : [];
  const holders = [
    holder('talk', 1, 'audio'),
    holder('new camera', 9, 'video'),
    holder('old camera', 5, 'video'),
    holder('screen', 0, 'deskshare'),
    ...('more' in row ? [holder('lines', 2, ...row.more)] : []),
  ].filter(({ name }) => !without.includes(name));
  const drop = chooseDrop(holders, incoming);
  expect(drop && `${drop.unitClass} of ${drop.holder.name}`).toBe(expected);
});
