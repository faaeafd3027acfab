import { expect, test } from 'vitest';
import { placeInLine } from './placement.ts';

const runner = (taskId: string, fields = {}) => ({
  taskId,
  slotsUsed: 0,
  slotsTotal: 10,
  draining: false,
  ...fields,
});
const RUNNERS = ['a', 'b', 'c'].map((taskId) => runner(taskId));
const STREAMS = Array.from({ length: 300 }, (_, index) => `stream-${index}`);

test('every runner has another place in the line for one stream', () => {
  for (const id of STREAMS) {
    const places = RUNNERS.map(({ taskId }) => placeInLine(id, taskId, RUNNERS, 1));
    expect(places.toSorted()).toEqual([0, 1, 2]);
  }
});

test('the first places of many streams are spread over the runners', () => {
  for (const { taskId } of RUNNERS) {
    const first = STREAMS.filter((id) => placeInLine(id, taskId, RUNNERS, 1) === 0);
    expect(first.length).toBeGreaterThan(70);
  }
});

test.each([
  ['draining', runner('b', { draining: true })],
  ['full', runner('b', { slotsUsed: 9.5 })],
])('passes over a runner that is %s', (_title, busy) => {
  const runners = [runner('a'), busy];
  expect(STREAMS.map((id) => placeInLine(id, 'a', runners, 1))).toEqual(STREAMS.map(() => 0));
  expect(placeInLine('stream-0', 'b', runners, 1)).toBeUndefined();
});
