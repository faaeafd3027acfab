import { describe, expect, test } from 'vitest';
import type { SessionRow } from '../../shared/session-table/session-row.ts';
import { startSessionTable } from '../../test/support/session/local-session-table.ts';
import { OperatorStore } from '../deployment/operator-store.ts';
import { meetingOf, meetingStreams, streamsOfMeeting } from './find-meeting.ts';

const stream = (rtmsStreamId: string, fields: Partial<SessionRow> = {}): SessionRow => ({
  pk: `SESSION#${rtmsStreamId}`,
  rtmsStreamId,
  product: 'meeting',
  entityId: rtmsStreamId,
  ...fields,
});
const continues = (rtmsStreamId: string) => ({
  continues: { rtmsStreamId, reason: 13, tries: 1, sinceMs: 1 },
});
const ids = (streams: readonly { readonly rtmsStreamId: string }[]) =>
  streams.map(({ rtmsStreamId }) => rtmsStreamId);

describe('the streams of a meeting', () => {
  const CHAIN = [
    stream('third', continues('second')),
    stream('second', continues('first')),
    stream('first'),
    stream('alone'),
  ];
  const STARTED_AGAIN = [
    stream('late', { entityId: 'one', requestedAtMs: 20 }),
    stream('early', { entityId: 'one', requestedAtMs: 10 }),
    stream('other app', { entityId: 'one', app: 'second', requestedAtMs: 15 }),
    stream('other product', { entityId: 'one', product: 'webinar', requestedAtMs: 15 }),
  ];
  const BOTH = [
    stream('again', { entityId: 'one', requestedAtMs: 30 }),
    stream('continued', { entityId: 'one', requestedAtMs: 20, ...continues('begun') }),
    // Its row lacks the meeting.
    stream('begun', { entityId: undefined as never, requestedAtMs: 10 }),
  ];

  test.each<[string, string, SessionRow[], string[]]>([
    ['continue each other', 'first', CHAIN, ['first', 'second', 'third']],
    ['continue each other', 'second', CHAIN, ['first', 'second', 'third']],
    ['continue each other', 'third', CHAIN, ['first', 'second', 'third']],
    ['continue nothing', 'alone', CHAIN, ['alone']],
    ['have one UUID, product and app', 'late', STARTED_AGAIN, ['early', 'late']],
    ['have one UUID, or continue each other', 'begun', BOTH, ['begun', 'continued', 'again']],
    ['have one UUID, or continue each other', 'again', BOTH, ['begun', 'continued', 'again']],
    [
      'continue one whose row is gone',
      'last',
      [stream('last', continues('gone'))],
      ['gone', 'last'],
    ],
    [
      'lead in a circle',
      'a',
      [stream('a', continues('b')), stream('b', continues('a'))],
      ['b', 'a'],
    ],
  ])('are those that %s: named %s', (_, named, rows, expected) => {
    const row = rows.find(({ rtmsStreamId }) => rtmsStreamId === named);
    expect(ids(meetingStreams(rows, { rtmsStreamId: named, row }))).toEqual(expected);
  });

  test('are found for a session whose own row is gone', () => {
    const streams = meetingStreams(CHAIN.slice(0, 2), { rtmsStreamId: 'first', row: undefined });
    expect(ids(streams)).toEqual(['first', 'second', 'third']);
  });

  test('are read from the table', async () => {
    await using table = await startSessionTable();
    await table.start('third', continues('second'));
    await table.start('second', continues('first'));
    await table.start('first');
    const store = new OperatorStore(table.documents, table.name);
    const found = { rtmsStreamId: 'second', row: await store.session('second') };
    const streams = await streamsOfMeeting({ sessions: () => store }, found);
    expect(ids(streams)).toEqual(['first', 'second', 'third']);
  });
});

test('a meeting is found with all its streams, the newest of several', () => {
  const daily = (rtmsStreamId: string, entityId: string, requestedAtMs: number) =>
    stream(rtmsStreamId, { entityId, requestedAtMs, meetingId: '98765432101' });
  const rows = [
    daily('monday-1', 'mon', 1),
    daily('tuesday-2', 'tue', 20),
    daily('tuesday-1', 'tue', 10),
  ];
  const found = (words: string) => ids(meetingOf(rows, words, Date.parse('2026-11-22')).streams);
  expect(found('987 6543 2101')).toEqual(['tuesday-1', 'tuesday-2']);
  expect(meetingOf(rows, '98765432101', 0).others).toEqual(['mon']);
  expect(found('tuesday-2')).toEqual(['tuesday-1', 'tuesday-2']);
  expect(found('mon')).toEqual(['monday-1']);
  expect(found('nothing')).toEqual([]);
});
