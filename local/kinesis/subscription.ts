import type { ApiError } from './api-error.ts';
import { createTokenBucket, hasTokens, KINESIS_QUOTAS, takeTokens } from './limits.ts';
import { childShards, millisBehind, recordsJson } from './read-operations.ts';
import type { Shard } from './shard.ts';
import type { DataStream } from './stream.ts';
import type { Endable } from './stream-consumer.ts';

/** What one event holds at most. Our own numbers: the service does not say. */
const RECORDS_PER_EVENT = 1_000;
const BYTES_PER_EVENT = 1024 * 1024;

/** An event comes at least this often, empty at the tip, so that a consumer knows how far it is. Our own number. */
const IDLE_EVENT_MS = 5_000;

/** How long to wait when the consumer's 2 MiB a second are used up. */
const THROTTLE_MS = 100;

/** Takes the events of a subscription. */
export interface EventSink {
  /** Aborts when the client is gone. */
  readonly gone: AbortSignal;
  /** @returns once the client's window has room for more */
  event(json: string): Promise<void>;
  /** Ends the stream with an error that the client throws. */
  error(error: ApiError): void;
  end(): void;
}

/** Pushes the records of one shard to one registered consumer, until it has lasted its time or the shard ends. */
export class Subscription implements Endable {
  readonly #stream: DataStream;
  readonly #shard: Shard;
  #position: number;
  #error: ApiError | undefined;
  #wake: () => void = () => {};

  constructor(stream: DataStream, shard: Shard, position: number) {
    this.#stream = stream;
    this.#shard = shard;
    this.#position = position;
  }

  end(error: ApiError): void {
    this.#error = error;
    this.#wake();
  }

  /** @param lastsMs after which it ends without an error */
  async run(sink: EventSink, clock: () => number, lastsMs: number): Promise<void> {
    const bucket = createTokenBucket(KINESIS_QUOTAS.pushBytesPerSecond, clock());
    const endsAt = performance.now() + lastsMs;
    const unwatch = this.#shard.watch(() => this.#wake());
    const onGone = () => this.#wake();
    sink.gone.addEventListener('abort', onGone);
    let isDue = true;
    try {
      while (!sink.gone.aborted && this.#error === undefined && performance.now() < endsAt) {
        const mayPush = hasTokens(bucket, 1, clock());
        const records = mayPush
          ? this.#shard.peek(this.#from(), RECORDS_PER_EVENT, BYTES_PER_EVENT)
          : [];
        const isAtEnd =
          this.#shard.closedAtMs !== undefined &&
          this.#from() + records.length === this.#shard.endPosition;
        if (records.length > 0 || isAtEnd || isDue) {
          takeTokens(
            bucket,
            records.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
          );
          await sink.event(this.#event(records, isAtEnd, clock()));
          isDue = false;
          if (isAtEnd) return sink.end();
          continue;
        }
        const waitMs = Math.min(mayPush ? IDLE_EVENT_MS : THROTTLE_MS, endsAt - performance.now());
        isDue = await this.#nothingFor(waitMs);
      }
      if (this.#error !== undefined) sink.error(this.#error);
      else sink.end();
    } finally {
      unwatch();
      sink.gone.removeEventListener('abort', onGone);
    }
  }

  /** Records may have expired since the last look. */
  #from(): number {
    return Math.max(this.#position, this.#shard.firstPosition);
  }

  #event(records: ReturnType<Shard['peek']>, isAtEnd: boolean, nowMs: number): string {
    const shard = this.#shard;
    const first = this.#from();
    const next = first + records.length;
    this.#position = next;
    const { counters } = this.#stream;
    counters.recordsOut += records.length;
    for (const { sizeBytes } of records) counters.bytesOut += sizeBytes;
    // A shard that has ended has nothing to continue with, and names its children instead.
    const then = isAtEnd
      ? `"ChildShards":${JSON.stringify(childShards(this.#stream, shard))}`
      : `"ContinuationSequenceNumber":"${shard.sequenceNumberAt(next - 1)}"`;
    const behind = millisBehind(shard, next, records.at(-1), nowMs);
    return `{"MillisBehindLatest":${behind},${then},"Records":[${recordsJson(shard, first, records)}]}`;
  }

  /** @returns whether nothing has happened for that long */
  #nothingFor(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(true), Math.max(0, ms));
      this.#wake = () => {
        clearTimeout(timer);
        resolve(false);
      };
    });
  }
}
