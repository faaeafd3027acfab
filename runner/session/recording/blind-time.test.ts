import { describe, expect, test } from 'vitest';
import type { SessionRow, TaskRow } from '../../../shared/session-table/session-row.ts';
import { blindOfReconnect, blindOfTakeover, previousOwner } from './blind-time.ts';

const NOW_MS = 1_800_000_100_000;
const ALL = ['audio', 'video', 'deskshare', 'transcript', 'chat'] as const;
const START = { mediaTypes: ALL, startEventTsMs: NOW_MS - 90_000 };

const row = (changes: Partial<SessionRow>): SessionRow => ({
  pk: 'SESSION#s',
  rtmsStreamId: 's',
  claimedAtMs: NOW_MS - 600_000,
  ...changes,
});
const task = (renewedAtMs?: number): TaskRow => ({
  pk: 'TASK#t',
  owner: 'TASKS',
  taskId: 't',
  heartbeat: 9,
  slotsUsed: 1,
  slotsTotal: 10,
  draining: false,
  ...(renewedAtMs !== undefined && { renewedAtMs }),
});

describe('what is known of the owner before', () => {
  test.each([
    [
      'a lost one: a second before its last heartbeat',
      row({ owner: 't' }),
      task(NOW_MS - 9_000),
      { seenAtMs: NOW_MS - 10_000 },
    ],
    [
      'a lost one without a heartbeat row: its claim',
      row({ owner: 't' }),
      undefined,
      { seenAtMs: NOW_MS - 600_000 },
    ],
    [
      'a lost one of an older version: its claim',
      row({ owner: 't' }),
      task(),
      { seenAtMs: NOW_MS - 600_000 },
    ],
    [
      'a lost one that claimed after its heartbeat: its claim',
      row({ claimedAtMs: NOW_MS - 5_000 }),
      task(NOW_MS - 5_500),
      { seenAtMs: NOW_MS - 5_000 },
    ],
    [
      'one that gave it away: when it began to leave',
      row({ handedOverBy: 't', handedOverAtMs: NOW_MS - 700 }),
      undefined,
      { seenAtMs: NOW_MS - 700 },
    ],
    [
      'one that ended: when it gave the run up',
      row({ endedReason: 13, endedAtMs: NOW_MS - 4_000 }),
      undefined,
      { seenAtMs: NOW_MS - 4_000, endedReason: 13 },
    ],
    ['nobody', row({}), undefined, { seenAtMs: NOW_MS - 600_000 }],
  ])('%s', (_title, seen, heartbeat, expected) => {
    expect(previousOwner(seen, heartbeat)).toEqual(expected);
  });
});

describe('the blind time of a take-over', () => {
  const seenAtMs = NOW_MS - 12_000;
  test.each(['owner_lost', 'handed_over'] as const)(
    'after %s is that of all media but the audio that Zoom keeps',
    (cause) => {
      const blind = blindOfTakeover({ ...START, cause, previous: { seenAtMs } }, NOW_MS);
      const span = { fromMs: seenAtMs, toMs: NOW_MS };
      expect(blind).toEqual(ALL.slice(1).map((mediaType) => ({ mediaType, ...span })));
    },
  );

  test('takes in the audio that is older than what Zoom keeps', () => {
    const previous = { seenAtMs: NOW_MS - 75_000 };
    const blind = blindOfTakeover({ ...START, cause: 'owner_lost', previous }, NOW_MS);
    expect(blind[0]).toEqual({
      mediaType: 'audio',
      fromMs: NOW_MS - 75_000,
      toMs: NOW_MS - 60_000,
    });
  });

  test.each([
    ['a technical stop', 13, true],
    ['a lost connection', 'lost', true],
    ['a missed start', 'missed', true],
    ['the end of the meeting', 6, false],
    ['a revocation', 8, false],
  ] as const)('after %s and a restart', (_title, endedReason, isBlind) => {
    const previous = { seenAtMs: NOW_MS - 30_000, endedReason };
    const start = { ...START, startEventTsMs: NOW_MS - 2_000 };
    const blind = blindOfTakeover({ ...start, cause: 'restarted', previous }, NOW_MS);
    expect(blind.map(({ mediaType }) => mediaType)).toEqual(isBlind ? ALL : []);
    // Zoom keeps audio again from its new start on.
    if (isBlind) expect(blind[0]?.toMs).toBe(NOW_MS - 2_000);
  });

  test('is none where nothing tells when it began, or no time passed', () => {
    expect(blindOfTakeover({ ...START, cause: 'owner_lost', previous: {} }, NOW_MS)).toEqual([]);
    const previous = { seenAtMs: NOW_MS };
    expect(blindOfTakeover({ ...START, cause: 'handed_over', previous }, NOW_MS)).toEqual([]);
  });
});

describe('the blind time of a reconnect', () => {
  test('of signaling is that of everything but audio', () => {
    const blind = blindOfReconnect('signaling', 3_000, ALL, NOW_MS);
    expect(blind.map(({ mediaType }) => mediaType)).toEqual(ALL.slice(1));
    expect(blind[0]).toMatchObject({ fromMs: NOW_MS - 3_000, toMs: NOW_MS });
  });

  test('of one media connection is its own', () => {
    expect(blindOfReconnect('video', 3_000, ALL, NOW_MS)).toHaveLength(1);
    expect(blindOfReconnect('audio', 3_000, ALL, NOW_MS)).toEqual([]);
    expect(blindOfReconnect('audio', 63_000, ALL, NOW_MS)).toEqual([
      { mediaType: 'audio', fromMs: NOW_MS - 63_000, toMs: NOW_MS - 60_000 },
    ]);
  });
});
