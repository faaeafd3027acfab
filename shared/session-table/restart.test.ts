import { describe, expect, test } from 'vitest';
import { STOP_REASON } from '../../rtms/protocol/stop-reason.ts';
import {
  afterAnswer,
  afterUnheard,
  type ContinuedStream,
  findContinued,
  judgeRestart,
  MAX_TRIES,
  planRestart,
  type RestartRegister,
  WINDOW_MS,
} from './restart.ts';
import { RESTARTS, type SessionRow } from './session-row.ts';

const NOW = 1_800_000_000_000;
const OPEN: RestartRegister = { sinceMs: NOW, reason: 13, tries: 0, nextAtMs: NOW };
const earlier = (change: Partial<ContinuedStream>): ContinuedStream => ({
  rtmsStreamId: 'before',
  reason: 13,
  tries: 1,
  sinceMs: NOW - 60_000,
  ...change,
});

function rowOf(restart: RestartRegister | undefined, change: Partial<SessionRow> = {}): SessionRow {
  return {
    pk: 'SESSION#s',
    rtmsStreamId: 's',
    owner: RESTARTS,
    epoch: 2,
    startEventTsMs: NOW - 90_000,
    serverUrls: ['wss://a.zoom.us'],
    product: 'meeting',
    entityId: 'm==',
    requestedAtMs: NOW - 90_000,
    endedStartEventTsMs: NOW - 90_000,
    endedReason: 13,
    endedAtMs: NOW,
    ...(restart && { restart }),
    ...change,
  };
}

describe('a restart is planned', () => {
  const technical = [10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 24];
  test.each(Object.entries(STOP_REASON))('after %s (%i) if it is technical', (_name, reason) => {
    const planned = planRestart({ reason }, true, NOW);
    if (technical.includes(reason)) expect(planned).toEqual({ ...OPEN, reason });
    else expect(planned).toBeUndefined();
  });

  test.each([
    ['lost', true],
    ['missed', false],
    ['refused', false],
  ] as const)('after %s: %s', (reason, isPlanned) => {
    expect(planRestart({ reason }, true, NOW) !== undefined).toBe(isPlanned);
  });

  test.each<[string, ContinuedStream, Partial<RestartRegister>]>([
    ['goes on counting in the same window', earlier({}), { tries: 1, sinceMs: NOW - 60_000 }],
    ['counts anew in the next', earlier({ sinceMs: NOW - WINDOW_MS }), { tries: 0, sinceMs: NOW }],
    ['is used up after the last try', earlier({ tries: MAX_TRIES }), { outcome: 'exhausted' }],
  ])('after a stream that continued another %s', (_what, continues, expected) => {
    expect(planRestart({ reason: 13, continues }, true, NOW)).toMatchObject(expected);
  });

  test.each([
    [18, 18, 'exhausted'],
    [13, 18, undefined],
    [18, 13, undefined],
  ])('reason %i and then %i: %s', (first, second, outcome) => {
    const continues = earlier({ reason: first });
    expect(planRestart({ reason: second, continues }, true, NOW)?.outcome).toBe(outcome);
  });

  test('and closed at once without credentials', () => {
    expect(planRestart({ reason: 13 }, false, NOW)?.outcome).toBe('no_credentials');
  });
});

describe('what is done about a row', () => {
  const stopped = (stopReason: number) => ({ stopEventTsMs: NOW + 1, stopReason });
  const LATER = NOW + WINDOW_MS;
  const CASES: readonly [string, SessionRow, number, object][] = [
    ['due', rowOf(OPEN), NOW, { act: 'ask' }],
    ['before its time', rowOf({ ...OPEN, nextAtMs: NOW + 1 }), NOW, { act: 'wait' }],
    ['claimed', rowOf({ ...OPEN, claimedUntilMs: NOW + 1 }), NOW, { act: 'wait' }],
    [
      'whose claim has lapsed',
      rowOf({ ...OPEN, tries: 1, claimedUntilMs: NOW }),
      NOW,
      { act: 'ask' },
    ],
    ['stopped for a technical reason', rowOf(OPEN, stopped(14)), NOW, { act: 'ask' }],
    [
      'stopped on purpose since',
      rowOf(OPEN, stopped(6)),
      NOW,
      { act: 'close', outcome: 'canceled' },
    ],
    [
      'stopped by our own API',
      rowOf(OPEN, stopped(25)),
      NOW,
      { act: 'close', outcome: 'canceled' },
    ],
    ['revoked', rowOf(OPEN, stopped(8)), NOW, { act: 'close', outcome: 'canceled' }],
    [
      'stopped on purpose before this run',
      rowOf(OPEN, { stopEventTsMs: 1, stopReason: 6 }),
      NOW,
      { act: 'ask' },
    ],
    ['started again by Zoom', rowOf(OPEN, { startEventTsMs: NOW }), NOW, { act: 'offer' }],
    [
      'with all tries used',
      rowOf({ ...OPEN, tries: MAX_TRIES }),
      NOW,
      { act: 'close', outcome: 'exhausted' },
    ],
    [
      'with a second refused signature',
      rowOf({ ...OPEN, reason: 18, tries: 1 }),
      NOW,
      { act: 'close', outcome: 'exhausted' },
    ],
    ['when the window is over', rowOf(OPEN), LATER, { act: 'close', outcome: 'exhausted' }],
    [
      'that Zoom has agreed to',
      rowOf({ ...OPEN, acceptedAtMs: NOW, nextAtMs: NOW + 9 }),
      NOW,
      { act: 'wait' },
    ],
    [
      'whose stream does not come',
      rowOf({ ...OPEN, acceptedAtMs: NOW }),
      NOW + 9,
      { act: 'tell_unheard' },
    ],
    ['that is refused', rowOf({ ...OPEN, outcome: 'refused' }), NOW, { act: 'wait' }],
    [
      'that is refused, after the window',
      rowOf({ ...OPEN, outcome: 'refused' }),
      LATER,
      { act: 'retire' },
    ],
    ['that is resumed', rowOf({ ...OPEN, outcome: 'resumed' }), NOW, { act: 'retire' }],
    ['without a register', rowOf(undefined), NOW, { act: 'retire' }],
  ];
  test.each(CASES)('%s', (_what, row, nowMs, verdict) => {
    expect(judgeRestart(row, nowMs)).toEqual(verdict);
  });
});

describe('after an answer', () => {
  const asked: RestartRegister = { ...OPEN, tries: 1, claimedBy: 'me', claimedUntilMs: NOW + 9 };
  const base = { sinceMs: NOW, reason: 13, tries: 1 };

  test('Zoom agreed: its stream has 10 s to come', () => {
    const after = afterAnswer(asked, { kind: 'ok' }, NOW, 0);
    expect(after).toEqual({ ...base, acceptedAtMs: NOW, nextAtMs: NOW + 10_000 });
    const unheard = afterUnheard(after, NOW + 10_000);
    expect(unheard).toEqual({ ...base, nextAtMs: NOW + 65_000 });
  });

  test('refused: the end', () => {
    const after = afterAnswer(asked, { kind: 'refused' }, NOW, 0);
    expect(after).toEqual({ ...base, nextAtMs: NOW, outcome: 'refused' });
  });

  test.each([
    [1, undefined, 0, 5_000],
    [1, undefined, 1, 10_000],
    [2, undefined, 0, 10_000],
    [4, undefined, 1, 80_000],
    [1, 30_000, 1, 30_000],
    [1, 1_000, 0, 5_000],
  ])('later, after try %i with Retry-After %s', (tries, afterMs, random, pauseMs) => {
    const answer = { kind: 'later', ...(afterMs !== undefined && { afterMs }) } as const;
    const after = afterAnswer({ ...asked, tries }, answer, NOW, random);
    expect(after).toEqual({ ...base, tries, nextAtMs: NOW + pauseMs });
  });

  test.each([
    ['the last try', MAX_TRIES, 0],
    ['a pause that is longer than the window', 1, WINDOW_MS],
  ])('later is never after %s', (_what, tries, afterMs) => {
    const after = afterAnswer({ ...asked, tries }, { kind: 'later', afterMs }, NOW, 0);
    expect(after.outcome).toBe('exhausted');
  });
});

describe('a new stream continues', () => {
  const started = rowOf(undefined, { rtmsStreamId: 'new', requestedAtMs: NOW + 5_000 });
  const ended = (rtmsStreamId: string, change: Partial<SessionRow> = {}) =>
    rowOf(OPEN, { rtmsStreamId, ...change });
  test.each<[string, SessionRow[], string | undefined]>([
    ['the one before', [ended('a')], 'a'],
    ['the last to end', [ended('a'), ended('b', { endedAtMs: NOW + 1 })], 'b'],
    ['one that was refused', [ended('a', { restart: { ...OPEN, outcome: 'refused' } })], 'a'],
    [
      'none that was stopped since',
      [ended('a', { restart: { ...OPEN, outcome: 'canceled' } })],
      undefined,
    ],
    ['none of another meeting', [ended('a', { entityId: 'other' })], undefined],
    ['none of another app', [ended('a', { app: 'other' })], undefined],
    ['one that ended later by another clock', [ended('a', { endedAtMs: NOW + 9_000 })], 'a'],
    ['none that ended later', [ended('a', { endedAtMs: NOW + 11_000 })], undefined],
    ['not itself', [ended('new')], undefined],
  ])('%s', (_what, rows, id) => {
    expect(findContinued(rows, started)?.rtmsStreamId).toBe(id);
  });
});
