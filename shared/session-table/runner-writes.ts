import {
  NOT_STOPPED_BY_OPERATOR,
  OWNED_BY_ME,
  OWNER_NAME,
  ROW_EXISTS,
  unchangedSince,
  valuesSeen,
} from './conditions.ts';
import type { BlindSince } from './registers.ts';
import type { ContinuedStream } from './restart.ts';
import {
  ATTRIBUTE,
  isNewRun,
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

export interface MoreOfClaim {
  readonly continues?: ContinuedStream | undefined;
  readonly blindSince?: Omit<BlindSince, 'epoch'> | undefined;
}

/**
 * Takes a row for a task and raises its epoch. Takes away what the owner before left for this one to read.
 *
 * Conditions: `ROW_EXISTS` and `unchangedSince`.
 *
 * @param strikes how many owners in a row the stream has ended so far
 * @param more `continues`: the stream of the same meeting that this one continues; `blindSince`: since when nobody received
 *   the stream, for whoever comes after this task if that gets into no record
 */
export function writeClaim(
  seen: SessionRow,
  taskId: string,
  nowMs: number,
  strikes: number,
  more: MoreOfClaim = {},
): RowWrite {
  const { continues, blindSince } = more;
  const next = (seen.epoch ?? 0) + 1;
  const hasStrikes = strikes > 0;
  const isNew = isNewRun(seen);
  const { requestedAtMs } = seen;
  const hasAnnouncement = isNew && requestedAtMs !== undefined;
  const sets = [
    '#owner = :me',
    'epoch = :next',
    'claimedAtMs = :now',
    ...(isNew ? ['runEpoch = :next'] : []),
    ...(hasAnnouncement ? ['runRequestedAtMs = :requested'] : []),
    ...(hasStrikes ? ['strikes = :strikes'] : []),
    ...(continues === undefined ? [] : ['continues = :continues']),
    ...(blindSince === undefined ? [] : ['blindSince = :blind']),
  ];
  return {
    Key: { pk: seen.pk },
    UpdateExpression:
      `SET ${sets.join(', ')}` +
      ` REMOVE ${hasStrikes ? '' : 'strikes, '}${isNew ? 'missed, inPart, ' : ''}quarantinedUntilMs, proofs, handedBack, handedOverBy, handedOverAtMs, endedReason, endedAtMs, restart${blindSince === undefined ? ', blindSince' : ''}`,
    ConditionExpression: `${ROW_EXISTS} AND ${unchangedSince(seen)}`,
    ExpressionAttributeNames: OWNER_NAME,
    ExpressionAttributeValues: {
      ...valuesSeen(seen),
      ...(hasStrikes && { ':strikes': strikes }),
      ...(hasAnnouncement && { ':requested': requestedAtMs }),
      ...(continues !== undefined && { ':continues': continues }),
      ...(blindSince !== undefined && { ':blind': { ...blindSince, epoch: next } }),
      ':me': taskId,
      ':next': next,
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

/** Says that the records tell of the change of owner, and of the time that nobody saw. Condition: `OWNED_BY_ME`. */
export function writeTookOver(claim: Claim): RowWrite {
  return owned(claim, 'REMOVE blindSince', {});
}

/**
 * Says since when the owner does not receive the stream any more, while its ending lasts or after it was dropped. Its heartbeat
 * goes on and proves nothing about the stream. Condition: `OWNED_BY_ME`.
 */
export function writeLeaving(claim: Claim, blindSince: Omit<BlindSince, 'epoch'>): RowWrite {
  const values = { ':blind': { ...blindSince, epoch: claim.epoch } };
  return owned(claim, 'SET blindSince = :blind', values);
}

/**
 * Gives a row away for any runner to claim.
 *
 * Conditions: `OWNED_BY_ME`, and `NOT_STOPPED_BY_OPERATOR` unless `keepsRequest`.
 *
 * @param atMs when the task began to close the stream's sockets, Unix ms
 * @param how `penalty`: the stream has ended this owner by a defect; `handedBack`: this owner could not connect;
 *   `hasFlowed`: media has flowed under this claim, which `writeConnected` may not have come to say; `tookOver`: as
 *   `writeTookOver`; `inPart`: something of the run is lost; `keepsRequest`: an operator has asked for a stop since, which is
 *   the next owner's to do
 */
export function writeRelease(
  claim: Claim,
  atMs: number,
  how: {
    readonly penalty?: Penalty | undefined;
    readonly handedBack?: boolean;
    readonly hasFlowed?: boolean;
    readonly tookOver?: boolean;
    readonly inPart?: boolean;
    readonly keepsRequest?: boolean;
  },
): RowWrite {
  const { penalty, handedBack = false, hasFlowed = false, inPart = false } = how;
  const sets = ['#owner = :unowned', 'handedOverBy = :me', 'handedOverAtMs = :at'];
  if (hasFlowed) sets.push('connectedEpoch = :epoch');
  if (handedBack) sets.push('handedBack = :yes');
  if (inPart) sets.push('inPart = :yes');
  sets.push(...setsOf(penalty));
  return given(claim, sets, how.tookOver ? ['blindSince'] : [], how, {
    ...((handedBack || inPart) && { ':yes': true }),
    ':at': atMs,
  });
}

/** What the row of an epoch says that has no last event. */
export interface LeftOpen {
  readonly penalty?: Penalty | undefined;
  readonly hasFlowed?: boolean;
  readonly tookOver?: boolean;
  readonly inPart?: boolean;
  /** Since when nobody receives the stream. Absent where the row has an earlier time already, or where media never flowed. */
  readonly blindSince?: Omit<BlindSince, 'epoch'> | undefined;
  /** As of `writeRelease`. */
  readonly keepsRequest?: boolean;
}

/**
 * Gives a row away for any runner to claim, and says neither that it was handed over nor that its run has ended: Kinesis does
 * not have the last event of the epoch, so that nothing tells what is missing of it. Whoever claims the row takes its owner as
 * lost, as after a crash, and names the loss.
 *
 * Conditions: as of `writeRelease`.
 */
export function writeLeftOpen(claim: Claim, how: LeftOpen): RowWrite {
  const { penalty, hasFlowed = false, tookOver = false, inPart = false, blindSince } = how;
  const sets = ['#owner = :unowned', ...setsOf(penalty)];
  if (hasFlowed) sets.push('connectedEpoch = :epoch');
  if (inPart) sets.push('inPart = :yes');
  if (blindSince !== undefined) sets.push('blindSince = :blind');
  const removed = tookOver && blindSince === undefined ? ['blindSince'] : [];
  return given(claim, sets, removed, how, {
    ...(inPart && { ':yes': true }),
    ...(blindSince !== undefined && { ':blind': { ...blindSince, epoch: claim.epoch } }),
  });
}

/** A row that its owner gives away. A hand-over that an operator has asked for is done with it; a stop is not. */
function given(
  claim: Claim,
  sets: readonly string[],
  alsoRemoved: readonly string[],
  { penalty, keepsRequest = false }: Pick<LeftOpen, 'penalty' | 'keepsRequest'>,
  values: Readonly<Record<string, unknown>>,
): RowWrite {
  const removed = [
    ...(keepsRequest ? [] : [ATTRIBUTE.operatorRequest]),
    ...(penalty === undefined ? ['strikes'] : []),
    ...alsoRemoved,
  ];
  const remove = removed.length === 0 ? '' : ` REMOVE ${removed.join(', ')}`;
  const write = owned(claim, `SET ${sets.join(', ')}${remove}`, {
    ...valuesOf(penalty),
    ...values,
    ...(!keepsRequest && { ':stop': 'stop' }),
    ':unowned': UNOWNED,
  });
  if (keepsRequest) return write;
  return { ...write, ConditionExpression: `${OWNED_BY_ME} AND ${NOT_STOPPED_BY_OPERATOR}` };
}

/**
 * Offers a row that its owner has never served in this epoch: it owns it by a claim whose answer was lost, and has no room
 * now. It is no hand-over: who served last, and how that ended, stays in the row. Condition: `unchangedSince`.
 */
export function writeOffered(seen: SessionRow): RowWrite {
  return {
    Key: { pk: seen.pk },
    UpdateExpression: 'SET #owner = :unowned',
    ConditionExpression: unchangedSince(seen),
    ExpressionAttributeNames: OWNER_NAME,
    ExpressionAttributeValues: { ...valuesSeen(seen), ':unowned': UNOWNED },
  };
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
