import type { DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient, UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { isConditionRefused, tableErrorPasses } from '../../../shared/aws-calls.ts';
import { ServiceError } from '../../../shared/errors.ts';

/** A call that takes longer has failed. Without a limit a connection that is dead would hold a worker for ever. */
const CALL_TIMEOUT_MS = 3_000;

/** As many items as DynamoDB takes in one call. */
const ITEMS_PER_CALL = 25;
/** Calls that may bring nothing, beside one for each item. */
const MOST_REPEATS = 5;

export type TableItem = Readonly<Record<string, unknown>>;
export type Update = Omit<UpdateCommandInput, 'TableName'>;
type Key = Readonly<Record<string, string>>;

/**
 * The calls of DynamoDB that a group makes of its table. A condition that did not hold is an answer.
 *
 * All methods throw ServiceError `group/table-failed` (may pass) or `group/table-refused`.
 */
export class TableClient {
  readonly #lib: typeof import('@aws-sdk/lib-dynamodb');
  readonly #client: DynamoDBDocumentClient;
  readonly #name: string;

  private constructor(
    lib: typeof import('@aws-sdk/lib-dynamodb'),
    client: DynamoDBDocumentClient,
    name: string,
  ) {
    this.#lib = lib;
    this.#client = client;
    this.#name = name;
  }

  static async open(name: string, config: DynamoDBClientConfig): Promise<TableClient> {
    // Loaded here and not at the top: who reads without a group has no use for DynamoDB.
    const [lib, { DynamoDBClient }] = await Promise.all([
      import('@aws-sdk/lib-dynamodb'),
      import('@aws-sdk/client-dynamodb'),
    ]);
    return new TableClient(lib, lib.DynamoDBDocumentClient.from(new DynamoDBClient(config)), name);
  }

  close(): void {
    this.#client.destroy();
  }

  /** Strongly consistent. */
  async get(key: Key): Promise<TableItem | undefined> {
    const input = { TableName: this.#name, Key: key, ConsistentRead: true };
    const answer = await this.#guarded(() =>
      this.#client.send(new this.#lib.GetCommand(input), limited()),
    );
    return answer?.Item;
  }

  /** All items of a partition key, strongly consistent. */
  async query(pk: string): Promise<TableItem[]> {
    const items: TableItem[] = [];
    let from: Record<string, unknown> | undefined;
    do {
      const command = new this.#lib.QueryCommand({
        TableName: this.#name,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': pk },
        ConsistentRead: true,
        ExclusiveStartKey: from,
      });
      const page = await this.#guarded(() => this.#client.send(command, limited()));
      items.push(...(page?.Items ?? []));
      from = page?.LastEvaluatedKey;
    } while (from !== undefined);
    return items;
  }

  /** @returns the item after the write; undefined when its condition did not hold */
  async update(update: Update, abortSignal?: AbortSignal): Promise<TableItem | undefined> {
    const input = { TableName: this.#name, ReturnValues: 'ALL_NEW' as const, ...update };
    const command = new this.#lib.UpdateCommand(input);
    const options = limited(abortSignal);
    return (await this.#guarded(() => this.#client.send(command, options)))?.Attributes;
  }

  /** Writes items as they are, whatever was there. What DynamoDB leaves out of a call is written by the next one. */
  async putAll(items: readonly TableItem[]): Promise<void> {
    let left = items.map((Item) => ({ PutRequest: { Item } }));
    for (let calls = 0; left.length > 0; calls += 1) {
      if (calls >= items.length + MOST_REPEATS)
        throw new ServiceError('group/table-failed', `table ${this.#name} is busy`);
      const now = left.slice(0, ITEMS_PER_CALL);
      const command = new this.#lib.BatchWriteCommand({ RequestItems: { [this.#name]: now } });
      const answer = await this.#guarded(() => this.#client.send(command, limited()));
      const refused = answer?.UnprocessedItems?.[this.#name] ?? [];
      left = [...left.slice(ITEMS_PER_CALL), ...(refused as typeof left)];
    }
  }

  /** @param seen attributes that have to be as they were read. @returns whether they were */
  async delete(key: Key, seen: TableItem): Promise<boolean> {
    const names = Object.keys(seen);
    const command = new this.#lib.DeleteCommand({
      TableName: this.#name,
      Key: key,
      ConditionExpression: names.map((name) => `#${name} = :${name}`).join(' AND '),
      ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: Object.fromEntries(names.map((name) => [`:${name}`, seen[name]])),
    });
    return (await this.#guarded(() => this.#client.send(command, limited()))) !== undefined;
  }

  async #guarded<T>(send: () => Promise<T>): Promise<T | undefined> {
    try {
      return await send();
    } catch (cause) {
      if (isConditionRefused(cause)) return undefined;
      const code = tableErrorPasses(cause) ? 'group/table-failed' : 'group/table-refused';
      const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
      const detail = { table: this.#name };
      throw new ServiceError(code, `table ${this.#name}: ${why}`, { cause, detail });
    }
  }
}

function limited(abortSignal: AbortSignal = AbortSignal.timeout(CALL_TIMEOUT_MS)) {
  return { abortSignal };
}
