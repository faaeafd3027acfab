import { expect, test } from 'vitest';
import { started } from '../../test/support/console-world.ts';
import { event, frame } from '../../test/support/test-records.ts';
import { MeetingLog } from './meeting-log.ts';
import { MeetingLogs } from './meeting-logs.ts';

const said = (sequence: number, text: string, epoch = 1) =>
  event('transcript', { userId: 7, text, timestampMs: sequence }, sequence, { epoch });
const ended = (sequence: number, epoch = 1, restartable = false) =>
  event('session_ended', { restartable, ledger: [] }, sequence, { epoch });
const start = (sequence = 1, epoch = 1) =>
  event('session_started', started(1), sequence, { epoch });
const takeover = (cause: 'owner_lost' | 'handed_over') =>
  event('session_taken_over', { previousEpoch: 1, cause, blind: [] }, 1, { epoch: 2 });
const missed = (reason: 'no_room' | 'operator_stop') => {
  const facts = { product: 'meeting', entityId: 'a', requestedAtMs: 1, ledger: [] } as const;
  return event('session_missed', { ...facts, reason }, 1);
};

test.each<[string, Parameters<MeetingLog['event']>[0][], object]>([
  ['that ended', [start(), ended(2)], { wanted: 1, whole: 1, inPart: 0, missed: 0 }],
  [
    'whose runner died',
    [start(), takeover('owner_lost'), start(2, 2), ended(3, 2)],
    { wanted: 1, whole: 0, inPart: 1, missed: 0 },
  ],
  [
    'that was handed over',
    [start(), takeover('handed_over'), start(2, 2), ended(3, 2)],
    { wanted: 1, whole: 1, inPart: 0, missed: 0 },
  ],
  [
    'that Zoom cut short',
    [start(), ended(2, 1, true)],
    { wanted: 1, whole: 0, inPart: 1, missed: 0 },
  ],
  ['that nobody had room for', [missed('no_room')], { wanted: 1, whole: 0, inPart: 0, missed: 1 }],
  [
    'that an operator stopped first',
    [missed('operator_stop')],
    { wanted: 0, whole: 0, inPart: 0, missed: 0 },
  ],
  ['that still runs', [start(), said(2, 'x')], { wanted: 1, whole: 0, inPart: 0, missed: 0 }],
])('a meeting %s is counted as the metrics count it', (_what, events, counts) => {
  const logs = new MeetingLogs(0);
  for (const each of events) logs.event(each, 1);
  expect(logs.outcomes()).toEqual({ sinceMs: 0, ...counts });
});

test('an event that was taken in before changes nothing, whoever brings it', () => {
  const log = new MeetingLog('stream-1');
  for (const each of [start(), said(2, 'a'), said(3, 'b'), said(2, 'a'), said(3, 'b')])
    log.event(each, 1);
  expect(log.lines.from(1, 10).map(({ text }) => text)).toEqual(['a', 'b']);
  const back = { ...said(4, 'from the disk'), recovered: true as const };
  log.event(said(1, 'c', 2), 1);
  for (const each of [back, back]) log.event(each, 1);
  expect(log.lines.from(3, 10).map(({ text }) => text)).toEqual(['c', 'from the disk']);
});

test('lines that are too many are dropped, counted, and the numbers go on', () => {
  const log = new MeetingLog('stream-1');
  for (let sequence = 1; sequence <= 6_000; sequence++) log.event(said(sequence, `${sequence}`), 1);
  const kept = log.lines.from(1, 10_000);
  expect(kept.length).toBeLessThanOrEqual(2_500);
  expect(kept.at(-1)).toMatchObject({ number: 6_000, text: '6000' });
  expect(log.lines.dropped).toBe(6_000 - kept.length);
});

test('skipped numbers count as unexplained until a gap event names them', () => {
  const log = new MeetingLog('stream-1');
  for (const sequence of [5, 6, 9]) log.frame(frame({ sequence }), undefined, 1);
  expect(log.view().sources[0]).toMatchObject({ frames: 3, unexplained: 2, lost: 0 });
  const gap = { mediaType: 'audio', userId: 7, fromSequence: 7, toSequence: 8, count: 2 } as const;
  log.event(event('gap', { ...gap, bytes: 1, fromMs: 1, toMs: 2, cause: 'buffer_full' }, 1), 1);
  expect(log.view().sources[0]).toMatchObject({ frames: 3, unexplained: 0, lost: 2 });
});

test('nothing of a revoked meeting stays, and nothing that comes later is taken in', () => {
  const log = new MeetingLog('stream-1');
  const person = { participants: [{ userId: 7, userName: 'Ada' }], timestampMs: 1 };
  for (const each of [start(), said(2, 'secret'), event('participant_joined', person, 3)])
    log.event(each, 1);
  log.frame(frame(), undefined, 1);
  log.event(event('session_revoked', { timestampMs: 1 }, 4), 1);
  log.event(said(5, 'more'), 1);
  log.frame(frame({ sequence: 2 }), undefined, 1);
  expect(log.view()).toMatchObject({ revoked: true, people: [], sources: [], state: 'revoked' });
  expect([log.lines.from(1, 9), log.moments.from(1, 9)]).toEqual([[], []]);
});

test('participants who are there come first, and are counted beyond those that are listed', () => {
  const log = new MeetingLog('stream-1');
  const people = Array.from({ length: 300 }, (_, index) => ({
    userId: index + 1,
    userName: `P${index + 1}`,
  }));
  log.event(event('participant_joined', { participants: people, timestampMs: 1 }, 1), 1);
  log.event(event('participant_left', { participants: [{ userId: 300 }], timestampMs: 1 }, 2), 1);
  const { people: shown, peopleTotal, peoplePresent } = log.view();
  expect([shown.length, peopleTotal, peoplePresent]).toEqual([200, 300, 299]);
  expect(shown.map(({ name }) => name)).not.toContain('P300');
});
