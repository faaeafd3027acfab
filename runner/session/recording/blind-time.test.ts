import { describe, expect, test } from 'vitest';
import type { SessionRow, TaskRow } from '../../../shared/session-table/session-row.ts';
import {
  blindOfReconnect,
  blindOfTakeover,
  blindSinceOf,
  blindSinceOfOpen,
  previousOwner,
} from './blind-time.ts';

const NOW_MS = 1_800_000_100_000;
const ALL = ['audio', 'video', 'deskshare', 'transcript', 'chat'] as const;
const START = { mediaTypes: ALL, startEventTsMs: NOW_MS - 90_000 };

const row = (changes: Partial<SessionRow>): SessionRow => ({
  pk: 'SESSION#s',
  rtmsStreamId: 's',
  claimedAtMs: NOW_MS - 600_000,
  ...changes,
});
const task = (renewedAtMs?: number, startedAtMs?: number): TaskRow => ({
  pk: 'TASK#t',
  owner: 'TASKS',
  taskId: 't',
  heartbeat: 9,
  slotsUsed: 1,
  slotsTotal: 10,
  draining: false,
  ...(renewedAtMs !== undefined && { renewedAtMs }),
  ...(startedAtMs !== undefined && { startedAtMs }),
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
      'a lost one whose process had begun before its claim: a second before its last heartbeat',
      row({ owner: 't' }),
      task(NOW_MS - 9_000, NOW_MS - 600_000),
      { seenAtMs: NOW_MS - 10_000 },
    ],
    [
      'a lost one whose process began again after its claim: its claim',
      row({ owner: 't' }),
      task(NOW_MS - 9_000, NOW_MS - 11_000),
      { seenAtMs: NOW_MS - 600_000 },
    ],
    [
      'a lost one that says until when everything is written',
      row({ owner: 't' }),
      { ...task(NOW_MS - 9_000), wroteUntilMs: NOW_MS - 70_000 },
      { seenAtMs: NOW_MS - 10_000, wroteUntilMs: NOW_MS - 70_000 },
    ],
    [
      'one that gave it away: all that it received is in its ledger',
      row({ handedOverBy: 't', handedOverAtMs: NOW_MS - 700 }),
      { ...task(NOW_MS - 9_000), wroteUntilMs: NOW_MS - 70_000 },
      { seenAtMs: NOW_MS - 700 },
    ],
    [
      'one whose takeover is in no record: what the owner before it had written',
      row({ owner: 't', epoch: 2, blindSince: { epoch: 2, atMs: 7, wroteUntilMs: 5 } }),
      { ...task(NOW_MS - 9_000), wroteUntilMs: NOW_MS - 70_000 },
      { seenAtMs: 7, wroteUntilMs: 5 },
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
      'one that ended: when it began to leave the run',
      row({ endedReason: 13, endedAtMs: NOW_MS - 4_000 }),
      undefined,
      { seenAtMs: NOW_MS - 4_000, endedReason: 13 },
    ],
    ['nobody', row({}), undefined, { seenAtMs: NOW_MS - 600_000 }],
    [
      'one under which media flowed: a second before its last heartbeat',
      row({ owner: 't', epoch: 2, runEpoch: 1, connectedEpoch: 2 }),
      task(NOW_MS - 9_000),
      { seenAtMs: NOW_MS - 10_000 },
    ],
    [
      'one that lived on and never connected: its claim',
      row({ owner: 't', epoch: 2, runEpoch: 1, connectedEpoch: 1 }),
      { ...task(NOW_MS - 9_000), wroteUntilMs: NOW_MS - 9_500 },
      { seenAtMs: NOW_MS - 600_000, wroteUntilMs: NOW_MS - 600_000 },
    ],
    [
      'one that gave it away and had never connected: its claim',
      row({ epoch: 2, runEpoch: 1, connectedEpoch: 1, handedOverBy: 't', handedOverAtMs: NOW_MS }),
      undefined,
      { seenAtMs: NOW_MS - 600_000 },
    ],
    [
      'one that ended a run which others had received, and had never connected: its claim',
      row({ epoch: 2, runEpoch: 1, connectedEpoch: 1, endedReason: 'lost', endedAtMs: NOW_MS }),
      undefined,
      { seenAtMs: NOW_MS - 600_000, endedReason: 'lost' },
    ],
    [
      'one that missed a whole run: when it began to leave that',
      row({ epoch: 2, runEpoch: 2, endedReason: 'missed', endedAtMs: NOW_MS - 4_000 }),
      undefined,
      { seenAtMs: NOW_MS - 4_000, endedReason: 'missed' },
    ],
    [
      'one whose last event did not reach Kinesis: when it began to leave',
      row({
        epoch: 2,
        runEpoch: 1,
        connectedEpoch: 2,
        blindSince: { epoch: 2, atMs: NOW_MS - 70 },
      }),
      undefined,
      { seenAtMs: NOW_MS - 70 },
    ],
    [
      'one whose takeover is in no record: what it knew of the owner before it',
      row({ owner: 't', epoch: 2, connectedEpoch: 2, blindSince: { epoch: 2, atMs: 7 } }),
      task(NOW_MS - 9_000),
      { seenAtMs: 7 },
    ],
    [
      'one whose takeover is in no record, of a run that was started again: the same, and how the run before ended',
      row({ owner: 't', epoch: 2, blindSince: { epoch: 2, atMs: 7, endedReason: 13 } }),
      undefined,
      { seenAtMs: 7, endedReason: 13 },
    ],
    [
      'one whose takeover is in no record, and that ended the run as somebody decided: the run counts as lost',
      row({ epoch: 2, blindSince: { epoch: 2, atMs: 7 }, endedReason: 6, endedAtMs: 9 }),
      undefined,
      { seenAtMs: 7, endedReason: 'lost' },
    ],
    [
      'one of an older release, which leaves what an epoch before it has left: nothing of that',
      row({ owner: 't', epoch: 3, connectedEpoch: 3, blindSince: { epoch: 2, atMs: 7 } }),
      task(NOW_MS - 9_000),
      { seenAtMs: NOW_MS - 10_000 },
    ],
  ])('%s', (_title, seen, heartbeat, expected) => {
    expect(previousOwner(seen, heartbeat)).toEqual(expected);
  });
});

describe('what a claim leaves in its row', () => {
  test.each([
    ['the first claim: nothing', undefined, { seenAtMs: 7 }, undefined],
    ['a claim from a lost owner', 'owner_lost', { seenAtMs: 7 }, { atMs: 7 }],
    ['a claim of what was given away', 'handed_over', { seenAtMs: 7 }, { atMs: 7 }],
    [
      'a claim of a run after one that was cut short',
      'restarted',
      { seenAtMs: 7, endedReason: 13 },
      { atMs: 7, endedReason: 13 },
    ],
    ['after a decided end: nothing', 'restarted', { seenAtMs: 7, endedReason: 6 }, undefined],
    ['where nothing tells: nothing', 'owner_lost', {}, undefined],
  ] as const)('%s', (_title, cause, previous, left) => {
    expect(blindSinceOf(cause, previous)).toEqual(left);
  });

  test.each([1, 2, 3, 20])('outlasts %i owners that record nothing', (owners) => {
    const firstMs = NOW_MS - 500_000;
    const lostAtMs = NOW_MS - 100_000;
    let seen = row({ epoch: 1, runEpoch: 1, connectedEpoch: 1, claimedAtMs: firstMs });
    let beat = task(lostAtMs + 1_000);
    for (let epoch = 2; epoch <= owners + 1; epoch++) {
      const left = blindSinceOf('owner_lost', previousOwner(seen, beat));
      const claimedAtMs = lostAtMs + epoch * 1_000;
      seen = { ...seen, epoch, claimedAtMs, ...(left && { blindSince: { ...left, epoch } }) };
      beat = task(claimedAtMs + 9_000);
    }
    const previous = previousOwner(seen, beat);
    const blind = blindOfTakeover({ ...START, previous }, NOW_MS);
    expect(blind).toContainEqual({ mediaType: 'video', fromMs: lostAtMs, toMs: NOW_MS });
    // Zoom has kept the last minute.
    const audio = { mediaType: 'audio', fromMs: lostAtMs, toMs: NOW_MS - 60_000 };
    expect(blind).toContainEqual(audio);
  });
});

describe('the blind time of a take-over', () => {
  const seenAtMs = NOW_MS - 12_000;
  test('of the same run is that of all media but the audio that Zoom keeps', () => {
    const blind = blindOfTakeover({ ...START, previous: { seenAtMs } }, NOW_MS);
    const span = { fromMs: seenAtMs, toMs: NOW_MS };
    expect(blind).toEqual(ALL.slice(1).map((mediaType) => ({ mediaType, ...span })));
  });

  test('takes in the audio that is older than what Zoom keeps', () => {
    const previous = { seenAtMs: NOW_MS - 75_000 };
    const blind = blindOfTakeover({ ...START, previous }, NOW_MS);
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
    const blind = blindOfTakeover({ ...start, previous }, NOW_MS);
    expect(blind.map(({ mediaType }) => mediaType)).toEqual(isBlind ? ALL : []);
    // Zoom keeps audio again from its new start on.
    if (isBlind) expect(blind[0]?.toMs).toBe(NOW_MS - 2_000);
  });

  test('is none where nothing tells when it began, or no time passed', () => {
    expect(blindOfTakeover({ ...START, previous: {} }, NOW_MS)).toEqual([]);
    const previous = { seenAtMs: NOW_MS };
    expect(blindOfTakeover({ ...START, previous }, NOW_MS)).toEqual([]);
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

  test('has the audio that Zoom had kept for longer, and of other media the last loss alone', () => {
    const blind = blindOfReconnect('signaling', 3_000, ['audio', 'chat'], NOW_MS, NOW_MS - 70_000);
    expect(blind).toEqual([
      { mediaType: 'audio', fromMs: NOW_MS - 70_000, toMs: NOW_MS - 60_000 },
      { mediaType: 'chat', fromMs: NOW_MS - 3_000, toMs: NOW_MS },
    ]);
  });
});

test.each([
  ['the first one', { carried: undefined, tookOver: false, hasFlowed: true }, { atMs: NOW_MS }],
  [
    'one whose change of owner is in the records',
    { carried: { epoch: 2, atMs: 7 }, tookOver: true, hasFlowed: true },
    { atMs: NOW_MS },
  ],
  [
    'one whose change of owner is in no record either: the earlier time stays',
    { carried: { epoch: 2, atMs: 7 }, tookOver: false, hasFlowed: true },
    undefined,
  ],
  [
    'one under which media never flowed: its claim tells',
    { carried: undefined, tookOver: true, hasFlowed: false },
    undefined,
  ],
])('what an owner leaves whose last event did not reach Kinesis: %s', (_what, ending, left) => {
  expect(blindSinceOfOpen({ ...ending, atMs: NOW_MS })).toEqual(left);
});
