import type { ServiceError } from '../../../shared/errors.ts';
import { type CheckpointStore, SHARD_END } from './checkpoints.ts';
import { type ShardInfo, shardsToBegin } from './shard-plan.ts';
import { type KinesisSender, type Page, type Position, ShardReader } from './shard-reader.ts';

/** Which stream to read, from where, and until when. */
export interface StreamReader {
  /** The AWS SDK's `KinesisClient`, of whichever version 3. */
  readonly client: KinesisSender;
  readonly streamName: string;
  /**
   * Where to begin shards without a checkpoint. `LATEST` sees only what is written from now on.
   *
   * @default 'TRIM_HORIZON', the oldest record kept
   */
  readonly startAt?: 'TRIM_HORIZON' | 'LATEST' | Date;
  /** Remembers progress across restarts. @default none: every run begins at `startAt` */
  readonly checkpoints?: CheckpointStore;
  /**
   * Read only the shards that hold records of this key: one at a time, its parents before it.
   *
   * @default all shards
   */
  readonly partitionKey?: string;
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal;
  /**
   * Pause between two calls per shard when there is nothing newer. All readers of a shard together get five
   * calls a second; below 210 it counts as 210.
   *
   * @default 500
   */
  readonly pollMs?: number;
  /**
   * Calls of this reader per shard and second, 5 at most. Whoever reads much at once, beside a live consumer, takes 3.
   *
   * @default 5
   */
  readonly maxCallsPerSecond?: number;
  /** Read no further than what arrived until then; with `stopAtTip` for a part of the stream. @default all */
  readonly endAt?: Date;
  /** Told when a call failed for a reason that may pass, before it is made again. */
  readonly onRetry?: (error: ServiceError, attempt: number) => void;
  /**
   * Told when the record of a checkpoint is not kept any more, so that others behind it may be gone too.
   *
   * @default `kinesis/trimmed` is thrown
   */
  readonly onTrimmed?: (trimmed: { readonly shardId: string; readonly position: string }) => void;
  /** Told after each page of a shard how far behind its newest record the reader is. */
  readonly onProgress?: (at: {
    readonly shardId: string;
    readonly millisBehindLatest: number | undefined;
  }) => void;
  /** End once everything written so far is read, instead of waiting for more. @default false */
  readonly stopAtTip?: boolean;
}

/**
 * Pages of all shards as they come, empty ones too, following resharding. A shard is asked for its next page
 * when the last one was taken, so that nothing piles up.
 *
 * @param load the position to go on from; undefined to begin at `startAt`
 * @throws ServiceError `kinesis/*` when reading fails for good
 */
export async function* streamPages(
  reader: StreamReader,
  load: (shardId: string) => Promise<string | undefined>,
): AsyncGenerator<Page, void, undefined> {
  // Decoding alone, in a Lambda function say, does without the client.
  const kinesis = await import('@aws-sdk/client-kinesis');
  const stop = new AbortController();
  const signal = reader.signal ? AbortSignal.any([reader.signal, stop.signal]) : stop.signal;
  const { client, streamName, pollMs = 500, stopAtTip = false } = reader;
  const settings = { ...reader, pollMs, stopAtTip };
  const shardReader = new ShardReader(kinesis, client, streamName, settings, signal);
  const begun = new Set<string>();
  const finished = new Set<string>();
  const running = new Map<AsyncGenerator<Page>, Promise<Turn>>();

  const beginShards = async (isStart: boolean) => {
    const shards = await shardReader.list(reader.partitionKey);
    const positions = new Map<string, Position>();
    for (const shard of shards) {
      if (begun.has(shard.shardId) || finished.has(shard.shardId)) continue;
      const saved = await load(shard.shardId);
      const position = firstPosition(shard, saved, reader.startAt ?? 'TRIM_HORIZON', isStart);
      if (position === undefined) finished.add(shard.shardId);
      else positions.set(shard.shardId, position);
    }
    for (const { shardId } of shardsToBegin(shards, begun, finished)) {
      begun.add(shardId);
      const position = positions.get(shardId) as Position;
      const shard = shardReader.pages(shardId, position);
      running.set(shard, takeTurn(shard));
    }
  };

  try {
    await beginShards(true);
    while (running.size > 0) {
      const { shard, result } = await Promise.race(running.values());
      running.delete(shard);
      if (result.done) continue;
      const { shardId, millisBehindLatest } = result.value;
      reader.onProgress?.({ shardId, millisBehindLatest });
      yield result.value;
      if (result.value.position === SHARD_END) {
        finished.add(result.value.shardId);
        await beginShards(false);
      }
      // Behind the others, so that no busy shard keeps them from their turn.
      running.set(shard, takeTurn(shard));
    }
  } catch (error) {
    if (!reader.signal?.aborted) throw error;
  } finally {
    stop.abort();
  }
}

/** @returns undefined for a shard that need not be read */
function firstPosition(
  shard: ShardInfo,
  saved: string | undefined,
  startAt: 'TRIM_HORIZON' | 'LATEST' | Date,
  isStart: boolean,
): Position | undefined {
  // An open shard has not been read to its end, whatever was saved under its name: that was of a stream before this.
  if (saved === SHARD_END && shard.isClosed) return undefined;
  if (saved !== undefined && saved !== SHARD_END) return { behind: saved };
  if (startAt !== 'LATEST') return startAt;
  // A shard that appears later holds only records newer than the start.
  if (!isStart) return 'TRIM_HORIZON';
  return shard.isClosed ? undefined : 'LATEST';
}

interface Turn {
  readonly shard: AsyncGenerator<Page>;
  readonly result: IteratorResult<Page, void>;
}

function takeTurn(shard: AsyncGenerator<Page>): Promise<Turn> {
  const turn = shard.next().then((result) => ({ shard, result }));
  // Whoever waits gets the error; a shard nobody waits for any more may fail unheard.
  turn.catch(() => undefined);
  return turn;
}
