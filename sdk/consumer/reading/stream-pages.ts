import type { ServiceError } from '../../../shared/errors.ts';
import type { Page } from '../records/records.ts';
import { type CheckpointStore, SHARD_END } from './checkpoints.ts';
import type { Trimmed } from './read-error.ts';
import { ancestorsOf, firstPosition, parentsOf, shardsToBegin } from './shard-order.ts';
import { type KinesisSender, type Position, type ShardInfo, ShardReader } from './shard-reader.ts';

/** Which stream to read, from where, and until when. */
export interface StreamReader {
  /** The `KinesisClient` of the AWS SDK, any version 3. */
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
   * Pause between two calls per shard when there is nothing newer, ms. All readers of a shard together get five calls a
   * second, so a value below 210 counts as 210.
   *
   * @default 500
   */
  readonly pollMs?: number;
  /**
   * Calls of this reader per shard and second, 5 at most. A reader of much at once leaves room for a live consumer with 3.
   *
   * @default 5
   */
  readonly maxCallsPerSecond?: number;
  /** Read no further than what arrived until then. Used with `stopAtTip` to read a part of the stream. @default all */
  readonly endAt?: Date;
  /** Called when a call failed for a reason that may pass, before the next try. `attempt` counts from 1. */
  readonly onRetry?: (error: ServiceError, attempt: number) => void;
  /**
   * Called when the record read last is not kept any more, so that records behind it may be gone too. Reading goes on
   * with the oldest record kept.
   *
   * @default `kinesis/trimmed` is thrown
   */
  readonly onTrimmed?: (trimmed: Trimmed) => Promise<void> | void;
  /** Called with each page of a shard, before its records come, with how far behind the shard's newest record it is. */
  readonly onProgress?: (at: {
    readonly shardId: string;
    readonly millisBehindLatest: number | undefined;
    /** Present on the last page of a shard that was split or merged. */
    readonly isEnded?: true;
  }) => void;
  /** End once everything written so far is read, instead of waiting for more. @default false */
  readonly stopAtTip?: boolean;
}

/** Reads one shard from a position on, until `signal` aborts or the shard ends. */
export type ReadShard = (
  polling: ShardReader,
  shard: ShardInfo,
  position: Position,
  signal: AbortSignal,
) => AsyncGenerator<Page, void, undefined>;

/**
 * Yields the pages of all shards as they come, empty ones too, following resharding. A shard is asked for its next page
 * when the last one was taken, so that no pages pile up in memory.
 *
 * @param load returns the position to resume a shard at, or undefined to begin at `startAt`
 * @param read reads one shard; `polling` is what does it by itself. By default it polls
 * @throws ServiceError `kinesis/*` when the stream cannot be read any more
 */
export async function* streamPages(
  reader: StreamReader,
  load: (shardId: string) => Promise<string | undefined>,
  read: ReadShard = (polling, shard, position) => polling.pages(shard, position),
): AsyncGenerator<Page, void, undefined> {
  // Loaded here and not at the top: a Lambda function that only decodes has no AWS client installed.
  const kinesis = await import('@aws-sdk/client-kinesis');
  const stop = new AbortController();
  const signal = reader.signal ? AbortSignal.any([reader.signal, stop.signal]) : stop.signal;
  const { client, streamName, pollMs = 500, stopAtTip = false } = reader;
  const settings = { ...reader, pollMs, stopAtTip };
  const shardReader = new ShardReader(kinesis, client, streamName, settings, signal);
  const begun = new Set<string>();
  const finished = new Set<string>();
  const running = new Map<AsyncGenerator<Page>, Promise<NextPage>>();

  const checkpoints = new Map<string, Promise<string | undefined>>();

  /** The checkpoint of a shard, as it was when this reader began. */
  const savedFor = (shardId: string) => {
    const saved = checkpoints.get(shardId) ?? load(shardId);
    checkpoints.set(shardId, saved);
    return saved;
  };
  /** Whether a reader with these checkpoints was at work before the shard began, so that it has to read all of it. */
  const isContinued = async (shard: ShardInfo, listed: ReadonlyMap<string, ShardInfo>) => {
    for (const ancestorId of ancestorsOf(shard, listed)) {
      if ((await savedFor(ancestorId)) !== undefined) return true;
    }
    return false;
  };
  /** Tells of shards that expired before they were read to their end, unless a reader went on in their children. */
  const tellExpired = async (shards: readonly ShardInfo[]) => {
    const listed = new Set(shards.map(({ shardId }) => shardId));
    for (const parentId of new Set(shards.flatMap(parentsOf))) {
      const position = await savedFor(parentId);
      if (listed.has(parentId) || position === undefined || position === SHARD_END) continue;
      let isHandled = false;
      for (const child of shards.filter((shard) => parentsOf(shard).includes(parentId)))
        isHandled ||= (await savedFor(child.shardId)) !== undefined;
      if (!isHandled) await shardReader.trimmed(parentId, position);
    }
  };
  const beginShards = async (isStart: boolean) => {
    const shards = await shardReader.list(reader.partitionKey);
    // When only the shards of one key are read, a parent may be missing because it does not hold the key.
    if (isStart && reader.partitionKey === undefined) await tellExpired(shards);
    const listed = new Map(shards.map((shard) => [shard.shardId, shard]));
    const positions = new Map<string, Position>();
    for (const shard of shards) {
      if (begun.has(shard.shardId) || finished.has(shard.shardId)) continue;
      const saved = await savedFor(shard.shardId);
      const isNew = !isStart || (saved === undefined && (await isContinued(shard, listed)));
      const position = firstPosition(shard, saved, reader.startAt ?? 'TRIM_HORIZON', isNew);
      if (position === undefined) finished.add(shard.shardId);
      else positions.set(shard.shardId, position);
    }
    for (const shard of shardsToBegin(shards, begun, finished)) {
      begun.add(shard.shardId);
      const position = positions.get(shard.shardId) as Position;
      const pages = read(shardReader, shard, position, signal);
      running.set(pages, nextPage(pages));
    }
  };

  try {
    await beginShards(true);
    while (running.size > 0) {
      const { shard, result } = await Promise.race(running.values());
      running.delete(shard);
      if (result.done) continue;
      const { shardId, millisBehindLatest, position } = result.value;
      const isEnded = position === SHARD_END && { isEnded: true as const };
      reader.onProgress?.({ shardId, millisBehindLatest, ...isEnded });
      yield result.value;
      if (result.value.position === SHARD_END) {
        finished.add(result.value.shardId);
        await beginShards(false);
      }
      // Put behind the others, as `Promise.race` prefers the first: otherwise a busy shard would starve them.
      running.set(shard, nextPage(shard));
    }
  } catch (error) {
    if (!reader.signal?.aborted) throw error;
  } finally {
    stop.abort();
  }
}

interface NextPage {
  readonly shard: AsyncGenerator<Page>;
  readonly result: IteratorResult<Page, void>;
}

function nextPage(shard: AsyncGenerator<Page>): Promise<NextPage> {
  const next = shard.next().then((result) => ({ shard, result }));
  // When the reading ends, nobody awaits the other shards, and their errors would end the process.
  next.catch(() => undefined);
  return next;
}
