import { marshall, unmarshall, type unmarshallOptions } from '@aws-sdk/util-dynamodb';
import type { Command, LeanClient } from '../aws/lean-client.ts';
import type { CallOptions } from '../aws/memory-handler.ts';

export * from '@aws-sdk/lib-dynamodb';

interface Translation {
  readonly unmarshallOptions?: unmarshallOptions;
}

/** A command of the SDK's makes a stack of middleware, which nobody asks here and which costs as much as the call. */
class LightCommand implements Command {
  readonly input: object;

  constructor(input: object) {
    this.input = input;
  }
}

export class GetCommand extends LightCommand {}
export class UpdateCommand extends LightCommand {}
export class DeleteCommand extends LightCommand {}
export class QueryCommand extends LightCommand {}
export class ScanCommand extends LightCommand {}

const NAMES = new Map<unknown, string>([
  [GetCommand, 'GetItemCommand'],
  [UpdateCommand, 'UpdateItemCommand'],
  [DeleteCommand, 'DeleteItemCommand'],
  [QueryCommand, 'QueryCommand'],
  [ScanCommand, 'ScanCommand'],
]);

type Item = Parameters<typeof unmarshall>[0];

/** The document client over a lean one: values are translated, as the SDK does, by the SDK's own functions. */
export class DynamoDBDocumentClient {
  readonly #client: LeanClient;
  readonly #translation: Translation;
  /** The table never changes an item that it has answered with, and nobody else does: it is translated once. */
  readonly #translated = new WeakMap<Item, Record<string, unknown>>();

  constructor(client: LeanClient, translation: Translation) {
    this.#client = client;
    this.#translation = translation;
  }

  static from(client: LeanClient, translation: Translation = {}): DynamoDBDocumentClient {
    return new DynamoDBDocumentClient(client, translation);
  }

  async send(command: Command, options?: CallOptions): Promise<object> {
    const name = NAMES.get(command.constructor);
    if (name === undefined) throw new Error(`no ${command.constructor.name} in the simulation`);
    const input = { ...command.input } as Record<string, unknown>;
    for (const member of ['Key', 'Item', 'ExpressionAttributeValues', 'ExclusiveStartKey']) {
      if (input[member] !== undefined) input[member] = marshall(input[member]);
    }
    const output = (await this.#client.sendAs(name, input, options)) as Record<string, unknown>;
    const plain = (item: Item) => this.#plain(item);
    const { Item, Attributes, Items } = output as {
      Item?: Item;
      Attributes?: Item;
      Items?: Item[];
    };
    return {
      ...output,
      ...(Item && { Item: plain(Item) }),
      ...(Attributes && { Attributes: plain(Attributes) }),
      ...(Items && { Items: Items.map(plain) }),
    };
  }

  #plain(item: Item): Record<string, unknown> {
    let plain = this.#translated.get(item);
    if (plain === undefined) {
      plain = Object.freeze(unmarshall(item, this.#translation.unmarshallOptions));
      this.#translated.set(item, plain);
    }
    return plain;
  }
}
