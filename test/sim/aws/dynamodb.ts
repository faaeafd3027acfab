import type { RowCommand, RowImage } from '../history.ts';
import { Refusal, type Service, type ServiceCall } from './aws.ts';
import { conditionOf, type Item, updateOf, type Value } from './expressions.ts';

export interface TableOptions {
  /** How long the index lags behind the table, ms, for one write. */
  indexLagMs(): number;
  nowMs(): number;
  after(delayMs: number, run: () => void): void;
  applied(call: ServiceCall, what: AppliedRow): void;
}

export interface AppliedRow {
  /** `pk`. */
  readonly row: string;
  readonly op: 'read' | 'write' | 'delete';
  readonly met?: boolean;
  readonly before?: RowImage;
  readonly after?: RowImage;
  readonly image?: RowImage;
  readonly stale?: boolean;
}

type Input = Readonly<Record<string, unknown>>;

/** The session table: one key `pk`, one index by `owner`. The index is as late as `indexLagMs` says. */
export class MemoryTable {
  readonly #options: TableOptions;
  readonly #rows = new Map<string, Item>();
  /** The rows as the index has them, by owner. */
  readonly #index = new Map<string, Map<string, Item>>();
  readonly #indexed = new Map<string, string>();
  readonly #sorted = new Map<string, readonly { readonly row: string; readonly item: Item }[]>();
  /** When the newest write of each row reaches the index. */
  readonly #indexedAtMs = new Map<string, number>();

  constructor(options: TableOptions) {
    this.#options = options;
  }

  readonly service: Service = (call, reply) => {
    const { operation, input } = call;
    switch (operation) {
      case 'GetItem':
        return reply(this.#get(call, input));
      case 'UpdateItem':
        return reply(this.#update(call, input));
      case 'DeleteItem':
        return reply(this.#delete(call, input));
      case 'Query':
        return reply(this.#query(call, input));
      case 'Scan':
        return reply({ Items: [...this.#rows.values()], Count: this.#rows.size });
      default:
        throw new Error(`the simulated DynamoDB has no ${operation}`);
    }
  };

  /** All rows now, plain. */
  rows(): Map<string, RowImage> {
    return new Map([...this.#rows].map(([pk, item]) => [pk, plain(item)]));
  }

  /** What the index holds now. */
  indexed(): { pk: string; owner: string }[] {
    return [...this.#indexed].map(([pk, owner]) => ({ pk, owner }));
  }

  #get(call: ServiceCall, input: Input): object {
    const pk = keyOf(input);
    const item = this.#rows.get(pk);
    this.#options.applied(call, { row: pk, op: 'read', image: plain(item) });
    return item === undefined ? {} : { Item: item };
  }

  #update(call: ServiceCall, input: Input): object {
    const pk = keyOf(input);
    const before = this.#rows.get(pk);
    this.#require(call, input, pk, 'write', before);
    const item = updateOf(String(input['UpdateExpression']))(
      before ?? { pk: { S: pk } },
      namesOf(input),
    );
    this.#rows.set(pk, item);
    this.#reindex(pk, item);
    const seen = { before: plain(before), after: plain(item) };
    this.#options.applied(call, { row: pk, op: 'write', met: true, ...seen });
    if (input['ReturnValues'] === 'ALL_NEW') return { Attributes: item };
    return input['ReturnValues'] === 'ALL_OLD' && before ? { Attributes: before } : {};
  }

  #delete(call: ServiceCall, input: Input): object {
    const pk = keyOf(input);
    const before = this.#rows.get(pk);
    this.#require(call, input, pk, 'delete', before);
    this.#rows.delete(pk);
    this.#reindex(pk, undefined);
    this.#options.applied(call, { row: pk, op: 'delete', met: true, before: plain(before) });
    return {};
  }

  #query(call: ServiceCall, input: Input): object {
    const owner = Object.values(namesOf(input).values)[0]?.['S'] as string;
    const found = this.#rowsOf(owner);
    for (const { row, item } of found) {
      this.#options.applied(call, { row, op: 'read', image: plain(item), stale: true });
    }
    return { Items: found.map(({ item }) => item), Count: found.length };
  }

  /** In the order of their keys, made anew when the index has changed. */
  #rowsOf(owner: string): readonly { readonly row: string; readonly item: Item }[] {
    let rows = this.#sorted.get(owner);
    if (rows === undefined) {
      rows = [...(this.#index.get(owner) ?? [])]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([row, item]) => ({ row, item }));
      this.#sorted.set(owner, rows);
    }
    return rows;
  }

  #require(call: ServiceCall, input: Input, pk: string, op: 'write' | 'delete', item?: Item): void {
    const condition = input['ConditionExpression'];
    if (typeof condition !== 'string' || conditionOf(condition)(item, namesOf(input))) return;
    const image = plain(item);
    this.#options.applied(call, { row: pk, op, met: false, before: image, after: image });
    const wantsOld = input['ReturnValuesOnConditionCheckFailure'] === 'ALL_OLD' && item;
    throw new Refusal(
      'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException',
      'The conditional request failed',
      400,
      wantsOld ? { Item: item } : {},
    );
  }

  /** Brings a row to the index, after what was written to it before. */
  #reindex(pk: string, item: Item | undefined): void {
    const { after, indexLagMs, nowMs } = this.#options;
    const atMs = Math.max(nowMs() + indexLagMs(), this.#indexedAtMs.get(pk) ?? 0);
    this.#indexedAtMs.set(pk, atMs);
    after(atMs - nowMs(), () => {
      const before = this.#indexed.get(pk);
      if (before !== undefined) {
        this.#index.get(before)?.delete(pk);
        this.#sorted.delete(before);
      }
      const owner = item?.['owner']?.['S'] as string | undefined;
      if (owner === undefined || item === undefined) this.#indexed.delete(pk);
      else {
        this.#indexed.set(pk, owner);
        this.#sorted.delete(owner);
        const rows = this.#index.get(owner) ?? new Map<string, Item>();
        this.#index.set(owner, rows.set(pk, item));
      }
    });
  }
}

function keyOf(input: Input): string {
  return (input['Key'] as { pk: { S: string } }).pk.S;
}

function namesOf(input: Input) {
  return {
    names: (input['ExpressionAttributeNames'] ?? {}) as Record<string, string>,
    values: (input['ExpressionAttributeValues'] ?? {}) as Record<string, Value>,
  };
}

const images = new WeakMap<Item, RowImage>();

/** An item that stands in the table is never changed, so its image is made once. */
function plain(item: Item | undefined): RowImage {
  if (item === undefined) return undefined;
  let image = images.get(item);
  if (image === undefined) {
    image = plainValue({ M: item }) as RowImage;
    images.set(item, image);
  }
  return image;
}

/** What a write or delete asks for, for the history. */
export function commandOf(input: Input): RowCommand {
  const { ConditionExpression: condition, UpdateExpression: update } = input;
  const { names, values } = namesOf(input);
  return {
    ...(typeof condition === 'string' && { condition }),
    ...(typeof update === 'string' && { update }),
    names,
    values: plainValue({ M: values }) as Record<string, unknown>,
  };
}

export function rowOf(input: Input): string {
  return keyOf(input);
}

function plainValue(value: Value): unknown {
  const [[type, content] = []] = Object.entries(value);
  switch (type) {
    case 'N':
      return Number(content);
    case 'M':
      return Object.fromEntries(
        Object.entries(content as Item).map(([name, inner]) => [name, plainValue(inner)]),
      );
    case 'L':
      return (content as Value[]).map(plainValue);
    case 'NULL':
      return null;
    default:
      return content;
  }
}
