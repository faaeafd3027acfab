import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  ScanCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { ServiceError } from '../../shared/errors.ts';
import { isLiveMeetingKey } from '../../shared/session-table/live-meetings.ts';
import {
  type OperatorRequest,
  writeOperatorRequest,
} from '../../shared/session-table/operator-writes.ts';
import {
  isReadable,
  parseSessionRow,
  parseTaskRow,
  type UnreadableRow,
} from '../../shared/session-table/parse-row.ts';
import {
  OWNER_INDEX,
  type SessionRow,
  sessionKey,
  TASKS,
  type TaskRow,
} from '../../shared/session-table/session-row.ts';
import { ask } from './aws.ts';

export interface SessionRows {
  readonly sessions: SessionRow[];
  readonly tasks: TaskRow[];
  /** Rows that no runner can read. Their sessions are served by nobody. */
  readonly unreadable: readonly UnreadableRow[];
}

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
  async list(ended: boolean): Promise<SessionRows> {
    const sessions: SessionRow[] = [];
    const unreadable: UnreadableRow[] = [];
    const tasks: TaskRow[] = [];
    let ExclusiveStartKey: Record<string, unknown> | undefined;
    do {
      const command = new ScanCommand({
        TableName: this.#table,
        ...(ended ? {} : { IndexName: OWNER_INDEX }),
        ...(ExclusiveStartKey && { ExclusiveStartKey }),
      });
      const page = await this.#ask(() => this.#client.send(command));
      for (const row of page.Items ?? []) {
        if (isLiveMeetingKey(row['pk'])) continue;
        const task = row['owner'] === TASKS ? parseTaskRow(row).row : undefined;
        const session = task === undefined ? parseSessionRow(row) : undefined;
        if (task !== undefined) tasks.push(task);
        else if (session !== undefined && isReadable(session)) sessions.push(session);
        else if (session !== undefined) unreadable.push(session);
      }
      ExclusiveStartKey = page.LastEvaluatedKey;
    } while (ExclusiveStartKey);
    return { sessions, tasks, unreadable };
  }

  /** @returns false when owner or epoch have changed since `seen` was read; nothing is written then */
  async request(seen: SessionRow, request: OperatorRequest): Promise<boolean> {
    const command = new UpdateCommand({
      TableName: this.#table,
      ...writeOperatorRequest(seen, request),
    });
    return this.#ask(async () => {
      try {
        await this.#client.send(command);
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
    });
  }

  #ask<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    return ask(`session table ${this.#table}`, call);
  }
}
