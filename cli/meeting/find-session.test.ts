import { expect, test } from 'vitest';
import type { SessionRow } from '../../shared/session-table/session-row.ts';
import type { Context } from '../command.ts';
import { findSession, matching } from './find-session.ts';

const at = (text: string) => new Date(text).getTime();
const NOW_MS = at('2026-11-22T15:00:00');

const row = (fields: Partial<SessionRow> & { rtmsStreamId: string }) =>
  ({ pk: `SESSION#${fields.rtmsStreamId}`, ...fields }) as SessionRow;

const BOARD = row({
  rtmsStreamId: '609340fb2a7946909659956c8aa9250c',
  entityId: '4444AAAiAAAAAiAiAiiAii==',
  meetingId: '98765432101',
  topic: 'Board meeting',
  hostId: 'host1',
  operatorId: 'op1',
  requestedAtMs: at('2026-11-21T09:58:00'),
  endedAtMs: at('2026-11-21T11:02:00'),
});
const { endedAtMs: _, ...running } = BOARD;
const AGAIN = row({
  ...running,
  rtmsStreamId: '60ffffffffffffffffffffffffffffff',
  requestedAtMs: at('2026-11-22T14:00:20'),
});

const WEBINAR = row({
  rtmsStreamId: 'ABCDEF01-0000',
  webinarId: '12 345',
  topic: 'All hands on the board',
  hostId: 'host2',
  requestedAtMs: at('2026-11-20T10:00:00'),
  stopEventTsMs: at('2026-11-20T10:30:00'),
});
const ROWS = [BOARD, AGAIN, WEBINAR];

test.for([
  ['a whole id', '609340fb2a7946909659956c8aa9250c', [BOARD]],
  ['the beginning of an id', '6093', [BOARD]],
  ['the beginning of an id in another case', 'abcdef', [WEBINAR]],
  ['too short a beginning', '609', []],
  ['a UUID, newest first', '4444AAAiAAAAAiAiAiiAii==', [AGAIN, BOARD]],
  ['a meeting number', '98765432101', [AGAIN, BOARD]],
  ['a meeting number in groups', '987 6543 2101', [AGAIN, BOARD]],
  ['a webinar number', '123-45', [WEBINAR]],
  ['a host', 'host2', [WEBINAR]],
  ['an operator', 'op1', [AGAIN, BOARD]],
  ['a part of a topic', 'BOARD MEET', [AGAIN, BOARD]],
  ['a part of several topics', 'board', [AGAIN, BOARD, WEBINAR]],
  ['a time', '2026-11-20T10:10:00', [WEBINAR]],
  ['yesterday at a time', 'yesterday 10:00', [BOARD]],
  ['a time of today', '14:30', [AGAIN]],
  ['the minute in which it began', '14:00', [AGAIN]],
  ['the minute before it began', '13:59', []],
  ['a second before it began', '14:00:19', []],
  ['the second in which it began', '14:00:20', [AGAIN]],
  ['the minute in which it ended', 'yesterday 11:02', [BOARD]],
  ['a date and a minute', '2026-11-20T10:30', [WEBINAR]],
  ['a day', '2026-11-20', [WEBINAR]],
  ['a time when nothing ran', '2026-11-20T10:31:00', []],
  ['nothing of ours', 'nobody', []],
] as const)('a search for %s finds exactly the sessions that it names', ([, words, expected]) => {
  expect(matching(ROWS, words, NOW_MS)).toEqual(expected);
});

test('shortly after midnight a later time of day finds the meeting of yesterday', () => {
  const late = row({
    rtmsStreamId: 'feed0000000000000000000000000000',
    requestedAtMs: at('2026-11-21T23:45:00'),
    endedAtMs: at('2026-11-21T23:58:00'),
  });
  const nowMs = at('2026-11-22T00:10:00');
  expect(matching([...ROWS, late], '23:50', nowMs)).toEqual([late]);
  expect(matching([...ROWS, late], '00:05', nowMs)).toEqual([]);
  expect(matching([...ROWS, late], 'yesterday 23:50', nowMs)).toEqual([late]);
});

test.each(['', ' '])('an empty text names no session: "%s"', async (text) => {
  await expect(findSession({} as Context, text)).rejects.toMatchObject({ code: 'config/invalid' });
});
