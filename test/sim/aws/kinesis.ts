import { Account } from '../../../local/kinesis/account.ts';
import { ApiError, type EntryErrorName } from '../../../local/kinesis/api-error.ts';
import { findOperation } from '../../../local/kinesis/operations.ts';
import type { DataStream } from '../../../local/kinesis/stream.ts';
import { Refusal, type Service, type ServiceCall } from './aws.ts';

export interface StoredEntry {
  readonly stream: 'media' | 'events';
  readonly shard: string;
  readonly sequenceNumber: string;
  readonly partitionKey: string;
  readonly data: Buffer;
}

export interface KinesisOptions {
  nowMs(): number;
  entryError(call: ServiceCall): EntryErrorName | undefined;
  stored(call: ServiceCall, entries: readonly StoredEntry[]): void;
}

interface PutAnswer {
  readonly Records: { readonly SequenceNumber?: string; readonly ShardId?: string }[];
}

const SHARDS = { media: 8, events: 4 } as const;
/** Nobody reads from it: the history has what was written. */
const KEPT_BYTES = 256 * 1024;

/** The local stack's own Kinesis without its HTTP, with the streams of a deployment. */
export class MemoryKinesis {
  readonly #account = new Account('us-east-1', KEPT_BYTES);
  readonly #options: KinesisOptions;

  constructor(options: KinesisOptions) {
    this.#options = options;
    for (const [name, shardCount] of Object.entries(SHARDS)) {
      this.#account.create(
        {
          name,
          mode: 'PROVISIONED',
          shardCount,
          maxRecordKiB: 1_024,
          recordDistribution: 'USER_PARTITION_KEY',
        },
        options.nowMs(),
      );
    }
  }

  stream(name: 'media' | 'events'): DataStream {
    return this.#account.find(name);
  }

  /** Runs one operation as the service would, such as a split of a shard. */
  run(
    operation: string,
    input: Record<string, unknown>,
    entryError: () => EntryErrorName | undefined,
  ) {
    const nowMs = this.#options.nowMs();
    const { run } = findOperation(`Kinesis_20131202.${operation}`);
    return run(input, { account: this.#account, nowMs, entryError });
  }

  readonly service: Service = (call, reply) => {
    const { operation, input } = call;
    try {
      const output = this.run(operation, input, () => this.#options.entryError(call));
      if (operation !== 'PutRecords') return reply(output);
      const answer = JSON.parse(String(output)) as PutAnswer;
      this.#note(call, input, answer);
      reply(answer);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      throw new Refusal(error.name, error.message, error.status);
    }
  };

  #note(call: ServiceCall, input: Record<string, unknown>, { Records: results }: PutAnswer): void {
    const stream = input['StreamName'] as 'media' | 'events';
    const sent = input['Records'] as { Data: string; PartitionKey: string }[];
    const entries = results.flatMap(({ SequenceNumber, ShardId }, index) => {
      const { Data = '', PartitionKey = '' } = sent[index] ?? {};
      if (SequenceNumber === undefined || ShardId === undefined) return [];
      const data = Buffer.from(Data, 'base64');
      return {
        stream,
        shard: ShardId,
        sequenceNumber: SequenceNumber,
        partitionKey: PartitionKey,
        data,
      };
    });
    this.#options.stored(call, entries);
  }
}
