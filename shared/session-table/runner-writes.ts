import {
  NOT_STOPPED_BY_OPERATOR,
  OWNED_BY_ME,
  OWNER_AND_TTL_NAMES,
  OWNER_NAME,
  ROW_EXISTS,
  RUN_AS_SEEN,
  RUN_IS_NEWEST,
  RUN_IS_SUPERSEDED,
  UNTOLD,
  unchangedSince,
  valuesSeen,
} from './conditions.ts';
import type { ContinuedStream, RestartRegister } from './restart.ts';
import {
  ATTRIBUTE,
  expiresAt,
  isNewRun,
  type MissedRegister,
  type Ownership,
  RESTARTS,
  type RowWrite,
  type SessionRow,
  sessionKey,
  UNOWNED,
} from './session-row.ts';

/** What a runner writes under: the stream, its own name, and the epoch in which it claimed the stream. */
export interface Claim {
  readonly rtmsStreamId: string;
  readonly taskId: string;
  readonly epoch: number;
}

/** What a stream gets that has ended an owner. */
export interface Penalty {
  /** How many owners in a row it has ended. */
  readonly strikes: number;
  /** Nobody claims it before that, Unix ms. */
  readonly quarantinedUntilMs?: number;
}

export type EndedReason = NonNullable<Ownership['endedReason']>;

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
}

/**
 * Takes a row for a task and raises its epoch. Takes away what the owner before left for this one to read.
 *
 * Conditions: `ROW_EXISTS` and `unchangedSince`.
 *
 * @param strikes how many owners in a row the stream has ended so far
 * @param continues the stream of the same meeting that this one continues
 */
export function writeClaim(
  seen: SessionRow,
  taskId: string,
  nowMs: number,
  strikes: number,
  continues?: ContinuedStream,
): RowWrite {
  const hasStrikes = strikes > 0;
  const isNew = isNewRun(seen);
  const sets = [
    '#owner = :me',
    'epoch = :next',
    'claimedAtMs = :now',
    ...(isNew ? ['runEpoch = :next'] : []),
    ...(hasStrikes ? ['strikes = :strikes'] : []),
    ...(continues === undefined ? [] : ['continues = :continues']),
  ];
  return {
    Key: { pk: seen.pk },
    UpdateExpression:
      `SET ${sets.join(', ')}` +
      ` REMOVE ${hasStrikes ? '' : 'strikes, '}${isNew ? 'missed, ' : ''}quarantinedUntilMs, proofs, handedBack, handedOverBy, handedOverAtMs, endedReason, endedAtMs, restart`,
    ConditionExpression: `${ROW_EXISTS} AND ${unchangedSince(seen)}`,
    ExpressionAttributeNames: OWNER_NAME,
    ExpressionAttributeValues: {
      ...valuesSeen(seen),
      ...(hasStrikes && { ':strikes': strikes }),
      ...(continues !== undefined && { ':continues': continues }),
      ':me': taskId,
      ':next': (seen.epoch ?? 0) + 1,
      ':now': nowMs,
    },
  };
}

/**
 * Proves after a lapse of the heartbeat that the row is still this task's. It is a write and not a read, because it has
 * to void what others have read of the row (docs/adr/0005).
 *
 * Condition: `OWNED_BY_ME`.
 */
export function writeProof(claim: Claim): RowWrite {
  return owned(claim, 'ADD proofs :one', { ':one': 1 });
}

/** Says that media flows, to whoever gave the stream away. Condition: `OWNED_BY_ME`. */
export function writeConnected(claim: Claim): RowWrite {
  return owned(claim, 'SET connectedEpoch = :epoch', {});
}

/**
 * Gives a row away for any runner to claim.
 *
 * Condition: `OWNED_BY_ME`.
 *
 * @param atMs when the task began to close the stream's sockets, Unix ms
 * @param how `penalty`: the stream has ended this owner by a defect; `handedBack`: this owner could not connect;
 *   `hasFlowed`: media has flowed under this claim, which `writeConnected` may not have come to say
 */
export function writeRelease(
  claim: Claim,
  atMs: number,
  how: {
    readonly penalty?: Penalty | undefined;
    readonly handedBack?: boolean;
    readonly hasFlowed?: boolean;
  },
): RowWrite {
  const { penalty, handedBack = false, hasFlowed = false } = how;
  const sets = ['#owner = :unowned', 'handedOverBy = :me', 'handedOverAtMs = :at'];
  if (hasFlowed) sets.push('connectedEpoch = :epoch');
  if (handedBack) sets.push('handedBack = :yes');
  const removed = penalty === undefined ? ', strikes' : '';
  const update = `SET ${[...sets, ...setsOf(penalty)].join(', ')} REMOVE ${ATTRIBUTE.operatorRequest}${removed}`;
  return owned(claim, update, {
    ...valuesOf(penalty),
    ...(handedBack && { ':yes': true }),
    ':unowned': UNOWNED,
    ':at': atMs,
  });
}

/** Takes a row from a dead owner and gives it to nobody for a while. Condition: `unchangedSince`. */
export function writeQuarantine(seen: SessionRow, penalty: Penalty): RowWrite {
  return {
    Key: { pk: seen.pk },
    UpdateExpression: `SET ${['#owner = :unowned', ...setsOf(penalty)].join(', ')}`,
    ConditionExpression: unchangedSince(seen),
    ExpressionAttributeNames: OWNER_NAME,
    ExpressionAttributeValues: {
      ...valuesSeen(seen),
      ...valuesOf(penalty),
      ':unowned': UNOWNED,
    },
  };
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
  const { restart, hasFlowed = false } = run;
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
        ...asking(set, `${RUN_IS_NEWEST} AND ${NOT_STOPPED_BY_OPERATOR}`),
        ExpressionAttributeValues: { ...values, ...askingValues(restart) },
      },
    }),
    rest: {
      ...row,
      UpdateExpression: `${set} REMOVE #owner, ${ATTRIBUTE.operatorRequest}`,
      ConditionExpression: RUN_IS_NEWEST,
      ExpressionAttributeValues: values,
    },
    again: {
      ...row,
      UpdateExpression: `${set}, #owner = :unowned REMOVE ${ATTRIBUTE.operatorRequest}`,
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

function asking(set: string, condition: string) {
  return {
    UpdateExpression: `${set}, #restart = :restart, #owner = :restarts REMOVE ${ATTRIBUTE.operatorRequest}`,
    ConditionExpression: condition,
    ExpressionAttributeNames: { ...OWNER_AND_TTL_NAMES, '#restart': 'restart' },
  };
}

function askingValues(restart: RestartRegister) {
  return { ':restart': restart, ':restarts': RESTARTS, ':stop': 'stop' };
}

function owned(
  claim: Claim,
  UpdateExpression: string,
  values: Readonly<Record<string, unknown>>,
): RowWrite {
  return {
    Key: { pk: sessionKey(claim.rtmsStreamId) },
    UpdateExpression,
    ConditionExpression: OWNED_BY_ME,
    ExpressionAttributeNames: OWNER_NAME,
    ExpressionAttributeValues: { ...values, ':me': claim.taskId, ':epoch': claim.epoch },
  };
}

function setsOf(penalty: Penalty | undefined): string[] {
  if (penalty === undefined) return [];
  const untilMs = penalty.quarantinedUntilMs;
  return ['strikes = :strikes', ...(untilMs === undefined ? [] : ['quarantinedUntilMs = :until'])];
}

function valuesOf(penalty: Penalty | undefined): Readonly<Record<string, unknown>> {
  if (penalty === undefined) return {};
  const { strikes, quarantinedUntilMs } = penalty;
  return {
    ':strikes': strikes,
    ...(quarantinedUntilMs !== undefined && { ':until': quarantinedUntilMs }),
  };
}
