import { expect, test } from 'vitest';
import type { MomentView } from '../views.ts';
import { pieceAt, spansOf } from './timeline-spans.ts';

const moment = (number: number, name: string, rest: Partial<MomentView> = {}): MomentView => ({
  number,
  atMs: number * 1_000,
  name,
  tone: 'plain',
  text: '',
  epoch: 1,
  ...rest,
});

test('an interruption lasts until the connection is there again, or until now', () => {
  const open = moment(1, 'session_interrupted');
  expect(spansOf([open], 9_000)).toMatchObject([{ fromMs: 1_000, toMs: 9_000, tone: 'warn' }]);
  const closed = [open, moment(2, 'other'), moment(3, 'session_reconnected')];
  expect(spansOf(closed, 9_000)).toMatchObject([{ fromMs: 1_000, toMs: 3_000 }]);
});

test('an interruption of an owner that died ends with the next owner', () => {
  const taken = moment(4, 'session_taken_over', { epoch: 2, fromMs: 2_000, toMs: 4_000 });
  expect(spansOf([moment(1, 'session_interrupted'), taken], 9_000)).toMatchObject([
    { fromMs: 1_000, toMs: 4_000, tone: 'warn' },
    { fromMs: 2_000, toMs: 4_000, tone: 'takeover' },
  ]);
});

test('a gap is drawn where its frames were', () => {
  const gap = moment(8, 'gap', { fromMs: 5_000, toMs: 6_000 });
  expect(spansOf([gap], 9_000)).toMatchObject([{ fromMs: 5_000, toMs: 6_000, tone: 'bad' }]);
});

test.each([
  [0, 0],
  [5_000, 0.5],
  [99_000, 1],
])('what happened at %d ms stands at %d of a bar of 10 s', (ms, piece) => {
  expect(pieceAt(ms, 0, 10_000)).toBe(piece);
});
