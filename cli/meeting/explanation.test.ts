import { describe, expect, test } from 'vitest';
import { LedgerChecker, type ReceivedEvent } from '../../sdk/consumer/index.ts';
import type { EventData } from '../../shared/record/event-data.ts';
import { MISS_REASONS } from '../../shared/record/session-causes.ts';
import type { SessionRow } from '../../shared/session-table/session-row.ts';
import { event, START_MS } from '../../test/support/test-records.ts';
import { explain } from './explanation.ts';
import { pageOf } from './explanation-page.ts';
import type { MeetingEvidence } from './meeting-evidence.ts';

const NOW_MS = START_MS + 600_000;
const ROW: SessionRow = {
  pk: 'SESSION#stream-1',
  rtmsStreamId: 'stream-1',
  product: 'meeting',
  entityId: 'a/b==',
  startEventTsMs: START_MS,
  serverUrls: ['wss://a'],
  requestedAtMs: START_MS,
  endedStartEventTsMs: START_MS,
  endedReason: 6,
  epoch: 1,
};
const facts = { product: 'meeting', entityId: 'a/b==', requestedAtMs: START_MS } as const;
const ledger = (received: number) =>
  [{ mediaType: 'events', received, written: received, lost: 0 }] as const;
const started = event(
  'session_started',
  {
    ...facts,
    media: {},
    owner: 'task-1',
    claimedAtMs: START_MS + 300,
    streamingAtMs: START_MS + 500,
  },
  1,
);
const ended = (data: Partial<EventData['session_ended']> = {}, sequence = 2) =>
  event('session_ended', { restartable: false, ledger: ledger(sequence - 1), ...data }, sequence);
const missed = (data: Partial<EventData['session_missed']>) =>
  event('session_missed', { ...facts, reason: 'no_room', ledger: ledger(0), ...data }, 1);

function meetingWith(
  events: readonly ReceivedEvent[],
  row: Partial<SessionRow> = {},
  recorded: MeetingEvidence['recorded'] = [],
): MeetingEvidence {
  const checker = new LedgerChecker();
  for (const each of events) checker.event(each);
  const streams = [{ rtmsStreamId: 'stream-1', row: { ...ROW, ...row }, events }];
  return { streams, report: checker.report(), recorded };
}

const told = (events: readonly ReceivedEvent[], row: Partial<SessionRow> = {}) =>
  explain(meetingWith(events, row), NOW_MS);

describe('a meeting', () => {
  test('that is whole needs nothing', () => {
    const recorded = [{ mediaType: 'audio', minutes: 9.5, people: ['Ada'] }];
    const events = [started, ended({ stopReason: 6, stopReasonName: 'MEETING_ENDED' })];
    const explanation = explain(meetingWith(events, {}, recorded), NOW_MS);
    expect(pageOf(explanation, 80).join('\n')).toBe(
      [
        'meeting a/b==',
        '',
        'Recorded whole.',
        '',
        'What happened (UTC, 2027-01-15)',
        '  08:00:00  Zoom asked for stream stream-1',
        '  08:00:00  task-1 claimed it after 300 ms, and media flowed 200 ms later: ',
        '  08:00:00  Zoom ended the stream: MEETING_ENDED',
        '',
        'What was recorded',
        '  media  amount   of',
        '  audio  9.5 min  Ada',
        '',
        'What is missing',
        '  nothing',
        '',
        'What to do',
        '  Nothing.',
      ].join('\n'),
    );
  });

  test.each(MISS_REASONS)('that was missed (%s) says so, and what to do', (reason) => {
    const explanation = told([missed({ reason })], { endedReason: 'missed' });
    expect(explanation).toMatchObject({ verdict: 'incomplete', summary: 'Not recorded at all.' });
    expect(explanation.missing).toHaveLength(1);
    expect(explanation.advice).toHaveLength(1);
    expect(explanation.advice[0]).not.toBe('Nothing.');
  });

  test.each<[string, readonly ReceivedEvent[], RegExp]>([
    [
      'cut short without credentials for the API',
      [started, ended({ stopReason: 13, restartable: true, restart: 'no_credentials' })],
      /^Put API credentials .*\nIf the meeting still runs: rtms start 'a\/b=='$/,
    ],
    [
      'whose consent was taken back',
      [
        started,
        event('session_revoked', { timestampMs: START_MS }, 2),
        ended({ stopReason: 8 }, 3),
      ],
      /^Delete what is stored of it/,
    ],
    [
      'of which something is missing that nothing explains',
      [started, ended({}, 4)],
      /^Report this as a defect/,
    ],
  ])('%s', (_what, events, advice) => {
    expect(told(events).advice.join('\n')).toMatch(advice);
  });

  test('that waits for a runner says so', () => {
    const { endedReason: _, endedStartEventTsMs: __, ...row } = ROW;
    const waiting: SessionRow = { ...row, owner: 'UNOWNED', epoch: 0 };
    const streams = [{ rtmsStreamId: 'stream-1', row: waiting, events: [] }];
    const explanation = explain({ ...meetingWith([]), streams }, NOW_MS);
    expect(explanation.summary).toBe('Nothing is recorded yet.');
    expect(explanation.steps.at(-1)?.text).toContain('it waits for a runner');
    expect(explanation.advice[0]).toMatch(/^It waits for room/);
  });

  test('whose connection broke often is told in a few lines', () => {
    const scope = { scope: 'signaling', cause: 'watchdog', attempt: 1, blind: [] } as const;
    const back = Array.from({ length: 40 }, (_, index) =>
      event('session_reconnected', { ...scope, durationMs: 100 + index }, index + 2),
    );
    const { steps } = told([started, ...back, ended({}, 42)]);
    expect(steps.length).toBeLessThan(10);
    expect(steps.map(({ text }) => text)).toContain('35 shorter interruptions begin here');
  });
});
