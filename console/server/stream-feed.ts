import { setTimeout as sleep } from 'node:timers/promises';
import { identifyStream } from '../../sdk/consumer/group/group-stream.ts';
import { PushReader } from '../../sdk/consumer/group/push-reader.ts';
import type { KinesisRecord, KinesisSender } from '../../sdk/consumer/index.ts';
import { streamPages } from '../../sdk/consumer/reading/stream-pages.ts';
import type { ServiceError } from '../../shared/errors.ts';
import type { Traffic } from '../model/traffic.ts';
import type { StreamSummary } from '../views.ts';
import { wordsOf } from './problems.ts';

const RETRY_MS = 5_000;
/** A shard without a page for this long is closed, or not read by this reader. */
const SHARD_SILENT_MS = 60_000;

/** What the feed needs of `FrameDecoder` and `EventDecoder`. */
interface RecordDecoder<Item> {
  decode(record: KinesisRecord): Iterable<Item>;
}

interface StreamFeedOptions<Item> {
  readonly client: KinesisSender;
  readonly streamName: string;
  readonly kind: StreamSummary['kind'];
  readonly pollMs: number;
  /** Enhanced fan-out: the registered consumer that reads, where there is one of this name. @default the stream is polled */
  readonly consumerName?: string | undefined;
  readonly traffic: Traffic;
  /** Makes the decoder of one run. A record that it cannot read is given to `onBadRecord`, and skipped. */
  readonly decoder: (onBadRecord: () => void) => RecordDecoder<Item>;
  readonly onItem: (item: Item, arrivedAtMs: number | undefined) => void;
}

/**
 * The one reader of a Kinesis stream, for all tabs together. It reads between `start` and `stop`, tries again when
 * reading fails, and never throws: what is wrong is a sentence in `problem`.
 */
export class StreamFeed<Item> {
  readonly #options: StreamFeedOptions<Item>;
  readonly #positions = new Map<string, string>();
  readonly #shards = new Map<string, { atMs: number; behindMs: number | undefined }>();
  #stop: AbortController | undefined;
  #running: Promise<void> = Promise.resolve();
  #readThrottles = 0;
  #badRecords = 0;
  /** Whether Kinesis pushes records to this reader. */
  #isPushed = false;
  problem: string | undefined;
  /** Why records are polled although they were to be pushed. */
  pushProblem: string | undefined;

  constructor(options: StreamFeedOptions<Item>) {
    this.#options = options;
  }

  get isReading(): boolean {
    return this.#stop !== undefined;
  }

  /** @param startAt of shards that an earlier run has not read */
  start(startAt: Date): void {
    if (this.#stop !== undefined) return;
    const stop = new AbortController();
    this.#stop = stop;
    this.#running = this.#run(startAt, stop.signal);
  }

  /** @param keepsPlace whether the next run goes on where this one ended */
  async stop(keepsPlace: boolean): Promise<void> {
    this.#stop?.abort();
    this.#stop = undefined;
    await this.#running;
    if (!keepsPlace) this.#positions.clear();
    this.#shards.clear();
  }

  summary(nowMs: number): StreamSummary {
    const { streamName, kind, traffic } = this.#options;
    const shards = [...this.#shards.values()].filter(({ atMs }) => nowMs - atMs < SHARD_SILENT_MS);
    const behind = shards.flatMap(({ behindMs }) => behindMs ?? []);
    return {
      name: streamName,
      kind,
      shards: shards.length,
      ...traffic.rates(nowMs),
      readThrottles: this.#readThrottles,
      badRecords: this.#badRecords,
      ...(behind.length > 0 && { behindMs: Math.max(...behind) }),
      reading:
        this.#stop === undefined
          ? 'idle'
          : this.problem !== undefined
            ? 'failed'
            : this.#isPushed
              ? 'push'
              : 'poll',
    };
  }

  async #run(startAt: Date, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#read(startAt, signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.problem = wordsOf(error, `stream ${this.#options.streamName}`, 'kinesis:GetRecords');
        await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async #read(startAt: Date, signal: AbortSignal): Promise<void> {
    const { client, streamName, pollMs, traffic, onItem } = this.#options;
    const decoder = this.#options.decoder(() => {
      this.#badRecords += 1;
    });
    const kinesis = await import('@aws-sdk/client-kinesis');
    const reader = {
      client,
      streamName,
      startAt,
      pollMs,
      signal,
      onRetry: (error: ServiceError) => this.#retry(error),
      onTrimmed: () => undefined,
    };
    const consumerArn = await this.#findConsumer();
    this.#isPushed = consumerArn !== undefined;
    const pages = streamPages(
      reader,
      async (shardId) => this.#positions.get(shardId),
      (polling, ...rest) =>
        consumerArn === undefined
          ? polling.pages(rest[0], rest[1])
          : new PushReader(kinesis, {
              client,
              streamName,
              consumerArn,
              signal: rest[2],
              polling,
              onRetry: reader.onRetry,
            }).pages(rest[0], rest[1]),
    );
    for await (const { shardId, records, position, millisBehindLatest } of pages) {
      this.problem = undefined;
      this.#shards.set(shardId, { atMs: Date.now(), behindMs: millisBehindLatest });
      for (const record of records) {
        const arrivedAtMs = record.arrivedAt?.getTime();
        traffic.record(record.data.length, arrivedAtMs ?? Date.now());
        for (const item of decoder.decode(record)) onItem(item, arrivedAtMs);
      }
      if (position !== undefined) this.#positions.set(shardId, position);
    }
  }

  /** A console registers no consumer by itself: each costs money, and a stream has 20 at most. */
  async #findConsumer(): Promise<string | undefined> {
    const { client, streamName, consumerName } = this.#options;
    if (consumerName === undefined) return undefined;
    const kinesis = await import('@aws-sdk/client-kinesis');
    this.pushProblem = undefined;
    try {
      const { arn } = await identifyStream(kinesis, { client, streamName });
      const command = new kinesis.DescribeStreamConsumerCommand({
        StreamARN: arn,
        ConsumerName: consumerName,
      });
      const { ConsumerDescription: found } = await client.send(command);
      return found?.ConsumerARN;
    } catch (error) {
      const isMissing = error instanceof Error && error.name === 'ResourceNotFoundException';
      this.pushProblem = isMissing
        ? `stream ${streamName}: no consumer ${consumerName} is registered, so it is polled; aws kinesis register-stream-consumer registers one`
        : wordsOf(
            error,
            `stream ${streamName}, which is polled now`,
            'kinesis:DescribeStreamConsumer',
          );
      return undefined;
    }
  }

  #retry(error: ServiceError): void {
    const { cause } = error;
    const name = cause instanceof Error ? cause.name : '';
    if (name === 'ProvisionedThroughputExceededException') this.#readThrottles += 1;
    else this.problem = wordsOf(error, `stream ${this.#options.streamName}`, 'kinesis:GetRecords');
  }
}
