import { ConditionalCheckFailedException, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { ServiceError } from '../../shared/errors.ts';
import {
  isReadable,
  parseSessionRow,
  ROW_TRANSLATION,
  type UnreadableRow,
} from '../../shared/session-table/parse-row.ts';
import type { SessionRow } from '../../shared/session-table/session-row.ts';
import {
  type RegisterUpdate,
  type StartNoticeRow,
  writeRegister,
  writeStartNotice,
} from '../../shared/session-table/webhook-writes.ts';
import { awsFailure } from './aws.ts';

export interface StoredUpdate {
  /** False when the row already held this event or a newer one of its kind. */
  readonly changed: boolean;
  /** As it is now; one that cannot be read has been written all the same. */
  readonly row: SessionRow | UnreadableRow;
}

const NOT_WRITTEN = 'the session row could not be written';

/** Applies an update to its row if it is the newest of its register. */
export type StoreUpdate = (update: RegisterUpdate, signal: AbortSignal) => Promise<StoredUpdate>;

/**
 * Each register is last-writer-wins by Zoom's `event_ts`; of two contents of the same instant the greater
 * one wins, so that every order and repetition of deliveries ends in the same row. A start that wins
 * also offers the stream to the runners, unless one of them owns it.
 *
 * @returns a function that throws ServiceError `webhook/wrong-app` when the stream belongs to another
 *   app, `webhook/store-failed` when DynamoDB cannot be reached or refuses, `webhook/defect` when the call itself
 *   is wrong
 */
export function createRegisterStore(client: DynamoDBClient, table: string): StoreUpdate {
  const documents = DynamoDBDocumentClient.from(client, ROW_TRANSLATION);
  return async (update, abortSignal) => {
    const write = writeRegister(update);
    try {
      const { Attributes } = await documents.send(
        new UpdateCommand({ TableName: table, ...write, ReturnValues: 'ALL_NEW' }),
        { abortSignal },
      );
      return { changed: true, row: parseSessionRow(Attributes ?? {}) };
    } catch (cause) {
      if (!(cause instanceof ConditionalCheckFailedException)) throw awsFailure(cause, NOT_WRITTEN);
    }
    const { Item } = await documents
      .send(new GetCommand({ TableName: table, Key: write.Key, ConsistentRead: true }), {
        abortSignal,
      })
      .catch((cause: unknown) => Promise.reject(awsFailure(cause, NOT_WRITTEN)));
    // Its time to live was over between the two calls: Zoom's repeat writes it anew.
    if (Item === undefined)
      throw new ServiceError('webhook/store-failed', 'the row expired meanwhile');
    const row = parseSessionRow(Item);
    // When a row cannot be read, its app may be the field that cannot.
    if (isReadable(row) && row.app !== update.app) {
      throw new ServiceError('webhook/wrong-app', 'the stream belongs to another Zoom app', {
        detail: { rtmsStreamId: update.rtmsStreamId, app: update.app },
      });
    }
    return { changed: false, row };
  };
}

/** Makes the row of a notice. @returns false when Zoom has delivered it before */
export type StoreNotice = (row: StartNoticeRow, signal: AbortSignal) => Promise<boolean>;

/** @returns a function that throws as `StoreUpdate` does */
export function createNoticeStore(client: DynamoDBClient, table: string): StoreNotice {
  const documents = DynamoDBDocumentClient.from(client);
  return async (row, abortSignal) => {
    try {
      await documents.send(new UpdateCommand({ TableName: table, ...writeStartNotice(row) }), {
        abortSignal,
      });
      return true;
    } catch (cause) {
      if (cause instanceof ConditionalCheckFailedException) return false;
      throw awsFailure(cause, NOT_WRITTEN);
    }
  };
}
