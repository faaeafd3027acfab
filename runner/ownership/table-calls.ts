import {
  DeleteCommand,
  type DeleteCommandInput,
  type DynamoDBDocumentClient,
  GetCommand,
  QueryCommand,
  ScanCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { isConditionRefused, tableErrorPasses } from '../../shared/aws-calls.ts';
import { ServiceError } from '../../shared/errors.ts';
import { OWNER_INDEX, type RowWrite } from '../../shared/session-table/session-row.ts';

/** The attributes of one row, not parsed yet. */
export type Item = Readonly<Record<string, unknown>>;

/**
 * The DynamoDB calls that a runner makes of one table. A condition that does not hold is an answer.
 *
 * Every method rejects with ServiceError `session/store-failed` when the same call may succeed later, and with
 * `session/store-refused` when DynamoDB blames the call itself.
 */
export class TableCalls {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** Strongly consistent. */
  async get(pk: string): Promise<Item | undefined> {
    const command = new GetCommand({ TableName: this.#table, Key: { pk }, ConsistentRead: true });
    return (await guarded(() => this.#client.send(command)))?.Item;
  }

  /** All rows of one owner by the index: eventually consistent. */
  async query(owner: string): Promise<Item[]> {
    const rows: Item[] = [];
    let from: Item | undefined;
    do {
      const command = new QueryCommand({
        TableName: this.#table,
        IndexName: OWNER_INDEX,
        KeyConditionExpression: '#owner = :owner',
        ExpressionAttributeNames: { '#owner': 'owner' },
        ExpressionAttributeValues: { ':owner': owner },
        ExclusiveStartKey: from,
      });
      const page = await guarded(() => this.#client.send(command));
      rows.push(...(page?.Items ?? []));
      from = page?.LastEvaluatedKey;
    } while (from !== undefined);
    return rows;
  }

  /** @returns all attributes after the write; undefined when its condition did not hold */
  async update(
    write: RowWrite,
    options: { readonly abortSignal?: AbortSignal; readonly requestTimeout?: number } = {},
  ): Promise<Item | undefined> {
    const command = new UpdateCommand({
      TableName: this.#table,
      ReturnValues: 'ALL_NEW',
      ...write,
    });
    return (await guarded(() => this.#client.send(command, options)))?.Attributes;
  }

  async delete(row: Omit<DeleteCommandInput, 'TableName'>): Promise<void> {
    const command = new DeleteCommand({ TableName: this.#table, ...row });
    await guarded(() => this.#client.send(command));
  }

  /**
   * Ids of all meetings of which there is a row, ended ones included. Reads the whole table, in which rows stay for a
   * week, and needs the right `dynamodb:Scan`.
   */
  async entityIds(): Promise<ReadonlySet<string>> {
    const found = new Set<string>();
    let from: Item | undefined;
    do {
      const command = new ScanCommand({
        TableName: this.#table,
        ProjectionExpression: 'entityId',
        FilterExpression: 'attribute_exists(entityId)',
        ExclusiveStartKey: from,
      });
      const page = await guarded(() => this.#client.send(command));
      for (const { entityId } of page?.Items ?? []) found.add(String(entityId));
      from = page?.LastEvaluatedKey;
    } while (from !== undefined);
    return found;
  }
}

/**
 * Sends a call. @returns undefined when the call's condition did not hold
 *
 * @throws ServiceError `session/store-failed` when the same call may succeed later, else `session/store-refused`
 */
export async function guarded<T>(send: () => Promise<T>): Promise<T | undefined> {
  try {
    return await send();
  } catch (cause) {
    if (isConditionRefused(cause)) return undefined;
    const name = cause instanceof Error ? cause.name : typeof cause;
    const options = { cause, detail: { name } };
    if (tableErrorPasses(cause)) {
      throw new ServiceError('session/store-failed', 'the session table did not answer', options);
    }
    throw new ServiceError('session/store-refused', 'the session table refused the call', options);
  }
}
