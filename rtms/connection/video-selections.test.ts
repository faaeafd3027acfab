import { expect, test } from 'vitest';
import { VideoSelections } from './video-selections.ts';

test('with V1 a new video selection replaces the one before, with V2 both stay', () => {
  const selections = new VideoSelections();
  selections.select(1, true, false);
  selections.select(2, true, false);
  expect(selections.selected).toEqual([2]);
  selections.select(3, true, true);
  expect(selections.selected).toEqual([2, 3]);
  selections.select(2, false, true);
  selections.drop(3);
  expect(selections.selected).toEqual([]);
});

test('an answer that names nobody belongs to the oldest video selection without an answer', () => {
  const selections = new VideoSelections();
  for (const userId of [1, 2, 3]) selections.sent(userId);
  expect(selections.answered(2)).toBe(2);
  expect(selections.answered(undefined)).toBe(1);
  expect(selections.answered(undefined)).toBe(3);
  expect(selections.answered(undefined)).toBeUndefined();
});

test('a new connection has no video selection to answer, and no more than 64 wait for an answer', () => {
  const selections = new VideoSelections();
  selections.sent(1);
  selections.connected();
  expect(selections.answered(undefined)).toBeUndefined();
  for (let userId = 0; userId < 65; userId++) selections.sent(userId);
  const answers = Array.from({ length: 65 }, () => selections.answered(undefined));
  expect(answers.filter((userId) => userId !== undefined)).toHaveLength(64);
});
