import { expect, it } from 'vitest';
import { Roster } from './roster.ts';

it('keeps the last name given, and none that is empty', () => {
  const roster = new Roster();
  roster.learn(1, 'Ada');
  roster.learn(1, undefined);
  roster.learn(1, '');
  expect(roster.nameOf(1)).toBe('Ada');
  roster.learn(1, 'Ada L.');
  expect(roster.nameOf(1)).toBe('Ada L.');
  expect(roster.nameOf(2)).toBe('');
});

it('forgets the oldest names of a very large meeting', () => {
  const roster = new Roster();
  for (let id = 0; id <= 10_000; id++) roster.learn(id, `name ${id}`);
  expect([0, 1, 10_000].map((id) => roster.nameOf(id))).toEqual(['', 'name 1', 'name 10000']);
});
