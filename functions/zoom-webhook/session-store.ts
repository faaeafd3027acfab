import { ConditionalCheckFailedException, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { ServiceError } from '../../shared/errors.ts';
import {
  isReadable,
  parseSessionRow,
  ROW_TRANSLATION,
  type UnreadableRow,
} from '../../shared/session-table/parse-row.ts';
import { type SessionRow, sessionKey, UNOWNED } from '../../shared/session-table/session-row.ts';
import { START_FACTS } from '../../shared/zoom/start-facts.ts';
import { awsFailure } from './aws-failure.ts';
import type { RowUpdate } from './route.ts';

export interface StoredUpdate {
  /** False when the row already held this event or a newer one of its kind. */
  readonly changed: boolean;
  /** As it is now; one that cannot be read has been written all the same. */
  readonly row: SessionRow | UnreadableRow;
}

const NOT_WRITTEN = 'the session row could not be written';

/** Applies an update to its row if it is the newest of its register. */
export type StoreUpdate = (update: RowUpdate, signal: AbortSignal) => Promise<StoredUpdate>;

/**
 * Each register is last-writer-wins by Zoom's `event_ts`; of two contents of the same instant the greater
 * one wins, so that every order and repetition of deliveries ends in the same row. A start that wins
 * also offers the stream to the runners, unless one of them owns it.
 *
 * @returns a function that throws ServiceError `webhook/wrong-app` when the stream belongs to another
 *   app, `webhook/store-failed` when DynamoDB cannot be reached or refuses, `webhook/defect` when the call itself
 *   is wrong
 */
export function createSessionStore(client: DynamoDBClient, table: string): StoreUpdate {
  const documents = DynamoDBDocumentClient.from(client, ROW_TRANSLATION);
  return async (update, abortSignal) => {
    const key = { TableName: table, Key: { pk: sessionKey(update.rtmsStreamId) } };
    try {
      const { Attributes } = await documents.send(
        new UpdateCommand({ ...key, ...expressionOf(update), ReturnValues: 'ALL_NEW' }),
        { abortSignal },
      );
      return { changed: true, row: parseSessionRow(Attributes ?? {}) };
    } catch (cause) {
      if (!(cause instanceof ConditionalCheckFailedException)) throw awsFailure(cause, NOT_WRITTEN);
    }
    const { Item } = await documents
      .send(new GetCommand({ ...key, ConsistentRead: true }), { abortSignal })
      .catch((cause: unknown) => Promise.reject(awsFailure(cause, NOT_WRITTEN)));
    // Its time to live was over between the two calls: Zoom's repeat writes it anew.
    if (Item === undefined) throw new ServiceError('webhook/store-failed', 'the row went away');
    const row = parseSessionRow(Item);
    // Of a row that cannot be read, the app may be what cannot be read.
    if (isReadable(row) && row.app !== update.app) {
      throw new ServiceError('webhook/wrong-app', 'the stream belongs to another Zoom app', {
        detail: { rtmsStreamId: update.rtmsStreamId, app: update.app },
      });
    }
    return { changed: false, row };
  };
}

interface RegisterRule {
  readonly timestamp: string;
  /** Attribute that orders two contents of the same instant; none when the time is all there is. */
  readonly tieBreak?: string;
  /** Attributes that a winning update without them takes away. */
  readonly optional?: readonly string[];
}

const RULES: Readonly<Record<RowUpdate['register'], RegisterRule>> = {
  start: {
    timestamp: 'startEventTsMs',
    tieBreak: 'startDigest',
    optional: START_FACTS,
  },
  stop: { timestamp: 'stopEventTsMs', tieBreak: 'stopReason' },
  interrupt: { timestamp: 'interruptEventTsMs' },
  move: { timestamp: 'movedEventTsMs', tieBreak: 'movedDigest' },
};

/** Writes one register if it is news: newer, or of the same instant and greater. */
function expressionOf(update: RowUpdate) {
  const { timestamp, tieBreak, optional = [] } = RULES[update.register];
  const fields: Record<string, unknown> = {
    ...update.value,
    ...('digest' in update
      ? { [update.register === 'start' ? 'startDigest' : 'movedDigest']: update.digest }
      : {}),
    rtmsStreamId: update.rtmsStreamId,
    app: update.app,
    ttl: update.ttl,
  };
  const names = Object.keys(fields);
  const removed = optional.filter((name) => !(name in fields));
  const sets = names.map((name) => `#${name} = :${name}`);
  const values = Object.fromEntries(names.map((name) => [`:${name}`, fields[name]]));
  if (update.register === 'start') {
    sets.push('#owner = if_not_exists(#owner, :unowned)');
    values[':unowned'] = UNOWNED;
    names.push('owner');
  }
  const tie = tieBreak ? ` OR (#${timestamp} = :${timestamp} AND #${tieBreak} < :${tieBreak})` : '';
  return {
    UpdateExpression:
      `SET ${sets.join(', ')}` +
      (removed.length > 0 ? ` REMOVE ${removed.map((name) => `#${name}`).join(', ')}` : ''),
    ConditionExpression:
      '(attribute_not_exists(#app) OR #app = :app) AND ' +
      `(attribute_not_exists(#${timestamp}) OR #${timestamp} < :${timestamp}${tie})`,
    ExpressionAttributeNames: Object.fromEntries(
      [...names, ...removed].map((name) => [`#${name}`, name]),
    ),
    ExpressionAttributeValues: values,
  };
}
