import type * as Kinesis from '@aws-sdk/client-kinesis';
import type { ServiceError } from '../../../shared/errors.ts';
import { SHARD_END } from '../reading/checkpoints.ts';
import { toReadError } from '../reading/read-error.ts';
import {
  isReadInPart,
  type KinesisSender,
  type Position,
  recordBefore,
  type ShardInfo,
  type ShardReader,
  toKinesisRecord,
} from '../reading/shard-reader.ts';
import type { Page } from '../records/records.ts';

/** Kinesis takes one SubscribeToShard a second of a consumer and shard; until the next one the shard is polled. */
const RESUBSCRIBE_MS = 1_000;

/** A subscription without an event for this long is taken for dead. KCL waits about as long. */
const SILENT_MS = 60_000;

export interface PushSettings {
  readonly client: KinesisSender;
  readonly streamName: string;
  readonly consumerArn: string;
  readonly signal: AbortSignal;
  /** Polls while no subscription can be had, and says what is trimmed. */
  readonly polling: ShardReader;
  readonly onRetry: (error: ServiceError) => void;
}

/** Where a subscription goes on. */
interface Progress {
  at: Position;
  /** Where Kinesis says to continue; it need not be the number of a record. */
  continuation: string | undefined;
}

/**
 * Reads a shard by enhanced fan-out: Kinesis pushes what is written, until the subscription ends after five minutes and
 * is made anew.
 *
 * Kinesis refuses a subscription within five seconds of the last one of the same consumer and shard, and a worker that
 * takes a shard over usually comes earlier. It polls meanwhile, so that taking over costs no more than without push.
 */
export class PushReader {
  readonly #kinesis: typeof Kinesis;
  readonly #settings: PushSettings;

  constructor(kinesis: typeof Kinesis, settings: PushSettings) {
    this.#kinesis = kinesis;
    this.#settings = settings;
  }

  /** As `ShardReader.pages`: reads one shard to its end. Ends without an error on abort. @param start not `LATEST` */
  async *pages(shard: ShardInfo, start: Position): AsyncGenerator<Page, void, undefined> {
    const { signal, polling, onRetry, streamName } = this.#settings;
    const progress: Progress = { at: start, continuation: undefined };
    while (!signal.aborted) {
      try {
        for await (const page of this.#subscribed(shard, progress)) {
          yield page;
          if (page.position === SHARD_END) return;
        }
        continue;
      } catch (cause) {
        if (signal.aborted) return;
        const isInUse = cause instanceof Error && cause.name === 'ResourceInUseException';
        const error = toReadError(cause, streamName, true);
        if (!isInUse && !error.retryable) throw error;
        if (!isInUse) onRetry(error);
      }
      const untilMs = performance.now() + RESUBSCRIBE_MS;
      for await (const page of polling.pages(shard, progress.at)) {
        const last = page.records.at(-1);
        if (last) progress.at = { behind: last.sequenceNumber };
        if (last) progress.continuation = undefined;
        yield page;
        if (page.position === SHARD_END) return;
        if (performance.now() >= untilMs) break;
      }
    }
  }

  async *#subscribed(shard: ShardInfo, progress: Progress): AsyncGenerator<Page, void, undefined> {
    const { polling } = this.#settings;
    const { shardId } = shard;
    let expected = progress.continuation === undefined ? recordBefore(progress.at) : undefined;
    for await (const event of this.#events(shardId, progress)) {
      let records = (event.Records ?? []).map(toKinesisRecord);
      if (expected !== undefined && records.length > 0) {
        if (records[0]?.sequenceNumber !== expected)
          await polling.trimmed(shardId, expected, records[0]?.arrivedAt);
        else if (!isReadInPart(progress.at)) records = records.slice(1);
        expected = undefined;
      }
      const last = records.at(-1);
      if (last) progress.at = { behind: last.sequenceNumber };
      progress.continuation = event.ContinuationSequenceNumber;
      const isEnd = progress.continuation === undefined;
      if (isEnd && expected !== undefined) await polling.trimmed(shardId, expected);
      const position = isEnd ? SHARD_END : last?.sequenceNumber;
      const millisBehindLatest = event.MillisBehindLatest;
      yield {
        shardId,
        records,
        ...(position !== undefined && { position }),
        ...(millisBehindLatest !== undefined && { millisBehindLatest }),
        // Nobody asked for it: what is known is when it came.
        asOfMs: Date.now(),
      };
    }
  }

  /** The events of one subscription. The next one is asked for when the last was processed: HTTP/2 holds Kinesis back. */
  async *#events(
    ShardId: string,
    { at, continuation }: Progress,
  ): AsyncGenerator<Kinesis.SubscribeToShardEvent, void, undefined> {
    const { client, consumerArn, signal } = this.#settings;
    const over = new AbortController();
    const command = new this.#kinesis.SubscribeToShardCommand({
      ConsumerARN: consumerArn,
      ShardId,
      StartingPosition:
        continuation === undefined
          ? startingPosition(at)
          : { Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: continuation },
    });
    const abortSignal = AbortSignal.any([signal, over.signal]);
    try {
      const answer: Kinesis.SubscribeToShardCommandOutput = await client.send(command, {
        abortSignal,
      });
      const stream = answer.EventStream as AsyncIterable<Kinesis.SubscribeToShardEventStream>;
      const events = stream[Symbol.asyncIterator]();
      for (;;) {
        const timer = setTimeout(() => over.abort(), SILENT_MS);
        const next = await events.next().finally(() => clearTimeout(timer));
        if (next.done) return;
        if (next.value.SubscribeToShardEvent) yield next.value.SubscribeToShardEvent;
      }
    } catch (error) {
      // A silent subscription is made anew; whoever aborted the reading wants no error.
      if (!abortSignal.aborted) throw error;
    } finally {
      // Leaving the iteration alone would keep the connection, and Kinesis would go on pushing into it.
      over.abort();
    }
  }
}

function startingPosition(at: Position): Kinesis.StartingPosition {
  if (at === 'TRIM_HORIZON' || at === 'LATEST') return { Type: at };
  if (at instanceof Date) return { Type: 'AT_TIMESTAMP', Timestamp: at };
  // The record itself comes first then, as when polling.
  return { Type: 'AT_SEQUENCE_NUMBER', SequenceNumber: at.behind };
}

/**
 * Finds the registered consumer of a stream, or registers it, and waits until it is active.
 *
 * @returns its ARN
 */
export async function registerConsumer(
  kinesis: typeof Kinesis,
  client: KinesisSender,
  StreamARN: string,
  ConsumerName: string,
  pause: () => Promise<void>,
): Promise<string> {
  const describe = new kinesis.DescribeStreamConsumerCommand({ StreamARN, ConsumerName });
  for (;;) {
    try {
      const answer: Kinesis.DescribeStreamConsumerCommandOutput = await client.send(describe);
      const { ConsumerARN = '', ConsumerStatus } = answer.ConsumerDescription ?? {};
      if (ConsumerStatus === 'ACTIVE') return ConsumerARN;
    } catch (error) {
      if (!isNamed(error, 'ResourceNotFoundException')) throw error;
      const register = new kinesis.RegisterStreamConsumerCommand({ StreamARN, ConsumerName });
      // Another worker may register it at the same time.
      await client.send(register).catch((refusal: unknown) => {
        if (!isNamed(refusal, 'ResourceInUseException')) throw refusal;
      });
    }
    await pause();
  }
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}
