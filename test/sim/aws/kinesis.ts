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

const SHARDS = { media: 8, events: 4 } as const;
/** Nobody reads from it, for the history has what was written: a shard lets its records go when it has so many. */
const KEPT_RECORDS = 1_000;
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
      if (operation === 'PutRecords') reply(this.#put(call, input));
      else reply(this.run(operation, input, () => undefined));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      throw new Refusal(error.name, error.message, error.status);
    }
  };

  #put(call: ServiceCall, input: Record<string, unknown>): object {
    const sent = (input['Records'] as (RecordBytes | Base64Record)[]).map(bytesOf);
    const output = this.run('PutRecords', { ...input, Records: sent }, () =>
      this.#options.entryError(call),
    );
    const answer = JSON.parse(String(output)) as PutAnswer;
    const stream = input['StreamName'] as 'media' | 'events';
    const entries: StoredEntry[] = [];
    for (const [index, { SequenceNumber, ShardId }] of answer.Records.entries()) {
      if (SequenceNumber === undefined || ShardId === undefined) continue;
      const { Data: data, PartitionKey: partitionKey } = sent[index] as RecordBytes;
      const place = { shard: ShardId, sequenceNumber: SequenceNumber };
      entries.push({ stream, ...place, partitionKey, data });
    }
    this.#options.stored(call, entries);
    // Nothing has come in an outage, in which most calls are made.
    const shards = entries.length > 0 ? this.#account.find(stream).shards : [];
    for (const shard of shards) {
      if (shard.endPosition - shard.firstPosition > KEPT_RECORDS) {
        shard.evict(Number.POSITIVE_INFINITY);
      }
    }
    return answer;
  }
}

interface PutAnswer {
  readonly Records: { readonly SequenceNumber?: string; readonly ShardId?: string }[];
}

/** An entry of a call in CBOR. */
interface RecordBytes {
  readonly Data: Buffer;
  readonly PartitionKey: string;
}

/** Of one in JSON. */
interface Base64Record {
  readonly Data: string;
  readonly PartitionKey: string;
}

function bytesOf({ Data, PartitionKey }: RecordBytes | Base64Record): RecordBytes {
  return { Data: typeof Data === 'string' ? Buffer.from(Data, 'base64') : Data, PartitionKey };
}
