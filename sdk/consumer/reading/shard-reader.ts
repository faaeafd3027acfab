import { setTimeout as sleep } from 'node:timers/promises';
import type * as Kinesis from '@aws-sdk/client-kinesis';
import { ServiceError } from '../../../shared/errors.ts';
import { hashKeyOf, holdsHashKey } from '../../../shared/kinesis-rules.ts';
import type { KinesisRecord, Page } from '../records/records.ts';
import { SHARD_END } from './checkpoints.ts';
import { type Trimmed, toReadError } from './read-error.ts';

/** Kinesis answers five GetRecords calls a second and shard, for all readers together. */
const MAX_CALLS_PER_SECOND = 5;
/** Added to the pause between calls, so that jitter of the network does not bring a sixth call into a second. */
const CALL_MARGIN_MS = 10;
const FIRST_RETRY_MS = 210;
/** Kinesis refuses a time that is in the future on its own clock, which may be behind ours: a little, or rarely by more. */
const CLOCK_MARGIN_MS = 1_000;
const MAX_CLOCK_SKEW_MS = 900_000;

/** How long a call may fail for passing reasons before the reader ends. */
const MAX_OUTAGE_MS = 60_000;
const MAX_PAUSE_MS = 5_000;

/** A reader nearer to the newest record has missed none: Kinesis keeps records for 24 h at least. An hour is for clocks. */
const TRIM_RISK_MS = 23 * 3_600_000;

/** Where to begin a shard: the oldest record, the next new one, a time, or behind a record. */
export type Position =
  | 'TRIM_HORIZON'
  | 'LATEST'
  | Date
  /** The sequence number of a record that was read. Kinesis must still have it: otherwise others may be gone too. */
  | {
      readonly behind: string;
      /** Only a part of the record was processed, so it comes again. @default false */
      readonly isPart?: boolean;
    };

/** What ListShards says of a shard, as far as the order of reading needs it. */
export interface ShardInfo {
  readonly shardId: string;
  /** The shard it was split from, or one of the two it was merged from. */
  readonly parentShardId?: string | undefined;
  readonly adjacentParentShardId?: string | undefined;
  /** Whether the shard takes no new records. */
  readonly isClosed: boolean;
}

/** Sends the commands of the AWS SDK: its `KinesisClient` of any version 3, or a stand-in. */
export interface KinesisSender {
  // biome-ignore lint/suspicious/noExplicitAny: the commands of one version of the SDK are no type of another one
  send(command: any, options?: any): Promise<any>;
}

export interface ReadSettings {
  /** Calls per second and shard. @default 5 */
  readonly maxCallsPerSecond?: number;
  readonly pollMs: number;
  readonly stopAtTip: boolean;
  /** A shard ends behind the first record that arrived later. */
  readonly endAt?: Date;
  readonly onRetry?: (error: ServiceError, attempt: number) => void;
  readonly onTrimmed?: (trimmed: Trimmed) => Promise<void> | void;
}

/** Makes the calls of a reader. Repeats those that fail for a passing reason, and throws the others as ServiceError. */
export class ShardReader {
  readonly #kinesis: typeof Kinesis;
  readonly #client: KinesisSender;
  readonly #streamName: string;
  readonly #settings: ReadSettings;
  readonly #signal: AbortSignal;
  /** Before the first answer, a refused connection counts as a wrong endpoint and is not retried. */
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
      const answer = await this.#withRetries<Kinesis.ListShardsCommandOutput>((abortSignal) =>
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

  /** Reads one shard to its end, or until there is nothing newer when `stopAtTip`. Ends without an error on abort. */
  async *pages(
    { shardId, isClosed }: Pick<ShardInfo, 'shardId' | 'isClosed'>,
    start: Position,
  ): AsyncGenerator<Page, void, undefined> {
    const { pollMs, stopAtTip, endAt, maxCallsPerSecond = MAX_CALLS_PER_SECOND } = this.#settings;
    const minPollMs = 1000 / maxCallsPerSecond + CALL_MARGIN_MS;
    let at = start;
    let expected = recordBefore(at);
    let mayBeTrimmed = true;
    let calledAt = performance.now();
    let answeredAtMs = Date.now();
    let behindMs = 0;
    let iterator = await this.#iterator(shardId, at);
    while (iterator !== undefined && !this.#signal.aborted) {
      // An iterator for the newest record may expire before there is one. The next one must not skip what came since.
      if (at === 'LATEST') at = new Date(answeredAtMs - CLOCK_MARGIN_MS);
      calledAt = performance.now();
      const asOfMs = Date.now();
      const { answer, isRenewed } = await this.#records(iterator, shardId, at);
      if (isRenewed && expected === undefined) {
        expected = recordBefore(at);
        mayBeTrimmed = behindMs + Date.now() - answeredAtMs >= TRIM_RISK_MS;
      }
      let records = (answer.Records ?? []).map(toKinesisRecord);
      if (expected !== undefined && records.length > 0) {
        if (records[0]?.sequenceNumber !== expected) {
          if (mayBeTrimmed) await this.trimmed(shardId, expected, records[0]?.arrivedAt);
        } else if (!isReadInPart(at)) records = records.slice(1);
        expected = undefined;
      }
      const last = records.at(-1);
      if (last) at = { behind: last.sequenceNumber };
      else if (at instanceof Date && start === 'LATEST')
        at = new Date(answeredAtMs - CLOCK_MARGIN_MS);
      answeredAtMs = Date.now();
      behindMs = answer.MillisBehindLatest ?? 0;
      iterator = answer.NextShardIterator;
      // The shard ended before its record of the checkpoint, or any behind it, came.
      if (iterator === undefined && expected !== undefined) await this.trimmed(shardId, expected);
      const position = iterator === undefined ? SHARD_END : last?.sequenceNumber;
      const millisBehindLatest = answer.MillisBehindLatest;
      yield {
        shardId,
        records,
        ...(position !== undefined && { position }),
        ...(millisBehindLatest !== undefined && { millisBehindLatest }),
        asOfMs,
      };
      if (endAt !== undefined && (last?.arrivedAt?.getTime() ?? 0) > endAt.getTime()) return;
      // Emulators that do not say how far behind we are: nothing new is the tip.
      const isAtTip = (millisBehindLatest ?? (last ? 1 : 0)) === 0;
      // A closed shard may be at its tip one page before its end, and its children are read only behind its end.
      if (isAtTip && stopAtTip && !isClosed) return;
      const pauseMs = isAtTip && !isClosed ? Math.max(pollMs, minPollMs) : minPollMs;
      await this.#pause(calledAt + pauseMs - performance.now());
    }
  }

  /** @throws ServiceError `kinesis/trimmed` when there is no `onTrimmed` to call instead */
  async trimmed(shardId: string, position: string, resumesAt?: Date): Promise<void> {
    const { onTrimmed } = this.#settings;
    if (onTrimmed) {
      await onTrimmed({ shardId, position, ...(resumesAt && { resumesAt }) });
      return;
    }
    const what =
      `the record read last of ${shardId} in ${this.#streamName} is older than what Kinesis still keeps, so records ` +
      'behind it may be gone; with onTrimmed the reader goes on with the oldest record kept';
    const detail = { streamName: this.#streamName, shardId, position };
    throw new ServiceError('kinesis/trimmed', what, { detail });
  }

  async #iterator(shardId: string, start: Position): Promise<string | undefined> {
    const input = { StreamName: this.#streamName, ShardId: shardId, ...iteratorInput(start) };
    const answer = await this.#withRetries<Kinesis.GetShardIteratorCommandOutput>((abortSignal) =>
      this.#client.send(new this.#kinesis.GetShardIteratorCommand(input), { abortSignal }),
    );
    return answer.ShardIterator;
  }

  /** Makes an iterator at a time of our clock, or earlier when Kinesis has not reached that time by its own. */
  async #newIterator(shardId: string, at: Position): Promise<string | undefined> {
    try {
      return await this.#iterator(shardId, at);
    } catch (error) {
      const { cause } = error as Error;
      if (!(at instanceof Date) || !isNamed(cause, 'InvalidArgumentException')) throw error;
      return this.#iterator(shardId, new Date(at.getTime() - MAX_CLOCK_SKEW_MS));
    }
  }

  /** Fetches a page. An iterator expires after five minutes, and a consumer may take longer over the page before. */
  async #records(
    iterator: string,
    shardId: string,
    at: Position,
  ): Promise<{ readonly answer: Kinesis.GetRecordsCommandOutput; readonly isRenewed: boolean }> {
    let ShardIterator: string | undefined = iterator;
    let isRenewed = false;
    return this.#withRetries(async (abortSignal) => {
      ShardIterator ??= await this.#newIterator(shardId, at);
      try {
        const command = new this.#kinesis.GetRecordsCommand({ ShardIterator });
        const answer = await this.#client.send(command, { abortSignal });
        return { answer, isRenewed };
      } catch (error) {
        if (!isNamed(error, 'ExpiredIteratorException')) throw error;
        ShardIterator = undefined;
        isRenewed = true;
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
  async #withRetries<Answer>(call: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
    const failingSince = performance.now();
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await call(this.#signal);
        // Over HTTP/2 the SDK reads an answer that an abort has cut off as an empty one: as no shards, or as a shard's end.
        this.#signal.throwIfAborted();
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
  // The record itself comes first then, and proves that nothing behind it was trimmed.
  return {
    ShardIteratorType: 'AT_SEQUENCE_NUMBER',
    StartingSequenceNumber: start.behind,
  } as const;
}

/** @returns the sequence number of the record that the next page begins with, if it was read before */
export function recordBefore(at: Position): string | undefined {
  return typeof at === 'object' && 'behind' in at ? at.behind : undefined;
}

export const isReadInPart = (at: Position): boolean =>
  typeof at === 'object' && 'isPart' in at && at.isPart === true;

export function toKinesisRecord(record: Kinesis._Record): KinesisRecord {
  const { Data, PartitionKey, SequenceNumber, ApproximateArrivalTimestamp } = record;
  return {
    data: Data ?? new Uint8Array(),
    partitionKey: PartitionKey ?? '',
    sequenceNumber: SequenceNumber ?? '',
    arrivedAt: ApproximateArrivalTimestamp,
  };
}

const isNamed = (error: unknown, name: string): boolean =>
  error instanceof Error && error.name === name;
