import { expect, test } from 'vitest';
import type { SignalingEvent } from './events.ts';
import { followSpeaker, type MeetingView, Roster } from './meeting-view.ts';

test('the roster keeps the latest name and ignores empty ones', () => {
  const roster = new Roster();
  roster.learn(1, 'Ada');
  roster.learn(1, undefined);
  roster.learn(1, '');
  expect(roster.nameOf(1)).toBe('Ada');
  roster.learn(1, 'Ada L.');
  expect(roster.nameOf(1)).toBe('Ada L.');
  expect(roster.nameOf(2)).toBe('');
});

test('the roster of a very large meeting drops its oldest names', () => {
  const roster = new Roster();
  for (let id = 0; id <= 10_000; id++) roster.learn(id, `name ${id}`);
  expect([0, 1, 10_000].map((id) => roster.nameOf(id))).toEqual(['', 'name 1', 'name 10000']);
});

test('the roster bounds its names in bytes: it drops the oldest first, and a name that is given again counts as new', () => {
  const roster = new Roster();
  const name = (id: number) => `${id} `.padEnd(512, 'x');
  for (let id = 0; id < 2_048; id++) roster.learn(id, name(id));
  expect(roster.nameOf(0)).toBe(name(0));
  roster.learn(0, 'Ada');
  for (let id = 2_048; id < 2_060; id++) roster.learn(id, name(id));
  expect([0, 1, 5, 2_059].map((id) => roster.nameOf(id))).toEqual(['Ada', '', '', name(2_059)]);
});

test.each([
  ['another person speaks', { name: 'active_speaker', userId: 2, userName: 'Bo' }, 2],
  ['somebody without an id speaks', { name: 'active_speaker', userName: 'Bo' }, undefined],
  [
    'the active speaker leaves',
    { name: 'participant_left', participants: [{ userId: 1 }] },
    undefined,
  ],
  ['somebody else leaves', { name: 'participant_left', participants: [{ userId: 3 }] }, 1],
  ['somebody joins', { name: 'participant_joined', participants: [{ userId: 1 }] }, 1],
])('followSpeaker knows who speaks when %s', (_, event, userId) => {
  const view: MeetingView = { roster: new Roster(), activeSpeaker: { userId: 1, userName: 'Ada' } };
  followSpeaker(view, { timestampMs: 0, ...event } as SignalingEvent);
  expect(view.activeSpeaker?.userId).toBe(userId);
});
