import { expect, test } from 'vitest';
import type { MeetingLine } from './line.ts';
import { nextPage, positionsBeforeLast } from './line-page.ts';
import { type MarkPositions, readMark, writeMark } from './mark.ts';

const line = (rtmsStreamId: string, sequence: number, atMs: number, text = 'x'): MeetingLine => ({
  rtmsStreamId,
  epoch: 1,
  sequence,
  kind: 'said',
  atMs,
  text,
});
const a = [line('a', 1, 10), line('a', 3, 30), line('a', 4, 25), line('a', 9, 60)];
const b = [line('b', 1, 20), line('b', 2, 50)];
const LIMITS = { lines: 100, characters: 1_000 };
const all = () => true;
const START: MarkPositions = new Map();
const numbers = (lines: readonly MeetingLine[]) =>
  lines.map((each) => `${each.rtmsStreamId}${each.sequence}`);

test('lines of several streams come in the order of their times, each stream in its own order', () => {
  const page = nextPage([a, b], START, all, LIMITS);
  expect(numbers(page.lines)).toEqual(['a1', 'b1', 'a3', 'a4', 'b2', 'a9']);
  expect(page.hasMore).toBe(false);
});

test.each([1, 2, 3, 5, 6])('pages of %i lines give every line once', (lines) => {
  let positions = START;
  const found: string[] = [];
  for (let more = true; more; ) {
    const page = nextPage([a, b], positions, all, { ...LIMITS, lines });
    found.push(...numbers(page.lines));
    ({ positions, hasMore: more } = page);
    positions = readMark(writeMark('a', positions), 'a');
  }
  expect(found).toEqual(['a1', 'b1', 'a3', 'a4', 'b2', 'a9']);
});

test('a page ends before the line that is too long for it, but gives one line at least', () => {
  const long = [line('a', 1, 1, 'x'.repeat(60)), line('a', 2, 2, 'x'.repeat(200))];
  const limits = { lines: 10, characters: 100 };
  const first = nextPage([long], START, all, limits);
  expect(numbers(first.lines)).toEqual(['a1']);
  expect(first.hasMore).toBe(true);
  expect(numbers(nextPage([long], first.positions, all, limits).lines)).toEqual(['a2']);
});

test('lines that are not wanted count as read', () => {
  const page = nextPage([a, b], START, (each) => each.rtmsStreamId === 'b', LIMITS);
  expect(page.positions.get('a')).toEqual([1, 9]);
});

test.each([
  [1, ['a9']],
  [2, ['b2', 'a9']],
  [3, ['a3', 'a4', 'b2', 'a9']],
  [100, ['a1', 'b1', 'a3', 'a4', 'b2', 'a9']],
])('the newest %i lines, and what stands between them', (count, expected) => {
  const positions = positionsBeforeLast([a, b], all, count);
  expect(numbers(nextPage([a, b], positions, all, LIMITS).lines)).toEqual(expected);
});

test.each([
  ['a text', 'nonsense'],
  ['JSON of another form', Buffer.from('{"meeting":"a","at":[]}').toString('base64url')],
  [
    'numbers that are none',
    Buffer.from('{"meeting":"a","at":{"a":[1,"x"]}}').toString('base64url'),
  ],
  ['too much', 'A'.repeat(10_000)],
  ['one of another meeting', writeMark('other', START)],
])('%s is no mark of this meeting', (_, mark) => {
  expect(() => readMark(mark, 'a')).toThrow(expect.objectContaining({ code: 'mcp/bad-argument' }));
});
