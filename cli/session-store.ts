import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  ScanCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import {
  OWNER_INDEX,
  type SessionRow,
  sessionKey,
  TASKS,
  type TaskRow,
} from '../shared/session-row.ts';
import { ask } from './aws.ts';

/** The session table as an operator sees it. Calls throw ServiceError `cli/unreachable`. */
export class SessionStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** Strongly consistent. */
  async session(rtmsStreamId: string): Promise<SessionRow | undefined> {
    const command = new GetCommand({
      TableName: this.#table,
      Key: { pk: sessionKey(rtmsStreamId) },
      ConsistentRead: true,
    });
    return (await this.#ask(() => this.#client.send(command))).Item as SessionRow | undefined;
  }

  /**
   * Sessions and runners.
   *
   * @param ended also the sessions that are over: reads the whole table instead of the index, which holds
   *   only rows that somebody owns or should own
   */
  async list(ended: boolean): Promise<{ sessions: SessionRow[]; tasks: TaskRow[] }> {
    const sessions: SessionRow[] = [];
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
        if (row['owner'] === TASKS) tasks.push(row as unknown as TaskRow);
        else sessions.push(row as unknown as SessionRow);
      }
      ExclusiveStartKey = page.LastEvaluatedKey;
    } while (ExclusiveStartKey);
    return { sessions, tasks };
  }

  /**
   * Leaves a wish for the owner, which reads its rows every 2 s.
   *
   * @returns false when the owner or epoch is not what was seen any more
   */
  async wish(seen: SessionRow, wish: 'stop' | 'handover'): Promise<boolean> {
    const command = new UpdateCommand({
      TableName: this.#table,
      Key: { pk: seen.pk },
      UpdateExpression: 'SET operatorWish = :wish',
      ConditionExpression: '#owner = :owner AND epoch = :epoch',
      ExpressionAttributeNames: { '#owner': 'owner' },
      ExpressionAttributeValues: { ':wish': wish, ':owner': seen.owner, ':epoch': seen.epoch },
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
