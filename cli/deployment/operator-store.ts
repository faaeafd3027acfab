import { type DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import {
  readSessionRows,
  type SessionRows,
  sendOperatorRequest,
} from '../../console/server/table.ts';
import { ServiceError } from '../../shared/errors.ts';
import type { OperatorRequest } from '../../shared/session-table/operator-writes.ts';
import { isReadable, parseSessionRow } from '../../shared/session-table/parse-row.ts';
import { type SessionRow, sessionKey } from '../../shared/session-table/session-row.ts';
import { ask } from './aws.ts';

/** The session table as an operator sees it. Calls throw ServiceError `cli/unreachable`. */
export class OperatorStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** Strongly consistent. @throws ServiceError `session/unreadable-row` naming the fields */
  async session(rtmsStreamId: string): Promise<SessionRow | undefined> {
    const command = new GetCommand({
      TableName: this.#table,
      Key: { pk: sessionKey(rtmsStreamId) },
      ConsistentRead: true,
    });
    const { Item } = await this.#ask(() => this.#client.send(command));
    const row = Item && parseSessionRow(Item);
    if (row === undefined || isReadable(row)) return row;
    const what = `the row of ${rtmsStreamId} cannot be read (${row.unreadable.join(', ')})`;
    throw new ServiceError('session/unreadable-row', what, { detail: { key: row.pk } });
  }

  /**
   * Lists sessions and runners.
   *
   * @param ended lists ended sessions too. That reads the whole table, because the index has only rows that somebody
   *   owns or should own
   */
  list(ended: boolean): Promise<SessionRows> {
    return this.#ask(() => readSessionRows(this.#client, this.#table, ended));
  }

  /** @returns false when owner or epoch have changed since `seen` was read; nothing is written then */
  request(seen: SessionRow, request: OperatorRequest): Promise<boolean> {
    return this.#ask(() => sendOperatorRequest(this.#client, this.#table, seen, request));
  }

  #ask<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    return ask(`session table ${this.#table}`, call);
  }
}
