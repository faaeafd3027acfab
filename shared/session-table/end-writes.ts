import {
  NOT_STOPPED_BY_OPERATOR,
  OWNED_BY_ME,
  OWNER_AND_TTL_NAMES,
  OWNER_NAME,
  RUN_AS_SEEN,
  RUN_IS_NEWEST,
  RUN_IS_SUPERSEDED,
  UNTOLD,
  unchangedSince,
  valuesSeen,
} from './conditions.ts';
import type { EndedReason, MissedRegister } from './registers.ts';
import type { RestartRegister } from './restart.ts';
import type { Claim } from './runner-writes.ts';
import {
  ATTRIBUTE,
  expiresAt,
  RESTARTS,
  type RowWrite,
  type SessionRow,
  sessionKey,
  UNOWNED,
} from './session-row.ts';

/** A run of a stream that its owner has served to its end. */
export interface EndedRun {
  readonly startEventTsMs: number;
  readonly reason: EndedReason;
  /** When the owner began to leave the stream, Unix ms. */
  readonly atMs: number;
  /** What is to be done about a run that Zoom ended for a technical reason. */
  readonly restart?: RestartRegister | undefined;
  /** Has media flowed under this claim? */
  readonly hasFlowed?: boolean;
  /** As `writeTookOver` says. */
  readonly tookOver?: boolean;
}

/**
 * Marks the served run as ended, in writes of which one can happen, tried in this order: `ask` gives the row to those who
 * ask Zoom again, `rest` takes the owner out when the run was the newest, `again` offers the row for the newer run.
 *
 * Conditions: `RUN_IS_NEWEST` for `rest`, and `NOT_STOPPED_BY_OPERATOR` too for `ask`; `RUN_IS_SUPERSEDED` for `again`.
 * When none holds, the row is not this task's any more.
 *
 * @returns `ask` for a run with `restart` alone
 */
export function writeEnd(
  claim: Claim,
  run: EndedRun,
  nowMs: number,
): { readonly ask?: RowWrite; readonly rest: RowWrite; readonly again: RowWrite } {
  const { restart, hasFlowed = false, tookOver = false } = run;
  const removed = `${ATTRIBUTE.operatorRequest}${tookOver ? ', blindSince' : ''}`;
  const flowed = hasFlowed ? ', connectedEpoch = :epoch' : '';
  const set = `SET endedStartEventTsMs = :run, endedReason = :reason, endedAtMs = :at, #ttl = :ttl${flowed}`;
  const values = {
    ':me': claim.taskId,
    ':epoch': claim.epoch,
    ':run': run.startEventTsMs,
    ':reason': run.reason,
    ':at': run.atMs,
    ':ttl': expiresAt(nowMs),
  };
  const row = {
    Key: { pk: sessionKey(claim.rtmsStreamId) },
    ExpressionAttributeNames: OWNER_AND_TTL_NAMES,
  };
  return {
    ...(restart !== undefined && {
      ask: {
        ...row,
        UpdateExpression: `${set}, #restart = :restart, #owner = :restarts REMOVE ${removed}`,
        ConditionExpression: `${RUN_IS_NEWEST} AND ${NOT_STOPPED_BY_OPERATOR}`,
        ExpressionAttributeNames: { ...OWNER_AND_TTL_NAMES, '#restart': 'restart' },
        ExpressionAttributeValues: { ...values, ...askingValues(restart) },
      },
    }),
    rest: {
      ...row,
      UpdateExpression: `${set} REMOVE #owner, ${removed}`,
      ConditionExpression: RUN_IS_NEWEST,
      ExpressionAttributeValues: values,
    },
    again: {
      ...row,
      UpdateExpression: `${set}, #owner = :unowned REMOVE ${removed}`,
      ConditionExpression: RUN_IS_SUPERSEDED,
      ExpressionAttributeValues: { ...values, ':unowned': UNOWNED },
    },
  };
}

/**
 * Says that a run ends without ever having been recorded, of a row that nobody serves. The writer owns the row until its
 * event is written; then it goes to those who ask Zoom again, where there is a restart.
 *
 * Conditions: `RUN_AS_SEEN`, `unchangedSince`; with `restart` also `NOT_STOPPED_BY_OPERATOR`.
 */
export function writeMissed(
  seen: SessionRow,
  missed: MissedRegister,
  taskId: string,
  nowMs: number,
  restart?: RestartRegister,
): RowWrite {
  return {
    Key: { pk: seen.pk },
    UpdateExpression: `SET #owner = :me, epoch = :next, runEpoch = :next, ${missing(restart)} REMOVE ${ATTRIBUTE.operatorRequest}, handedOverBy, handedOverAtMs`,
    ConditionExpression: `${RUN_AS_SEEN} AND ${unchangedSince(seen)}${unlessStopped(restart)}`,
    ExpressionAttributeNames: namesOf(restart),
    ExpressionAttributeValues: {
      ...valuesSeen(seen),
      ...missedValues(missed, seen.startEventTsMs ?? 0, nowMs, restart),
      ':me': taskId,
      ':next': missed.epoch,
    },
  };
}

/**
 * The same of the row that the writer serves, in its own epoch. Conditions: `OWNED_BY_ME`; with `restart` also
 * `NOT_STOPPED_BY_OPERATOR`.
 */
export function writeMissedByOwner(
  claim: Claim,
  missed: MissedRegister,
  startEventTsMs: number,
  nowMs: number,
  restart?: RestartRegister,
): RowWrite {
  return {
    Key: { pk: sessionKey(claim.rtmsStreamId) },
    UpdateExpression: `SET ${missing(restart)} REMOVE ${ATTRIBUTE.operatorRequest}`,
    ConditionExpression: `${OWNED_BY_ME}${unlessStopped(restart)}`,
    ExpressionAttributeNames: namesOf(restart),
    ExpressionAttributeValues: {
      ...missedValues(missed, startEventTsMs, nowMs, restart),
      ':me': claim.taskId,
      ':epoch': claim.epoch,
    },
  };
}

/**
 * Says that the events which the row asked for are in the records, in two writes of which one can happen, as `writeEnd`
 * does. Conditions: `UNTOLD` and `unchangedSince`; `rest` also that Zoom has started nothing newer, `again` that it has.
 */
export function writeTold(seen: SessionRow): { readonly rest: RowWrite; readonly again: RowWrite } {
  const row = { Key: { pk: seen.pk }, ExpressionAttributeNames: OWNER_NAME };
  const values = { ...valuesSeen(seen), ':yes': true, ':run': seen.endedStartEventTsMs ?? 0 };
  const condition = `${UNTOLD} AND ${unchangedSince(seen)}`;
  const isAskedFor = seen.restart !== undefined;
  return {
    rest: {
      ...row,
      UpdateExpression: isAskedFor
        ? 'SET #owner = :restarts REMOVE untold'
        : 'REMOVE #owner, untold',
      ConditionExpression: `${condition} AND startEventTsMs <= :run`,
      ExpressionAttributeValues: { ...values, ...(isAskedFor && { ':restarts': RESTARTS }) },
    },
    again: {
      ...row,
      UpdateExpression: 'SET #owner = :unowned REMOVE untold',
      ConditionExpression: `${condition} AND startEventTsMs > :run`,
      ExpressionAttributeValues: { ...values, ':unowned': UNOWNED },
    },
  };
}

function missing(restart: RestartRegister | undefined): string {
  const set =
    'endedStartEventTsMs = :run, endedReason = :reason, endedAtMs = :at, missed = :missed, untold = :yes, #ttl = :ttl';
  return restart === undefined ? set : `${set}, #restart = :restart`;
}

function unlessStopped(restart: RestartRegister | undefined): string {
  return restart === undefined ? '' : ` AND ${NOT_STOPPED_BY_OPERATOR}`;
}

function namesOf(restart: RestartRegister | undefined): RowWrite['ExpressionAttributeNames'] {
  return restart === undefined
    ? OWNER_AND_TTL_NAMES
    : { ...OWNER_AND_TTL_NAMES, '#restart': 'restart' };
}

function missedValues(
  missed: MissedRegister,
  startEventTsMs: number,
  nowMs: number,
  restart: RestartRegister | undefined,
): Readonly<Record<string, unknown>> {
  return {
    ':run': startEventTsMs,
    ':reason': 'missed',
    ':at': missed.atMs,
    ':missed': missed,
    ':yes': true,
    ':ttl': expiresAt(nowMs),
    ...(restart !== undefined && { ':restart': restart, ':stop': 'stop' }),
  };
}

function askingValues(restart: RestartRegister) {
  return { ':restart': restart, ':restarts': RESTARTS, ':stop': 'stop' };
}
