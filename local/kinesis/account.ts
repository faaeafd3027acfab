import { ApiError } from './api-error.ts';
import { KINESIS_QUOTAS } from './limits.ts';
import type { Shard } from './shard.ts';
import { DataStream, type StreamOptions } from './stream.ts';

const ACCOUNT_ID = '000000000000';

/** All data streams of the one account and Region that this server stands for. */
export class Account {
  readonly id = ACCOUNT_ID;
  readonly #region: string;
  readonly #maxStoredBytes: number;
  readonly #streams = new Map<string, DataStream>();
  #storedBytes = 0;

  /** @param maxStoredBytes base64 characters kept in all shards together; beyond it the oldest records are dropped */
  constructor(region: string, maxStoredBytes: number) {
    this.#region = region;
    this.#maxStoredBytes = maxStoredBytes;
  }

  /** In the order of their names, as ListStreams returns them. */
  get streams(): DataStream[] {
    return [...this.#streams.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @throws ApiError ResourceInUseException, LimitExceededException */
  create(options: Omit<StreamOptions, 'arn'>, nowMs: number): DataStream {
    const { name, mode, shardCount } = options;
    if (this.#streams.has(name)) {
      const message = `Stream ${name} under account ${this.id} already exists.`;
      throw new ApiError('ResourceInUseException', message);
    }
    const onDemand = this.streams.filter((stream) => stream.mode === 'ON_DEMAND').length;
    if (mode === 'ON_DEMAND' && onDemand >= KINESIS_QUOTAS.onDemandStreams) {
      const message = `This request would exceed the on-demand stream limit for the account ${this.id}.`;
      throw new ApiError('LimitExceededException', message);
    }
    this.requireShards(shardCount);
    const arn = `arn:aws:kinesis:${this.#region}:${this.id}:stream/${name}`;
    const stream = new DataStream({ ...options, arn }, nowMs);
    this.#streams.set(name, stream);
    return stream;
  }

  delete(stream: DataStream): void {
    this.#streams.delete(stream.name);
    for (const shard of stream.shards) this.#storedBytes -= shard.storedBytes;
  }

  /** @throws ApiError ResourceNotFoundException */
  find(name: string): DataStream {
    const stream = this.#streams.get(name);
    if (stream !== undefined) return stream;
    const message = `Stream ${name} under account ${this.id} not found.`;
    throw new ApiError('ResourceNotFoundException', message);
  }

  /** @throws ApiError LimitExceededException when `added` more open shards exceed the account's quota */
  requireShards(added: number): void {
    const open = this.openShardCount;
    if (open + added <= KINESIS_QUOTAS.shardsPerAccount) return;
    throw new ApiError(
      'LimitExceededException',
      `This request would exceed the shard limit for the account ${this.id}. ` +
        `Current shard count for the account: ${open}. Limit: ${KINESIS_QUOTAS.shardsPerAccount}. ` +
        `Number of additional shards that would have resulted from this request: ${added}.`,
    );
  }

  get openShardCount(): number {
    return this.streams.reduce((sum, stream) => sum + stream.openShards.length, 0);
  }

  /** Keeps the memory bound. Call it before `bytes` more are stored. */
  makeRoom(bytes: number): void {
    this.#storedBytes += bytes;
    if (this.#storedBytes <= this.#maxStoredBytes) return;
    // The running sum is too high by now, because expired records and shards were not subtracted.
    const holders = this.streams.flatMap((stream) =>
      stream.shards.map((shard) => ({ stream, shard })),
    );
    this.#storedBytes = holders.reduce((sum, { shard }) => sum + shard.storedBytes, bytes);
    while (this.#storedBytes > this.#maxStoredBytes) {
      const { stream, shard } = holders.reduce((a, b) =>
        b.shard.storedBytes > a.shard.storedBytes ? b : a,
      );
      if (shard.storedBytes === 0) return;
      this.#storedBytes -= this.#evictFrom(stream, shard);
    }
  }

  /** Evicts a 64th of the bound at once, so that a full server does not evict for every record. @returns bytes freed */
  #evictFrom(stream: DataStream, shard: Shard): number {
    const before = shard.storedBytes;
    stream.counters.evicted += shard.evict(this.#maxStoredBytes / 64);
    return before - shard.storedBytes;
  }
}
