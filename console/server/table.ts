import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, ScanCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
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
  TASKS,
  type TaskRow,
} from '../../shared/session-table/session-row.ts';

/** What a look at the session table finds. */
export interface SessionRows {
  readonly sessions: SessionRow[];
  readonly tasks: TaskRow[];
  /** Rows that no runner can read. Their sessions are served by nobody. */
  readonly unreadable: readonly UnreadableRow[];
}

/**
 * Reads sessions and tasks.
 *
 * @param ended reads ended sessions too. That reads the whole table, because the index has only rows that somebody owns or
 *   should own
 * @throws what the SDK throws
 */
export async function readSessionRows(
  client: DynamoDBDocumentClient,
  table: string,
  ended: boolean,
): Promise<SessionRows> {
  const sessions: SessionRow[] = [];
  const unreadable: UnreadableRow[] = [];
  const tasks: TaskRow[] = [];
  let ExclusiveStartKey: Record<string, unknown> | undefined;
  do {
    const command = new ScanCommand({
      TableName: table,
      ...(ended ? {} : { IndexName: OWNER_INDEX }),
      ...(ExclusiveStartKey && { ExclusiveStartKey }),
    });
    const page = await client.send(command);
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

/**
 * Asks the owner of a session for something.
 *
 * @returns false when owner or epoch have changed since `seen` was read; nothing is written then
 * @throws what the SDK throws
 */
export async function sendOperatorRequest(
  client: DynamoDBDocumentClient,
  table: string,
  seen: SessionRow,
  request: OperatorRequest,
): Promise<boolean> {
  const command = new UpdateCommand({ TableName: table, ...writeOperatorRequest(seen, request) });
  try {
    await client.send(command);
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
