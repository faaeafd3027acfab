import { expect, test } from 'vitest';
import type { MeetingLine } from './line.ts';
import { talkOf } from './talk.ts';

const said = (
  userId: number | undefined,
  fromMs: number,
  toMs?: number,
  who?: string,
): MeetingLine => ({
  rtmsStreamId: 's',
  epoch: 1,
  sequence: 1,
  kind: 'said',
  atMs: fromMs,
  text: 'x',
  userId,
  who,
  fromMs,
  toMs,
});

test('lines of one person, one after another, are one speech; a pause or another person ends it', () => {
  const { speeches, people } = talkOf([
    said(1, 0, 2_000),
    said(1, 3_000, 5_000),
    said(2, 5_000, 6_000),
    said(1, 6_000, 7_000),
    said(1, 30_000, 31_000),
  ]);
  expect(speeches.map(({ userId, fromMs, toMs, lines }) => [userId, fromMs, toMs, lines])).toEqual([
    [1, 0, 5_000, 2],
    [2, 5_000, 6_000, 1],
    [1, 6_000, 7_000, 1],
    [1, 30_000, 31_000, 1],
  ]);
  expect(people.map(({ userId, spokenMs, lines }) => [userId, spokenMs, lines])).toEqual([
    [1, 6_000, 4],
    [2, 1_000, 1],
  ]);
});

test('people without an id are told apart by name; times that Zoom does not give count as none', () => {
  const { people } = talkOf([said(undefined, 0, undefined, 'Ada'), said(undefined, 1, -5, 'Bob')]);
  expect(people.map(({ who, spokenMs }) => [who, spokenMs])).toEqual([
    ['Ada', 0],
    ['Bob', 0],
  ]);
});
