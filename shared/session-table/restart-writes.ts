import {
  RESTART_AS_SEEN,
  RESTART_CLAIMED_BY_ME,
  RESTART_NAMES,
  stopAsSeen,
  unchangedSince,
  valuesSeen,
} from './conditions.ts';
import { RESTART_CLAIM_MS, type RestartRegister } from './restart.ts';
import type { Claim } from './runner-writes.ts';
import { RESTARTS, type RowWrite, type SessionRow, sessionKey, UNOWNED } from './session-row.ts';

/**
 * Takes the right to act on a row's restart for a while, and raises the epoch, under which the act is told.
 *
 * Conditions: `unchangedSince`, `RESTART_AS_SEEN` and `stopAsSeen`.
 *
 * @param isRequest whether Zoom will be asked: that counts as a try, also when the task dies before
 */
export function writeRestartClaim(
  seen: SessionRow,
  taskId: string,
  nowMs: number,
  isRequest: boolean,
): RowWrite {
  const { restart } = seen;
  if (restart === undefined) throw new Error('a row without a restart cannot be claimed for one');
  const claimed: RestartRegister = {
    ...restart,
    tries: restart.tries + (isRequest ? 1 : 0),
    claimedBy: taskId,
    claimedUntilMs: nowMs + RESTART_CLAIM_MS,
  };
  return {
    Key: { pk: seen.pk },
    UpdateExpression: 'SET #restart = :restart, epoch = :next',
    ConditionExpression: `${unchangedSince(seen)} AND ${RESTART_AS_SEEN} AND ${stopAsSeen(seen)}`,
    ExpressionAttributeNames: RESTART_NAMES,
    ExpressionAttributeValues: {
      ...valuesSeen(seen),
      ':next_at': restart.nextAtMs,
      ...(seen.stopEventTsMs !== undefined && { ':stopped': seen.stopEventTsMs }),
      ':restart': claimed,
      ':next': (seen.epoch ?? 0) + 1,
    },
  };
}

/** What came of it. Condition: `RESTART_CLAIMED_BY_ME`. */
export function writeRestartResult(claim: Claim, restart: RestartRegister): RowWrite {
  return {
    Key: { pk: sessionKey(claim.rtmsStreamId) },
    UpdateExpression: 'SET #restart = :restart',
    ConditionExpression: RESTART_CLAIMED_BY_ME,
    ExpressionAttributeNames: { '#owner': 'owner', '#restart': 'restart', '#by': 'claimedBy' },
    ExpressionAttributeValues: {
      ':restarts': RESTARTS,
      ':epoch': claim.epoch,
      ':me': claim.taskId,
      ':restart': restart,
    },
  };
}

/**
 * Ends a restart without a request, whoever has a claim on it: a stream has come, or none is wanted.
 *
 * Conditions: `unchangedSince` and `RESTART_AS_SEEN`.
 */
export function writeRestartOutcome(
  seen: SessionRow,
  outcome: NonNullable<RestartRegister['outcome']>,
): RowWrite {
  const { restart } = seen;
  if (restart === undefined) throw new Error('a row without a restart has no outcome of one');
  const { sinceMs, reason, tries, nextAtMs } = restart;
  return {
    Key: { pk: seen.pk },
    UpdateExpression: 'SET #restart = :restart',
    ConditionExpression: `${unchangedSince(seen)} AND ${RESTART_AS_SEEN}`,
    ExpressionAttributeNames: RESTART_NAMES,
    ExpressionAttributeValues: {
      ...valuesSeen(seen),
      ':next_at': nextAtMs,
      ':restart': { sinceMs, reason, tries, nextAtMs, outcome } satisfies RestartRegister,
    },
  };
}

/** Takes a row out of `RESTARTS`: to rest, or to be served. Condition: `unchangedSince`. */
export function writeRestartLeft(seen: SessionRow, to: 'rest' | 'unowned'): RowWrite {
  return {
    Key: { pk: seen.pk },
    UpdateExpression: to === 'rest' ? 'REMOVE #owner' : 'SET #owner = :unowned',
    ConditionExpression: unchangedSince(seen),
    ExpressionAttributeNames: { '#owner': 'owner' },
    ExpressionAttributeValues: {
      ...valuesSeen(seen),
      ...(to === 'unowned' && { ':unowned': UNOWNED }),
    },
  };
}
