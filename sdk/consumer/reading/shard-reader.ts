import { setTimeout as sleep } from 'node:timers/promises';
import type * as Kinesis from '@aws-sdk/client-kinesis';
import { ServiceError } from '../../../shared/errors.ts';
import { hashKeyOf, holdsHashKey } from '../../../shared/shard-of-key.ts';
import type { KinesisRecord } from '../records/records.ts';
import { SHARD_END } from './checkpoints.ts';
import { toReadError } from './read-error.ts';
import type { ShardInfo } from './shard-plan.ts';

/** Kinesis answers five GetRecords calls a second and shard, all readers together; a little less is safe. */
const MAX_CALLS_PER_SECOND = 5;
const CALL_MARGIN_MS = 10;
const FIRST_RETRY_MS = 210;
/** Kinesis refuses a time that is in the future on its own clock. */
const CLOCK_MARGIN_MS = 1_000;

/** A stream that cannot be read for this long is given up. */
const MAX_OUTAGE_MS = 60_000;
const MAX_PAUSE_MS = 5_000;

/** Where to begin a shard: the oldest record, the next new one, a time, or behind a sequence number. */
export type Position =
  | 'TRIM_HORIZON'
  | 'LATEST'
  | Date
  | { readonly after: string }
  /** Behind the record of a checkpoint, which must still be there: else records behind it may be gone too. */
  | { readonly behind: string };

/** What is read with: the SDK's `KinesisClient` of whichever version, or anything that sends its commands. */
export interface KinesisSender {
  // biome-ignore lint/suspicious/noExplicitAny: the commands of one version of the SDK are no type of another one
  send(command: any, options?: any): Promise<any>;
}

export interface ReadSettings {
  /** Calls a second and shard. @default 5 */
  readonly maxCallsPerSecond?: number;
  readonly pollMs: number;
  readonly stopAtTip: boolean;
  /** Stop a shard behind the first record that arrived later. */
  readonly endAt?: Date;
  readonly onRetry?: (error: ServiceError, attempt: number) => void;
  readonly onTrimmed?: (trimmed: { readonly shardId: string; readonly position: string }) => void;
}

/** What one GetRecords call brought. */
export interface Page {
  readonly shardId: string;
  readonly records: readonly KinesisRecord[];
  /** To be saved once the records are processed; absent when there is nothing new. */
  readonly position?: string;
  /** How far behind the newest record of the shard this page is, as Kinesis says. */
  readonly millisBehindLatest?: number;
}

/** The calls a reader makes, with our errors and its patience. */
export class ShardReader {
  readonly #kinesis: typeof Kinesis;
  readonly #client: KinesisSender;
  readonly #streamName: string;
  readonly #settings: ReadSettings;
  readonly #signal: AbortSignal;
  /** Whether the endpoint is the right one is known once it has answered. */
  #hasAnswered = false;

  constructor(
    kinesis: typeof Kinesis,
    client: KinesisSender,
    streamName: string,
    settings: ReadSettings,
    signal: AbortSignal,
  ) {
    this.#kinesis = kinesis;
    this.#client = client;
    this.#streamName = streamName;
    this.#settings = settings;
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
      const answer = await this.#patiently<Kinesis.ListShardsCommandOutput>((abortSignal) =>
        this.#client.send(new this.#kinesis.ListShardsCommand(input), { abortSignal }),
      );
      for (const shard of answer.Shards ?? []) {
        if (hashKey !== undefined && !holdsHashKey(shard.HashKeyRange, hashKey)) continue;
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

  /** Reads one shard to its end, or until there is nothing newer when `stopAtTip`. Ends quietly on abort. */
  async *pages(shardId: string, start: Position): AsyncGenerator<Page, void, undefined> {
    const { pollMs, stopAtTip, endAt, maxCallsPerSecond = MAX_CALLS_PER_SECOND } = this.#settings;
    const minPollMs = 1000 / maxCallsPerSecond + CALL_MARGIN_MS;
    let at = start;
    let expected = typeof at === 'object' && 'behind' in at ? at.behind : undefined;
    let calledAt = performance.now();
    let wallMs = Date.now();
    let iterator = await this.#iterator(shardId, at);
    while (iterator !== undefined && !this.#signal.aborted) {
      // An iterator for the newest record that expires before there is one: what came since then is not skipped.
      if (at === 'LATEST') at = new Date(wallMs - CLOCK_MARGIN_MS);
      calledAt = performance.now();
      const answer = await this.#records(iterator, shardId, at);
      let records = (answer.Records ?? []).map(toKinesisRecord);
      if (expected !== undefined && records.length > 0) {
        if (records[0]?.sequenceNumber === expected) records = records.slice(1);
        else this.#trimmed(shardId, expected);
        at = { after: expected };
        expected = undefined;
      }
      const last = records.at(-1);
      if (last) at = { after: last.sequenceNumber };
      else if (at instanceof Date && start === 'LATEST') at = new Date(wallMs - CLOCK_MARGIN_MS);
      wallMs = Date.now();
      iterator = answer.NextShardIterator;
      const position = iterator === undefined ? SHARD_END : last?.sequenceNumber;
      const millisBehindLatest = answer.MillisBehindLatest;
      yield {
        shardId,
        records,
        ...(position !== undefined && { position }),
        ...(millisBehindLatest !== undefined && { millisBehindLatest }),
      };
      if (endAt !== undefined && (last?.arrivedAt?.getTime() ?? 0) > endAt.getTime()) return;
      // Emulators that do not say how far behind we are: nothing new is the tip.
      const isAtTip = (millisBehindLatest ?? (last ? 1 : 0)) === 0;
      if (isAtTip && stopAtTip) return;
      const pauseMs = isAtTip ? Math.max(pollMs, minPollMs) : minPollMs;
      await this.#pause(calledAt + pauseMs - performance.now());
    }
  }

  /** @throws ServiceError `kinesis/trimmed` unless somebody wants to be told instead */
  #trimmed(shardId: string, position: string): void {
    const { onTrimmed } = this.#settings;
    if (onTrimmed) {
      onTrimmed({ shardId, position });
      return;
    }
    const what =
      `the checkpoint of ${shardId} in ${this.#streamName} is older than what Kinesis still keeps, so records behind ` +
      'it may be gone; onTrimmed goes on with the oldest one kept';
    const detail = { streamName: this.#streamName, shardId, position };
    throw new ServiceError('kinesis/trimmed', what, { detail });
  }

  async #iterator(shardId: string, start: Position): Promise<string | undefined> {
    const input = { StreamName: this.#streamName, ShardId: shardId, ...iteratorInput(start) };
    const answer = await this.#patiently<Kinesis.GetShardIteratorCommandOutput>((abortSignal) =>
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
   * @throws ServiceError at once for what does not pass (`kinesis/stream-missing`, `kinesis/access-denied`,
   *   `kinesis/read-refused`), and `kinesis/read-failed` for what has not passed in a minute
   */
  async #patiently<Answer>(call: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
    const failingSince = performance.now();
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await call(this.#signal);
        this.#hasAnswered = true;
        return answer;
      } catch (cause) {
        this.#signal.throwIfAborted();
        const error = toReadError(cause, this.#streamName, this.#hasAnswered);
        if (!error.retryable || performance.now() - failingSince > MAX_OUTAGE_MS) throw error;
        this.#settings.onRetry?.(error, attempt);
      }
      await this.#pause(Math.min(FIRST_RETRY_MS * 2 ** (attempt - 1), MAX_PAUSE_MS));
    }
  }

  async #pause(ms: number): Promise<void> {
    if (ms > 0) await sleep(ms, undefined, { signal: this.#signal });
  }
}

function iteratorInput(start: Position) {
  if (start === 'TRIM_HORIZON' || start === 'LATEST') return { ShardIteratorType: start } as const;
  if (start instanceof Date)
    return { ShardIteratorType: 'AT_TIMESTAMP', Timestamp: start } as const;
  return 'behind' in start
    ? ({ ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber: start.behind } as const)
    : ({
        ShardIteratorType: 'AFTER_SEQUENCE_NUMBER',
        StartingSequenceNumber: start.after,
      } as const);
}

function toKinesisRecord(record: Kinesis._Record): KinesisRecord {
  const { Data, PartitionKey, SequenceNumber, ApproximateArrivalTimestamp } = record;
  return {
    data: Data ?? new Uint8Array(),
    partitionKey: PartitionKey ?? '',
    sequenceNumber: SequenceNumber ?? '',
    arrivedAt: ApproximateArrivalTimestamp,
  };
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}
