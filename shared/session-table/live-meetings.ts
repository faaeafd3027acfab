import { expiresAt, type RowWrite } from './session-row.ts';

/**
 * Rows beside the sessions, for the comparison with Zoom's list of live meetings. They have no owner, so the index does not
 * list them.
 *
 * | row | `pk` | what it is for |
 * |---|---|---|
 * | the period | `RECONCILE#live` | of all tasks one compares, every five minutes |
 * | a live meeting without a stream | `MEETING#<entity id>` | Zoom is asked for it a few times at most |
 */
const RECONCILE_EVERY_MS = 300_000;
/** Requests for one meeting. It is asked for again when Zoom said that it may agree later. */
const MAX_START_TRIES = 3;

const periodKey = 'RECONCILE#live';
const meetingKey = (entityId: string) => `MEETING#${entityId}`;

/** @returns whether a key is of one of these rows, which are no sessions and no tasks */
export function isLiveMeetingKey(pk: unknown): boolean {
  return typeof pk === 'string' && (pk === periodKey || pk.startsWith(meetingKey('')));
}

/**
 * Takes the comparison of the next five minutes.
 *
 * ```text
 * runner A   12:00:00 takes it until 12:05:00 ── compares
 * runner B            12:00:20: refused ······················ 12:05:10 takes it until 12:10:10
 * ```
 */
export function writeReconcilePeriod(taskId: string, nowMs: number): RowWrite {
  return {
    Key: { pk: periodKey },
    UpdateExpression: 'SET #until = :until, takenBy = :me',
    ConditionExpression: 'attribute_not_exists(#until) OR #until <= :now',
    ExpressionAttributeNames: { '#until': 'untilMs' },
    ExpressionAttributeValues: {
      ':until': nowMs + RECONCILE_EVERY_MS,
      ':me': taskId,
      ':now': nowMs,
    },
  };
}

/** Takes the right to ask for a meeting once; a try counts also when the task dies before. */
export function writeMeetingClaim(entityId: string, nowMs: number): RowWrite {
  return {
    Key: { pk: meetingKey(entityId) },
    UpdateExpression: 'SET tries = if_not_exists(tries, :none) + :one, atMs = :now, #ttl = :ttl',
    ConditionExpression:
      'attribute_not_exists(#outcome) AND (attribute_not_exists(tries) OR tries < :most)',
    ExpressionAttributeNames: { '#ttl': 'ttl', '#outcome': 'outcome' },
    ExpressionAttributeValues: {
      ':none': 0,
      ':one': 1,
      ':most': MAX_START_TRIES,
      ':now': nowMs,
      ':ttl': expiresAt(nowMs),
    },
  };
}

/** Zoom has agreed to start its stream. */
export function writeMeetingOutcome(entityId: string, outcome: 'requested'): RowWrite {
  return {
    Key: { pk: meetingKey(entityId) },
    UpdateExpression: 'SET #outcome = :outcome',
    ExpressionAttributeNames: { '#outcome': 'outcome' },
    ExpressionAttributeValues: { ':outcome': outcome },
  };
}
