import { describe, expect, test } from 'vitest';
import { RESTARTS, type SessionRow, UNOWNED } from '../../shared/session-table/session-row.ts';
import { judgeRow, judgeSession, type SessionView, strikesAfterDeath } from './rules.ts';

const STARTED: SessionRow = {
  pk: 'SESSION#s',
  rtmsStreamId: 's',
  owner: UNOWNED,
  startEventTsMs: 1000,
  serverUrls: ['wss://a'],
  product: 'meeting',
  entityId: 'e',
  app: 'default',
  requestedAtMs: 1100,
};
const STOPPED: SessionRow = { ...STARTED, stopEventTsMs: 2000, stopReason: 6 };
const UNTOLD = { endedStartEventTsMs: 1000, endedReason: 'missed', untold: true } as const;
const HERE = { taskId: 'me', hasSession: false, nowMs: 10_000 };
const NOTHING = { act: 'none', why: 'nothing_to_do' } as const;

describe('judgeRow', () => {
  const table: readonly [string, SessionRow, boolean, ReturnType<typeof judgeRow>][] = [
    ['claims a start that nobody owns', STARTED, false, { act: 'claim' }],
    ['claims a start without an owner', without(STARTED, 'owner'), false, { act: 'claim' }],
    [
      'leaves a start to its living owner',
      { ...STARTED, owner: 'other', epoch: 1 },
      false,
      { act: 'none', why: 'served_elsewhere' },
    ],
    [
      'takes over from a dead owner',
      { ...STARTED, owner: 'dead', epoch: 1 },
      false,
      { act: 'claim', cause: 'owner_lost' },
    ],
    [
      'takes its own row back when it has no session for it',
      { ...STARTED, owner: 'me', epoch: 1 },
      false,
      { act: 'claim', cause: 'owner_lost' },
    ],
    [
      'leaves its own row to the session that serves it',
      { ...STARTED, owner: 'me', epoch: 1 },
      true,
      { act: 'none', why: 'served_here' },
    ],
    [
      'takes over what was handed over',
      { ...STARTED, epoch: 3, handedOverBy: 'other' },
      false,
      { act: 'claim', cause: 'handed_over' },
    ],
    [
      'serves a new run of an ended stream',
      { ...STARTED, epoch: 3, endedStartEventTsMs: 500, endedReason: 6 },
      false,
      { act: 'claim', cause: 'restarted' },
    ],
    [
      'leaves a quarantined stream alone',
      { ...STARTED, epoch: 2, strikes: 2, quarantinedUntilMs: 10_001 },
      false,
      { act: 'none', why: 'quarantined' },
    ],
    [
      'takes a stream whose quarantine is over',
      { ...STARTED, epoch: 2, strikes: 2, quarantinedUntilMs: 10_000 },
      false,
      { act: 'claim', cause: 'owner_lost' },
    ],
    [
      'does nothing for a dead owner whose stream was never started',
      { pk: 'SESSION#s', rtmsStreamId: 's', owner: 'dead', epoch: 1, stopEventTsMs: 9 },
      false,
      NOTHING,
    ],
    [
      'clears a start that was stopped unserved',
      STOPPED,
      false,
      { act: 'miss', reason: 'stopped_first' },
    ],
    [
      'clears a new run that was stopped unserved',
      { ...STOPPED, epoch: 3, endedStartEventTsMs: 500, endedReason: 6 },
      false,
      { act: 'miss', reason: 'stopped_first' },
    ],
    [
      'says that a stream was missed whose addresses may not be used',
      { ...STARTED, serverUrls: [] },
      false,
      { act: 'miss', reason: 'address_refused' },
    ],
    [
      'says that a stream was missed whose owner died before media flowed, and that Zoom stopped',
      { ...STOPPED, owner: 'dead', epoch: 2, runEpoch: 2, connectedEpoch: 1 },
      false,
      { act: 'miss', reason: 'not_connected' },
    ],
    [
      'says that a stream was missed that Zoom revoked before anybody had claimed it',
      { ...STOPPED, stopReason: 8 },
      false,
      { act: 'miss', reason: 'revoked' },
    ],
    [
      'says that a stream was missed that Zoom revoked after its owner had given it away unconnected',
      { ...STOPPED, stopReason: 8, epoch: 1, runEpoch: 1, handedOverBy: 'other' },
      false,
      { act: 'miss', reason: 'revoked' },
    ],
    [
      'claims a revoked stream of which an earlier run is in the records, to say that it was revoked',
      {
        ...STOPPED,
        stopReason: 8,
        epoch: 3,
        runEpoch: 2,
        connectedEpoch: 1,
        handedOverBy: 'other',
      },
      false,
      { act: 'claim', cause: 'handed_over' },
    ],
    [
      'claims a revoked stream whose owner died and may have written, to say that it was revoked',
      { ...STOPPED, stopReason: 8, owner: 'dead', epoch: 1, runEpoch: 1 },
      false,
      { act: 'claim', cause: 'owner_lost' },
    ],
    [
      'tells what an owner had decided and not told when it died',
      { ...STOPPED, ...UNTOLD, owner: 'dead', epoch: 1 },
      false,
      { act: 'tell' },
    ],
    [
      'tells what it has decided itself and not told',
      { ...STARTED, ...UNTOLD, owner: 'me', epoch: 1, startEventTsMs: 3000 },
      false,
      { act: 'tell' },
    ],
    [
      'leaves what is untold to its living owner',
      { ...STOPPED, ...UNTOLD, owner: 'other', epoch: 1 },
      false,
      { act: 'none', why: 'served_elsewhere' },
    ],
    [
      'takes a stopped stream of a dead owner to write its end',
      { ...STOPPED, owner: 'dead', epoch: 1 },
      false,
      { act: 'claim', cause: 'owner_lost' },
    ],
    [
      'takes a stream stopped between two owners to write its end',
      { ...STOPPED, epoch: 1, handedOverBy: 'other' },
      false,
      { act: 'claim', cause: 'handed_over' },
    ],
    [
      'leaves a stopped stream to its living owner',
      { ...STOPPED, owner: 'other', epoch: 1 },
      false,
      { act: 'none', why: 'served_elsewhere' },
    ],
    [
      'has nothing to do for an ended stream',
      { ...without(STARTED, 'owner'), epoch: 1, endedStartEventTsMs: 1000, endedReason: 6 },
      false,
      NOTHING,
    ],
    [
      'has nothing to do for an ended stream whose stop came later',
      { ...without(STOPPED, 'owner'), epoch: 1, endedStartEventTsMs: 1000, endedReason: 6 },
      false,
      NOTHING,
    ],
    [
      'has nothing to do for a stream that Zoom may be asked for again',
      { ...STOPPED, owner: RESTARTS, epoch: 1, endedStartEventTsMs: 1000, endedReason: 13 },
      false,
      NOTHING,
    ],
    [
      'serves a stream that Zoom has started again by itself meanwhile',
      { ...STARTED, owner: RESTARTS, epoch: 1, endedStartEventTsMs: 500, endedReason: 13 },
      false,
      { act: 'claim', cause: 'restarted' },
    ],
    [
      'takes an ended stream that Zoom revoked afterwards, to say so',
      { ...without(STOPPED, 'owner'), epoch: 1, endedReason: 6, stopReason: 8 },
      false,
      { act: 'claim', cause: 'restarted' },
    ],
    [
      'has nothing to do for a stream that ended revoked',
      { ...without(STOPPED, 'owner'), epoch: 1, endedReason: 8, stopReason: 8 },
      false,
      NOTHING,
    ],
    [
      'has nothing to do for a revoked stream that nobody ever served',
      { ...without(STOPPED, 'owner'), stopReason: 8 },
      false,
      NOTHING,
    ],
    [
      'has nothing to do for an interruption without a start',
      { pk: 'SESSION#s', rtmsStreamId: 's', interruptEventTsMs: 5 },
      false,
      NOTHING,
    ],
  ];
  test.each(table)('%s', (_title, row, hasSession, verdict) => {
    expect(judgeRow(row, { ...HERE, hasSession }, (taskId) => taskId === 'dead')).toEqual(verdict);
  });
});

describe('judgeSession', () => {
  const SESSION: SessionView = {
    taskId: 'me',
    epoch: 2,
    startEventTsMs: 1000,
    serverUrls: ['wss://a'],
    handledInterruptTsMs: 0,
    lastHandshakeAtMs: 1500,
  };
  const OWNED: SessionRow = { ...STARTED, owner: 'me', epoch: 2 };
  const { pk, rtmsStreamId, owner, ...start } = STARTED;
  const failedOver = { ...start, startEventTsMs: 3000, serverUrls: ['wss://b'] };
  const table: readonly [string, SessionRow | undefined, object][] = [
    ['goes on while the row says so', OWNED, { act: 'keep' }],
    ['drops everything when the row is gone', undefined, { act: 'drop' }],
    ['drops everything at a higher epoch', { ...OWNED, epoch: 3 }, { act: 'drop' }],
    ['drops everything when another owns the row', { ...OWNED, owner: 'other' }, { act: 'drop' }],
    ['drops everything when the row was given away', { ...OWNED, owner: UNOWNED }, { act: 'drop' }],
    [
      'ends when Zoom stopped the stream',
      { ...OWNED, stopEventTsMs: 2000, stopReason: 6 },
      { act: 'end', stopReason: 6 },
    ],
    [
      'ends at a stop of the same instant as its start',
      { ...OWNED, stopEventTsMs: 1000, stopReason: 6 },
      { act: 'end', stopReason: 6 },
    ],
    [
      'ends its run when a newer one was started after the stop',
      { ...OWNED, ...failedOver, stopEventTsMs: 2000, stopReason: 13 },
      { act: 'end', stopReason: 13 },
    ],
    ['ignores a stop older than its start', { ...OWNED, stopEventTsMs: 900 }, { act: 'keep' }],
    [
      'fails over to new addresses',
      { ...OWNED, ...failedOver },
      { act: 'reconnect', cause: 'fail_over', start: failedOver, interruptEventTsMs: 0 },
    ],
    [
      'counts an interruption as handled by the fail-over after it',
      { ...OWNED, ...failedOver, interruptEventTsMs: 3500 },
      { act: 'reconnect', cause: 'fail_over', start: failedOver, interruptEventTsMs: 3500 },
    ],
    [
      'remembers a newer start at the same addresses',
      { ...OWNED, startEventTsMs: 3000 },
      { act: 'adopt', start: { ...start, startEventTsMs: 3000 } },
    ],
    [
      'reconnects after an interruption newer than its last handshake',
      { ...OWNED, interruptEventTsMs: 1600 },
      { act: 'reconnect', cause: 'interrupted', start, interruptEventTsMs: 1600 },
    ],
    [
      'ignores an interruption older than its last handshake',
      { ...OWNED, interruptEventTsMs: 1400 },
      { act: 'keep' },
    ],
    [
      'hands over when the operator requests it',
      { ...OWNED, operatorRequest: 'handover' },
      { act: 'operator', request: 'handover' },
    ],
  ];
  test.each(table)('%s', (_title, row, verdict) => {
    expect(judgeSession(SESSION, row)).toEqual(verdict);
  });

  test('reconnects once for one interruption', () => {
    const handled = { ...SESSION, handledInterruptTsMs: 1600 };
    expect(judgeSession(handled, { ...OWNED, interruptEventTsMs: 1600 })).toEqual({ act: 'keep' });
  });

  test('reconnects where an interruption says, once', () => {
    const moved = { interruptEventTsMs: 1600, movedEventTsMs: 1600, movedServerUrls: ['wss://b'] };
    const verdict = judgeSession(SESSION, { ...OWNED, ...moved });
    expect(verdict).toMatchObject({
      act: 'reconnect',
      start: { serverUrls: ['wss://b'] },
      interruptEventTsMs: 1600,
    });
    const there = { ...SESSION, serverUrls: ['wss://b'], handledInterruptTsMs: 1600 };
    expect(judgeSession(there, { ...OWNED, ...moved })).toEqual({ act: 'keep' });
  });
});

function without(row: SessionRow, name: keyof SessionRow): SessionRow {
  const { [name]: _, ...rest } = row;
  return rest as SessionRow;
}

describe('strikesAfterDeath', () => {
  const CLAIMED = { ...STARTED, epoch: 1, claimedAtMs: 50_000 };
  test.each<[string, number, number | undefined, number]>([
    ['died before another heartbeat', 0, 49_000, 1],
    ['died at the first heartbeat after the claim', 0, 52_900, 1],
    ['died so for the second time in a row', 1, 51_000, 2],
    ['lived on', 0, 53_000, 0],
    ['lived on, unlike the one before', 1, 80_000, 0],
    ['left no heartbeat to tell by', 1, undefined, 1],
  ])('of a stream whose owner %s', (_title, strikes, aliveAtMs, after) => {
    expect(strikesAfterDeath({ ...CLAIMED, strikes }, aliveAtMs)).toBe(after);
  });
});
