import { ApiError } from './api-error.ts';
import { HOUR_MS, KINESIS_QUOTAS } from './limits.ts';
import { evenRanges, type HashKeyRange, hashPartitionKey, MAX_HASH_KEY, Shard } from './shard.ts';
import type { StreamConsumer } from './stream-consumer.ts';

export type StreamMode = 'PROVISIONED' | 'ON_DEMAND';
export type RecordDistributionStrategy = 'USER_PARTITION_KEY' | 'AUTO';

export interface StreamOptions {
  readonly name: string;
  readonly arn: string;
  readonly mode: StreamMode;
  readonly shardCount: number;
  readonly maxRecordKiB: number;
  readonly recordDistribution: RecordDistributionStrategy;
}

/** Counts since the data stream was created. Bytes are those of data and partition keys. */
export interface StreamCounters {
  putCalls: number;
  recordsIn: number;
  bytesIn: number;
  /** What provisioned mode charges for accepted records: the bytes of each in chunks of 25 KB, rounded up. */
  payloadUnits: number;
  /** Entries and whole calls that were refused for throughput, by the limits or by the fault script. */
  throttled: number;
  /** Entries that were answered with InternalFailure. */
  failed: number;
  readCalls: number;
  recordsOut: number;
  bytesOut: number;
  /** Records that were dropped for the memory bound of the server before their retention ended. */
  evicted: number;
}

const ROUTE_CACHE_KEYS = 10_000;

/** One Kinesis data stream: its settings, and its shards with their parents. */
export class DataStream {
  readonly name: string;
  readonly arn: string;
  readonly createdAtMs: number;
  mode: StreamMode;
  maxRecordKiB: number;
  recordDistribution: RecordDistributionStrategy;
  retentionHours: number = KINESIS_QUOTAS.minRetentionHours;
  readonly counters: StreamCounters = {
    putCalls: 0,
    recordsIn: 0,
    bytesIn: 0,
    payloadUnits: 0,
    throttled: 0,
    failed: 0,
    readCalls: 0,
    recordsOut: 0,
    bytesOut: 0,
    evicted: 0,
  };

  /** In order of creation. A closed shard stays until its last record has expired. */
  #shards: Shard[] = [];
  #nextShardIndex = 0;
  #nextAutoShard = 0;
  readonly #routes = new Map<string, Shard>();
  /** Registered for enhanced fan-out, by name. */
  readonly consumers = new Map<string, StreamConsumer>();

  constructor(options: StreamOptions, nowMs: number) {
    this.name = options.name;
    this.arn = options.arn;
    this.mode = options.mode;
    this.maxRecordKiB = options.maxRecordKiB;
    this.recordDistribution = options.recordDistribution;
    this.createdAtMs = nowMs;
    for (const range of evenRanges(options.shardCount)) this.#addShard(range, [], nowMs);
  }

  get shards(): readonly Shard[] {
    return this.#shards;
  }

  /** In the order of their hash keys. */
  get openShards(): Shard[] {
    return this.#shards
      .filter((shard) => shard.closedAtMs === undefined)
      .sort((a, b) => (a.range.start < b.range.start ? -1 : 1));
  }

  /** @throws ApiError ResourceNotFoundException */
  shard(id: string): Shard {
    const shard = this.#shards.find((candidate) => candidate.id === id);
    if (shard !== undefined) return shard;
    throw new ApiError(
      'ResourceNotFoundException',
      `Could not find shard ${id} in stream ${this.name}.`,
    );
  }

  childrenOf(parent: Shard): Shard[] {
    return this.#shards.filter((shard) => shard.parentIds.includes(parent.id));
  }

  /** The open shard that takes a record. With AUTO distribution all open shards one after another, whatever the key. */
  route(partitionKey: string, explicitHashKey: bigint | undefined): Shard {
    if (this.recordDistribution === 'AUTO') {
      const open = this.openShards;
      this.#nextAutoShard = (this.#nextAutoShard + 1) % open.length;
      return open[this.#nextAutoShard] as Shard;
    }
    if (explicitHashKey !== undefined) return this.#shardFor(explicitHashKey);
    const known = this.#routes.get(partitionKey);
    if (known !== undefined) return known;
    const shard = this.#shardFor(hashPartitionKey(partitionKey));
    if (this.#routes.size >= ROUTE_CACHE_KEYS) this.#routes.clear();
    this.#routes.set(partitionKey, shard);
    return shard;
  }

  /** Closes a shard and opens two children: one below `at`, one from `at` on. `at` lies inside the range. */
  split(shard: Shard, at: bigint, nowMs: number): void {
    const { start, end } = shard.range;
    const childAtMs = this.#close([shard], nowMs);
    this.#addShard({ start, end: at - 1n }, [shard.id], childAtMs);
    this.#addShard({ start: at, end }, [shard.id], childAtMs);
  }

  /** Closes two adjacent shards and opens one child with both ranges. */
  merge(lower: Shard, upper: Shard, nowMs: number): void {
    const childAtMs = this.#close([lower, upper], nowMs);
    const range = { start: lower.range.start, end: upper.range.end };
    this.#addShard(range, [lower.id, upper.id], childAtMs);
  }

  /** Splits and merges until the open shards have `target` even ranges, as UpdateShardCount does. */
  scaleTo(target: number, nowMs: number): void {
    const starts = new Set(evenRanges(target).map((range) => range.start));
    for (const at of starts) {
      const shard = this.#shardFor(at);
      if (shard.range.start !== at) this.split(shard, at, nowMs);
    }
    for (let [lower, upper] = this.#mergeable(starts); lower && upper; ) {
      this.merge(lower, upper, nowMs);
      [lower, upper] = this.#mergeable(starts);
    }
  }

  /** Drops expired records, and closed shards whose records have all expired. */
  expire(nowMs: number): void {
    const horizonMs = nowMs - this.retentionHours * HOUR_MS;
    if (horizonMs <= this.createdAtMs) return;
    for (const shard of this.#shards) shard.expire(horizonMs);
    this.#shards = this.#shards.filter(
      (shard) => shard.closedAtMs === undefined || shard.closedAtMs >= horizonMs,
    );
  }

  #mergeable(starts: ReadonlySet<bigint>): [Shard?, Shard?] {
    const open = this.openShards;
    const index = open.findIndex((shard) => !starts.has(shard.range.start));
    return index < 0 ? [] : [open[index - 1] as Shard, open[index] as Shard];
  }

  #shardFor(hashKey: bigint): Shard {
    for (const shard of this.#shards) {
      if (shard.closedAtMs !== undefined) continue;
      if (hashKey >= shard.range.start && hashKey <= shard.range.end) return shard;
    }
    throw new Error(`hash key ${hashKey} of ${MAX_HASH_KEY} belongs to no open shard`);
  }

  #addShard(range: HashKeyRange, parentIds: string[], nowMs: number): void {
    this.#shards.push(new Shard(this.#nextShardIndex, range, parentIds, nowMs));
    this.#nextShardIndex += 1;
  }

  /** @returns when the children begin: at least 1 ms after their parents began, or sequence numbers would not grow */
  #close(parents: Shard[], nowMs: number): number {
    const atMs = Math.max(nowMs, ...parents.map((parent) => parent.createdAtMs + 1));
    for (const parent of parents) parent.close(atMs);
    this.#routes.clear();
    return atMs;
  }
}
