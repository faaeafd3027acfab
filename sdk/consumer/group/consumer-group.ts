import type * as Kinesis from '@aws-sdk/client-kinesis';
import { ServiceError } from '../../../shared/errors.ts';
import { SHARD_END } from '../reading/checkpoints.ts';
import { parentsOf } from '../reading/shard-order.ts';
import type { ShardInfo } from '../reading/shard-reader.ts';
import { checkGroup, type EventGroup, type FrameGroup } from './group-options.ts';
import { planGroup } from './group-plan.ts';
import type { GroupRows, ShardRow } from './group-rows.ts';
import { type GroupStream, identifyStream, openStream } from './group-stream.ts';
import { GroupTable } from './group-table.ts';
import { isAbort, LoopPace } from './loop-pace.ts';
import { Membership } from './membership.ts';
import { type AnyShardWork, openWork, pagesOf, shardReader } from './shard-source.ts';
import { positionBehind } from './shard-work.ts';

/** How often a worker looks at the rows of the group. */
const LOOK_MS = 500;
/** Shards are listed this often, and at once when one was read to its end. */
const LIST_MS = 10_000;

/** A shard that this worker reads. */
export interface ShardStatus {
  readonly shardId: string;
  /** See `Batch`. */
  readonly fence: number;
  /** How far behind the newest record, ms, as Kinesis said with the batch that the handler has returned from last. */
  readonly millisBehindLatest: number | undefined;
  /** When Kinesis was asked for that, Unix ms: everything that had arrived until then, less the above, was handed out. */
  readonly seenAtMs: number | undefined;
}

/** What one worker knows of its group, and how far it has read its own shards. */
export interface GroupStatus {
  /** Ids of the workers that live, this one among them, as of the last look. */
  readonly workers: readonly string[];
  readonly shards: readonly ShardStatus[];
}

/** One worker of a group. */
export interface ConsumerGroup {
  /** Resolves when `stop` is done. @throws ServiceError, or what a handler threw, when this worker cannot go on */
  readonly done: Promise<void>;
  /** Finishes the batches at hand, saves them, and gives all shards to the other workers. */
  stop(): Promise<void>;
  status(): GroupStatus;
}

/**
 * Joins a group of workers that read one stream together: each shard is read by one of them, in order, and goes to
 * another one when its worker stops (a second), dies or freezes (7 s). Every record is handed out at least once.
 *
 * @throws ServiceError `config/invalid`
 */
export function consumerGroup(options: FrameGroup | EventGroup): ConsumerGroup {
  checkGroup(options);
  const worker = new GroupWorker(options);
  const done = worker.run();
  return {
    done,
    async stop() {
      worker.stop();
      await done;
    },
    status: () => worker.status(),
  };
}

interface Served {
  readonly work: AnyShardWork;
  readonly fence: number;
  readonly lost: AbortController;
  millisBehindLatest: number | undefined;
  seenAtMs: number | undefined;
  over: Promise<void>;
}

interface OpenGroup {
  readonly kinesis: typeof Kinesis;
  readonly table: GroupTable;
  readonly membership: Membership;
  stream: GroupStream;
}

/** Over one look after the other, claims and gives away shards as `planGroup` says. */
class GroupWorker {
  readonly #options: FrameGroup | EventGroup;
  readonly #pace = new LoopPace();
  readonly #serving = new Map<string, Served>();
  #fatal: unknown;
  /** The stream was found to be another one than before. */
  #isStale = false;
  #shards: readonly ShardInfo[] = [];
  #listedAtMs = Number.NEGATIVE_INFINITY;
  #finishedCount = 0;
  #live: readonly string[] = [];

  constructor(options: FrameGroup | EventGroup) {
    this.#options = options;
  }

  stop(): void {
    this.#pace.stop();
  }

  status(): GroupStatus {
    const shards = [...this.#serving].map(([shardId, served]) => {
      const { fence, millisBehindLatest, seenAtMs } = served;
      return { shardId, fence, millisBehindLatest, seenAtMs };
    });
    return { workers: this.#live, shards };
  }

  async run(): Promise<void> {
    // Loaded here and not at the top: a Lambda function that only decodes has no AWS client installed.
    const kinesis = await import('@aws-sdk/client-kinesis');
    const table = await GroupTable.open(this.#options.table, this.#options.dynamodb ?? {});
    try {
      await this.#work(kinesis, table);
    } finally {
      table.close();
    }
    if (this.#fatal !== undefined) throw this.#fatal;
  }

  async #work(kinesis: typeof Kinesis, table: GroupTable): Promise<void> {
    const pace = this.#pace;
    const membership = new Membership({
      table,
      workerId: this.#options.workerId,
      onFenced: () => {
        for (const { lost } of this.#serving.values()) lost.abort();
      },
      onFatal: (error) => this.#fail(error),
      onRetry: this.#onRetry,
    });
    const stream = await pace.retried(
      () => openStream(kinesis, table, this.#options),
      this.#onRetry,
    );
    if (stream === undefined) return;
    await pace.retried(() => membership.enter(() => pace.pause(LOOK_MS / 2)), this.#onRetry);
    try {
      const group: OpenGroup = { kinesis, table, membership, stream };
      while (!pace.isStopped) {
        await pace.retried(() => this.#look(group), this.#onRetry);
        await pace.pause(LOOK_MS);
      }
    } finally {
      await this.#leave(membership);
    }
  }

  readonly #onRetry = (error: ServiceError): void => this.#options.onRetry?.(error);

  async #leave(membership: Membership): Promise<void> {
    await membership.announceLeaving();
    const served = [...this.#serving.values()];
    for (const { work } of served) work.leave();
    await Promise.all(served.map(({ over }) => over));
    await membership.leave();
  }

  async #look(group: OpenGroup): Promise<void> {
    const { kinesis, membership, table } = group;
    if (this.#isStale) {
      group.stream = await openStream(kinesis, table, this.#options);
      this.#isStale = false;
    }
    // What ends while the rows are read still has this worker as its owner in them: it must not be claimed again.
    const serving = new Set(this.#serving.keys());
    const looked = await membership.look();
    const rows = new Map(
      looked.shards
        .filter((row) => row.streamCreatedAtMs === group.stream.createdAtMs)
        .map((row) => [row.shardId, row]),
    );
    if (!(await this.#isListed(group, rows))) return;
    const workers = membership.workers(looked);
    this.#live = workers.filter(({ isDead }) => !isDead).map((worker) => worker.workerId);
    const plan = planGroup({
      workerId: this.#options.workerId,
      workers,
      shards: this.#shards,
      rows,
      serving: new Set([...serving, ...this.#serving.keys()]),
    });
    for (const shardId of plan.releases) this.#serving.get(shardId)?.work.leave();
    const reader = shardReader(kinesis, this.#options, this.#pace.signal);
    for (const { shardId, position } of plan.expired)
      await reader.trimmed(shardId, position?.sequenceNumber ?? '');
    for (const row of [...plan.done, ...plan.expired]) await table.removeShard(row);
    await membership.tidy(looked);
    await Promise.all(plan.claims.map((shard) => this.#claim(shard, looked, group)));
  }

  /**
   * Lists the shards when that is due.
   *
   * @returns whether the list knows every shard that a row is about, or was made after the rows were read: otherwise a
   *   shard that is new would look like one that has expired
   */
  async #isListed(group: OpenGroup, rows: ReadonlyMap<string, ShardRow>): Promise<boolean> {
    const known = new Set(this.#shards.map(({ shardId }) => shardId));
    const finished = [...rows.values()].filter((row) => row.position?.sequenceNumber === SHARD_END);
    const isDue =
      performance.now() - this.#listedAtMs >= LIST_MS ||
      finished.length !== this.#finishedCount ||
      [...rows.keys()].some((shardId) => !known.has(shardId));
    if (!isDue) return true;
    try {
      this.#shards = await shardReader(group.kinesis, this.#options, this.#pace.signal).list();
    } catch (error) {
      await this.#judge(error, group);
      return false;
    }
    this.#listedAtMs = performance.now();
    this.#finishedCount = finished.length;
    return this.#shards.length > 0;
  }

  async #claim(shard: ShardInfo, looked: GroupRows, group: OpenGroup): Promise<void> {
    const { kinesis, table, membership, stream } = group;
    const { heartbeat } = membership;
    const { workerId } = this.#options;
    const { shardId } = shard;
    // Read before the claim: what is claimed in one term of the lease is void in the next.
    const { term } = heartbeat;
    if (term === undefined) return;
    const seen = looked.shards.find((row) => row.shardId === shardId);
    const row = await table.claim(shardId, workerId, seen, stream.createdAtMs);
    if (row === undefined || this.#serving.has(shardId)) return;
    const seenTexts = await this.#seenTexts(shard, row, table);
    const lost = new AbortController();
    const start = row.position ? positionBehind(row.position) : stream.startAt;
    const work = openWork(this.#options, {
      claim: { shardId, workerId, epoch: row.epoch },
      position: row.position,
      seenTexts,
      table,
      holds: () => heartbeat.holds(term) && !lost.signal.aborted,
      lost: lost.signal,
      pages: (signal) =>
        pagesOf(kinesis, this.#options, stream.consumerArn, [shard, start], signal),
      onProgress(millis, seenAtMs) {
        served.millisBehindLatest = millis;
        served.seenAtMs = seenAtMs;
      },
    });
    const over = Promise.resolve();
    const unknown = { millisBehindLatest: undefined, seenAtMs: undefined };
    const served: Served = { work, fence: row.epoch, lost, ...unknown, over };
    this.#serving.set(shardId, served);
    served.over = this.#serve(shardId, served, group);
  }

  async #serve(shardId: string, { work, lost }: Served, group: OpenGroup): Promise<void> {
    try {
      await work.run();
    } catch (error) {
      await this.#judge(error, group);
    }
    lost.abort();
    this.#serving.delete(shardId);
    // Whatever became of it, somebody has to claim it or its children.
    this.#pace.wake();
  }

  /** A child begins with what its parents knew, or repeats across a resharding would be handed out. */
  async #seenTexts(shard: ShardInfo, row: ShardRow, table: GroupTable): Promise<string[]> {
    const from = row.position === undefined ? parentsOf(shard) : [shard.shardId];
    const texts = await Promise.all(from.map((shardId) => table.seen(shardId)));
    return texts.filter((text) => text !== undefined);
  }

  /** Decides what a failure of reading means: that it passes, that the stream was made again, or that this is the end. */
  async #judge(error: unknown, { kinesis, stream }: OpenGroup): Promise<void> {
    if (this.#pace.isStopped && isAbort(error)) return;
    const isOurs = error instanceof ServiceError;
    if (isOurs && error.retryable) return this.#onRetry(error);
    const isOfStream =
      isOurs && (error.code === 'kinesis/stream-missing' || error.code === 'kinesis/read-refused');
    if (!isOfStream) return this.#fail(error);
    this.#listedAtMs = Number.NEGATIVE_INFINITY;
    try {
      const { createdAtMs } = await identifyStream(kinesis, this.#options);
      this.#isStale = createdAtMs !== stream.createdAtMs;
      // The stream is the same, and a shard of it is not there any more: it expired, which the next list shows.
      if (!this.#isStale && error.code !== 'kinesis/stream-missing') this.#fail(error);
    } catch (cause) {
      this.#fail(cause);
    }
  }

  #fail(error: unknown): void {
    this.#fatal ??= error;
    this.stop();
  }
}
