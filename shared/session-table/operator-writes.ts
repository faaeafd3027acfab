import { OWNED_AS_SEEN, OWNER_NAME, unchangedSince, valuesSeen } from './conditions.ts';
import { ATTRIBUTE, type RowWrite, type SessionRow } from './session-row.ts';

/**
 * What an operator may ask of a stream's owner: `stop` ends the stream at Zoom for good, `handover` gives it to another
 * runner. The owner reads its rows every 2 s.
 */
export type OperatorRequest = NonNullable<SessionRow['operatorRequest']>;

/**
 * Leaves a request for the owner that the operator saw. An earlier request is replaced.
 *
 * Condition: `OWNED_AS_SEEN`: a new owner would act on what was asked of the one before.
 */
export function writeOperatorRequest(seen: SessionRow, request: OperatorRequest): RowWrite {
  return {
    Key: { pk: seen.pk },
    UpdateExpression: `SET ${ATTRIBUTE.operatorRequest} = :request`,
    ConditionExpression: OWNED_AS_SEEN,
    ExpressionAttributeNames: OWNER_NAME,
    ExpressionAttributeValues: {
      ':request': request,
      ':owner': seen.owner,
      ':epoch': seen.epoch,
    },
  };
}

/**
 * Asks another runner for a hand-over, as an operator would: that runner was given the stream by this one and does not
 * get connected.
 *
 * Condition: `unchangedSince`: the owner that does not get connected has to be the one that was seen.
 */
export function writeAskBack(seen: SessionRow): RowWrite {
  return {
    Key: { pk: seen.pk },
    UpdateExpression: `SET ${ATTRIBUTE.operatorRequest} = :request`,
    ConditionExpression: unchangedSince(seen),
    ExpressionAttributeNames: OWNER_NAME,
    ExpressionAttributeValues: { ...valuesSeen(seen), ':request': 'handover' },
  };
}
