import { hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type * as Kinesis from '@aws-sdk/client-kinesis';
import { ServiceError } from '../../shared/errors.ts';
import { SHARD_END } from './checkpoints.ts';
import type { KinesisRecord } from './records.ts';
import type { ShardInfo } from './shard-plan.ts';

/** Kinesis answers five GetRecords calls a second and shard, all readers together. */
const MIN_POLL_MS = 210;

/** A stream that cannot be read for this long is given up. */
const MAX_OUTAGE_MS = 60_000;
const MAX_PAUSE_MS = 5_000;

/** Where to begin a shard: the oldest record, the next new one, a time, or behind a sequence number. */
export type Position = 'TRIM_HORIZON' | 'LATEST' | Date | { readonly after: string };

/** What one GetRecords call brought. */
export interface Page {
  readonly shardId: string;
  readonly records: readonly KinesisRecord[];
  /** To be saved once the records are processed; absent when there is nothing new. */
  readonly position?: string;
}

/** The calls a reader makes, with our errors and its patience. */
export class ShardReader {
  readonly #kinesis: typeof Kinesis;
  readonly #client: Kinesis.KinesisClient;
  readonly #streamName: string;
  readonly #signal: AbortSignal;

  constructor(
    kinesis: typeof Kinesis,
    client: Kinesis.KinesisClient,
    streamName: string,
    signal: AbortSignal,
  ) {
    this.#kinesis = kinesis;
    this.#client = client;
    this.#streamName = streamName;
    this.#signal = signal;
  }

  /**
   * All shards that still exist, closed ones too.
   *
   * @param partitionKey leave out shards that cannot have a record of this key
   */
  async list(partitionKey?: string): Promise<ShardInfo[]> {
    const hashKey = partitionKey === undefined ? undefined : hashKeyOf(partitionKey);
    const shards: ShardInfo[] = [];
    let NextToken: string | undefined;
    do {
      const input = NextToken ? { NextToken } : { StreamName: this.#streamName };
      const answer = await this.#patiently((abortSignal) =>
        this.#client.send(new this.#kinesis.ListShardsCommand(input), { abortSignal }),
      );
      for (const shard of answer.Shards ?? []) {
        if (hashKey !== undefined && !holds(shard, hashKey)) continue;
        shards.push({
          shardId: shard.ShardId ?? '',
          parentShardId: shard.ParentShardId,
          adjacentParentShardId: shard.AdjacentParentShardId,
          isClosed: shard.SequenceNumberRange?.EndingSequenceNumber !== undefined,
        });
      }
      NextToken = answer.NextToken;
    } while (NextToken);
    return shards;
  }

  /**
   * Reads one shard to its end, or until there is nothing newer when `stopAtTip`. Ends quietly on abort.
   *
   * @param pollMs pause between two calls at the tip
   */
  async *pages(
    shardId: string,
    start: Position,
    pollMs: number,
    stopAtTip: boolean,
  ): AsyncGenerator<Page, void, undefined> {
    let at = start;
    let iterator = await this.#iterator(shardId, at);
    while (iterator !== undefined && !this.#signal.aborted) {
      const calledAt = performance.now();
      const answer = await this.#records(iterator, shardId, at);
      const records = (answer.Records ?? []).map(toKinesisRecord);
      const last = records.at(-1);
      if (last) at = { after: last.sequenceNumber };
      iterator = answer.NextShardIterator;
      const position = iterator === undefined ? SHARD_END : last?.sequenceNumber;
      yield { shardId, records, ...(position !== undefined && { position }) };
      // Emulators that do not say how far behind we are: nothing new is the tip.
      const isAtTip = (answer.MillisBehindLatest ?? (last ? 1 : 0)) === 0;
      if (isAtTip && stopAtTip) return;
      const pauseMs = isAtTip ? Math.max(pollMs, MIN_POLL_MS) : MIN_POLL_MS;
      await this.#pause(calledAt + pauseMs - performance.now());
    }
  }

  async #iterator(shardId: string, start: Position): Promise<string | undefined> {
    const input = { StreamName: this.#streamName, ShardId: shardId, ...iteratorInput(start) };
    const answer = await this.#patiently((abortSignal) =>
      this.#client.send(new this.#kinesis.GetShardIteratorCommand(input), { abortSignal }),
    );
    return answer.ShardIterator;
  }

  /** An iterator lives five minutes; a consumer may well take longer over a page. */
  async #records(
    iterator: string,
    shardId: string,
    at: Position,
  ): Promise<Kinesis.GetRecordsCommandOutput> {
    let ShardIterator: string | undefined = iterator;
    return this.#patiently(async (abortSignal) => {
      ShardIterator ??= await this.#iterator(shardId, at);
      try {
        const command = new this.#kinesis.GetRecordsCommand({ ShardIterator });
        return await this.#client.send(command, { abortSignal });
      } catch (error) {
        if (!isNamed(error, 'ExpiredIteratorException')) throw error;
        ShardIterator = undefined;
        throw error;
      }
    });
  }

  /**
   * Repeats a call that failed for a passing reason, with growing pauses.
   *
   * @throws ServiceError `kinesis/stream-missing`, `kinesis/access-denied`, or `kinesis/read-failed` for any
   *   other lasting failure
   */
  async #patiently<Answer>(call: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
    const failingSince = performance.now();
    for (let attempt = 1; ; attempt++) {
      try {
        return await call(this.#signal);
      } catch (cause) {
        this.#signal.throwIfAborted();
        const error = toServiceError(cause, this.#streamName);
        if (!error.retryable || performance.now() - failingSince > MAX_OUTAGE_MS) throw error;
      }
      await this.#pause(Math.min(MIN_POLL_MS * 2 ** (attempt - 1), MAX_PAUSE_MS));
    }
  }

  async #pause(ms: number): Promise<void> {
    if (ms > 0) await sleep(ms, undefined, { signal: this.#signal });
  }
}

/** Where Kinesis puts a record that names no hash key of its own: MD5, as a number of 128 bits. */
function hashKeyOf(partitionKey: string): bigint {
  return BigInt(`0x${hash('md5', partitionKey, 'hex')}`);
}

function holds({ HashKeyRange }: Kinesis.Shard, hashKey: bigint): boolean {
  const { StartingHashKey = '0', EndingHashKey = '0' } = HashKeyRange ?? {};
  return BigInt(StartingHashKey) <= hashKey && hashKey <= BigInt(EndingHashKey);
}

function iteratorInput(start: Position) {
  if (start === 'TRIM_HORIZON' || start === 'LATEST') return { ShardIteratorType: start } as const;
  return start instanceof Date
    ? ({ ShardIteratorType: 'AT_TIMESTAMP', Timestamp: start } as const)
    : ({
        ShardIteratorType: 'AFTER_SEQUENCE_NUMBER',
        StartingSequenceNumber: start.after,
      } as const);
}

function toKinesisRecord({ Data, PartitionKey, SequenceNumber }: Kinesis._Record): KinesisRecord {
  return {
    data: Data ?? new Uint8Array(),
    partitionKey: PartitionKey ?? '',
    sequenceNumber: SequenceNumber ?? '',
  };
}

/** Names from the API reference of GetRecords and ListShards; anything else is taken for passing. */
function toServiceError(cause: unknown, streamName: string): ServiceError {
  const options = { cause, detail: { streamName } };
  if (isNamed(cause, 'ResourceNotFoundException')) {
    return new ServiceError('kinesis/stream-missing', 'no such stream or shard', options);
  }
  if (ACCESS_ERRORS.some((name) => isNamed(cause, name))) {
    return new ServiceError('kinesis/access-denied', 'may not read the stream', options);
  }
  return new ServiceError('kinesis/read-failed', 'reading the stream failed', options);
}

const ACCESS_ERRORS = [
  'AccessDeniedException',
  'KMSAccessDeniedException',
  'UnrecognizedClientException',
  'ExpiredTokenException',
  'CredentialsProviderError',
];

function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}
