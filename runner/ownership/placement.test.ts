import { expect, test } from 'vitest';
import { turnOf } from './placement.ts';

const runner = (taskId: string, fields = {}) => ({
  taskId,
  slotsUsed: 0,
  slotsTotal: 10,
  draining: false,
  ...fields,
});
const RUNNERS = ['a', 'b', 'c'].map((taskId) => runner(taskId));
const STREAMS = Array.from({ length: 300 }, (_, index) => `stream-${index}`);

test('gives every runner another turn for one stream', () => {
  for (const id of STREAMS) {
    const turns = RUNNERS.map(({ taskId }) => turnOf(id, taskId, RUNNERS, 1));
    expect(turns.toSorted()).toEqual([0, 1, 2]);
  }
});

test('spreads the first turns over the runners', () => {
  for (const { taskId } of RUNNERS) {
    const first = STREAMS.filter((id) => turnOf(id, taskId, RUNNERS, 1) === 0);
    expect(first.length).toBeGreaterThan(70);
  }
});

test.each([
  ['draining', runner('b', { draining: true })],
  ['full', runner('b', { slotsUsed: 9.5 })],
])('passes over a runner that is %s', (_title, busy) => {
  const runners = [runner('a'), busy];
  expect(STREAMS.map((id) => turnOf(id, 'a', runners, 1))).toEqual(STREAMS.map(() => 0));
  expect(turnOf('stream-0', 'b', runners, 1)).toBeUndefined();
});
