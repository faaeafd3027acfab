import { MINUTE_MS } from '../../sdk/consumer/archive/layout.ts';
import type { Batch } from '../../sdk/consumer/index.ts';

/** What the gatherer needs to know of the objects of one kind, media or events. */
export interface ItemKind<Item> {
  /** Names the source within its session; an object holds the items of one source. Asked of every frame, so a number is best. */
  readonly sourceOf: (item: Item) => SourceName;
  readonly minuteOf: (item: Item) => number;
  readonly sessionOf: (item: Item) => string;
  readonly nameOf: (item: Item, minuteMs: number) => string;
  readonly open: () => GrowingObject<Item>;
}

type SourceName = string | number;

export interface GrowingObject<Item> {
  readonly heldBytes: number;
  add(item: Item): void;
  bytes(): Buffer;
}

/** One object that is ready to be written, and what it needs to be told when it is. */
export interface ClosedSlice {
  readonly rtmsStreamId: string;
  /** Key inside the folder of the session. */
  readonly name: string;
  readonly heldBytes: number;
  /** Of the shard that the records came from. */
  readonly fence: { readonly shardId: string; readonly epoch: number };
  /** Whether the shard is still this worker's. */
  holds(): boolean;
  readonly signal: AbortSignal;
  bytes(): Buffer;
  /** To be called when it is in S3, or need not be. Lets the checkpoint go on. */
  done(): Promise<void>;
}

/** A batch of the group that waits for the objects that its items went into. */
interface HeldBatch {
  waitingFor: number;
  readonly done: () => Promise<void>;
}

interface OpenSlice<Item> {
  readonly source: SourceName;
  readonly rtmsStreamId: string;
  readonly name: string;
  readonly minuteMs: number;
  readonly object: GrowingObject<Item>;
  readonly claim: Claim;
  readonly held: HeldBatch[];
  readonly openedAtMs: number;
  /** Everything that arrived in Kinesis before this was read before the slice was opened, Unix ms. */
  readonly readThroughMs: number;
}

/** A batch without its items, which must not be kept in memory until an object is written. */
type Claim = Pick<Batch<never>, 'fence' | 'signal' | 'holds'>;

interface Shard<Item> {
  readonly claim: Claim;
  /** By session and source: the slice that was added to last, while it is open. */
  readonly newest: Map<string, Map<SourceName, OpenSlice<Item>>>;
  readonly slices: Map<string, OpenSlice<Item>>;
  /** The newest minute of each session, and since when it is known: what tells that an earlier one is over. */
  readonly reached: Map<string, { readonly minuteMs: number; readonly sinceMs: number }>;
  /** How far behind the newest record of the shard its last batch was, ms. */
  behindMs: number;
}

/**
 * A minute is closed this long after the next minute of its session has begun, so that it has what comes a little late. It is
 * closed at once when the minute after the next has begun, as when a worker catches up. The times of other sessions tell
 * nothing: their runners have clocks of their own.
 */
const GRACE_MS = 5_000;

/** A shard that is less behind than this counts as read to its newest record: the last page takes some time, too. */
const AT_TIP_MS = 2_000;

/** Kinesis' clock may be ahead of ours by this much. */
const CLOCKS_MS = 1_000;

/** Gathers the items of the shards of one Kinesis stream into slices, and holds the batches until those are written. */
export class Gatherer<Item> {
  readonly #kind: ItemKind<Item>;
  readonly #maxAgeMs: number;
  readonly #onClosed: (slice: ClosedSlice) => void;
  readonly #shards = new Map<string, Shard<Item>>();
  /** Slices that were closed and are not written yet, by shard. */
  readonly #writing = new Map<string, Set<OpenSlice<Item>>>();
  #openBytes = 0;

  /** @param onClosed takes what is to be written */
  constructor(kind: ItemKind<Item>, maxAgeMs: number, onClosed: (slice: ClosedSlice) => void) {
    this.#kind = kind;
    this.#maxAgeMs = maxAgeMs;
    this.#onClosed = onClosed;
  }

  /** Bytes of slices that are open. */
  get openBytes(): number {
    return this.#openBytes;
  }

  take(items: readonly Item[], batch: Batch<Item>): void {
    const shard = this.#shard(batch);
    const held: HeldBatch = { waitingFor: 0, done: batch.hold() };
    shard.behindMs = batch.millisBehindLatest ?? 0;
    // Nothing of the page itself is in S3 yet, and its records may have waited in the shard for long.
    const { millisBehindLatest = 0, arrivedAtMs = 0 } = batch;
    const readThroughMs = Math.min(Date.now() - millisBehindLatest, arrivedAtMs) - CLOCKS_MS;
    for (const item of items) {
      const slice = this.#sliceFor(item, shard, readThroughMs);
      const before = slice.object.heldBytes;
      slice.object.add(item);
      this.#openBytes += slice.object.heldBytes - before;
      if (slice.held.at(-1) !== held) {
        slice.held.push(held);
        held.waitingFor += 1;
      }
    }
    this.#closeOver(batch.shardId, shard);
  }

  /** Closes what is over or old, and drops what came from shards that others own now. To be called once a second. */
  tick(): void {
    for (const [shardId, shard] of this.#shards) {
      if (shard.claim.signal.aborted || !shard.claim.holds()) this.#drop(shardId, shard);
      else this.#closeOver(shardId, shard);
    }
  }

  closeShard(shardId: string): void {
    this.#close(shardId, () => true);
  }

  /**
   * Closes the slices of a session that is over. A shard that is behind keeps its slices open: more of the session is still to be
   * read there, and would be written in pieces.
   */
  closeSession(rtmsStreamId: string): void {
    for (const [shardId, { behindMs }] of this.#shards)
      if (behindMs < AT_TIP_MS)
        this.#close(shardId, (slice) => slice.rtmsStreamId === rtmsStreamId);
  }

  /** Closes everything: its memory is needed, and what is added to the same minutes later is joined to them. */
  closeAll(): void {
    for (const shardId of this.#shards.keys()) this.closeShard(shardId);
  }

  /** @returns Unix ms up to which everything that arrived in the shard is in S3; undefined when all that was read is */
  durableThroughMs(shardId: string): number | undefined {
    const open = this.#shards.get(shardId)?.slices.values() ?? [];
    const writing = this.#writing.get(shardId) ?? [];
    const all = [...open, ...writing].map(({ readThroughMs }) => readThroughMs);
    return all.length === 0 ? undefined : Math.min(...all);
  }

  #shard(batch: Batch<Item>): Shard<Item> {
    const known = this.#shards.get(batch.shardId);
    if (known?.claim.fence === batch.fence) return known;
    if (known) this.#drop(batch.shardId, known);
    const { fence, signal, holds } = batch;
    const shard: Shard<Item> = {
      claim: { fence, signal, holds },
      newest: new Map(),
      slices: new Map(),
      reached: new Map(),
      behindMs: 0,
    };
    this.#shards.set(batch.shardId, shard);
    return shard;
  }

  #sliceFor(item: Item, shard: Shard<Item>, readThroughMs: number): OpenSlice<Item> {
    const kind = this.#kind;
    const source = kind.sourceOf(item);
    const minuteMs = kind.minuteOf(item);
    const rtmsStreamId = kind.sessionOf(item);
    const ofSession = shard.newest.get(rtmsStreamId) ?? new Map<SourceName, OpenSlice<Item>>();
    const newest = ofSession.get(source);
    if (newest?.minuteMs === minuteMs) return newest;
    const reached = shard.reached.get(rtmsStreamId);
    if (reached === undefined || minuteMs > reached.minuteMs)
      shard.reached.set(rtmsStreamId, { minuteMs, sinceMs: performance.now() });
    const name = kind.nameOf(item, minuteMs);
    const key = `${rtmsStreamId}\n${name}`;
    const slice = shard.slices.get(key) ?? {
      source,
      rtmsStreamId,
      name,
      minuteMs,
      object: kind.open(),
      claim: shard.claim,
      held: [],
      openedAtMs: performance.now(),
      readThroughMs,
    };
    if (slice.held.length === 0) this.#openBytes += slice.object.heldBytes;
    shard.slices.set(key, slice);
    shard.newest.set(rtmsStreamId, ofSession.set(source, slice));
    return slice;
  }

  #closeOver(shardId: string, { reached }: Shard<Item>): void {
    const nowMs = performance.now();
    const graceMs = Math.min(GRACE_MS, this.#maxAgeMs);
    this.#close(shardId, ({ minuteMs, rtmsStreamId, openedAtMs }) => {
      if (nowMs - openedAtMs >= this.#maxAgeMs) return true;
      const newest = reached.get(rtmsStreamId);
      if (newest === undefined || newest.minuteMs <= minuteMs) return false;
      return newest.minuteMs > minuteMs + MINUTE_MS || nowMs - newest.sinceMs >= graceMs;
    });
  }

  #close(shardId: string, isDue: (slice: OpenSlice<Item>) => boolean): void {
    const shard = this.#shards.get(shardId);
    if (shard === undefined) return;
    for (const [key, slice] of shard.slices) {
      if (!isDue(slice)) continue;
      shard.slices.delete(key);
      // Nothing may be added to it any more: its bytes are on their way.
      const ofSession = shard.newest.get(slice.rtmsStreamId);
      if (ofSession?.get(slice.source) === slice) ofSession.delete(slice.source);
      if (ofSession?.size === 0) shard.newest.delete(slice.rtmsStreamId);
      this.#onClosed(this.#closed(shardId, slice));
    }
    if (shard.reached.size > 2 * shard.slices.size) dropOldSessions(shard);
  }

  #closed(shardId: string, slice: OpenSlice<Item>): ClosedSlice {
    const { rtmsStreamId, name, claim, object, held } = slice;
    const { heldBytes } = object;
    this.#openBytes -= heldBytes;
    const writing = this.#writing.get(shardId) ?? new Set();
    this.#writing.set(shardId, writing.add(slice));
    return {
      rtmsStreamId,
      name,
      heldBytes,
      fence: { shardId, epoch: claim.fence },
      holds: claim.holds,
      signal: claim.signal,
      bytes: () => object.bytes(),
      done: async () => {
        writing.delete(slice);
        await Promise.all(
          held.map((one) => {
            one.waitingFor -= 1;
            return one.waitingFor === 0 ? one.done() : undefined;
          }),
        );
      },
    };
  }

  #drop(shardId: string, shard: Shard<Item>): void {
    for (const { object } of shard.slices.values()) this.#openBytes -= object.heldBytes;
    this.#shards.delete(shardId);
    this.#writing.delete(shardId);
  }
}

/** Deletes the newest minute of every session that has no open slice. */
function dropOldSessions<Item>({ slices, reached }: Shard<Item>): void {
  const sessions = new Set([...slices.values()].map(({ rtmsStreamId }) => rtmsStreamId));
  for (const id of reached.keys()) if (!sessions.has(id)) reached.delete(id);
}
