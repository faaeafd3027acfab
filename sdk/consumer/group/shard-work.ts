import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from '../../../shared/errors.ts';
import { SHARD_END } from '../reading/checkpoints.ts';
import { type Marks, readMarks, remember, writeMarks } from '../reading/marks.ts';
import type { Position } from '../reading/shard-reader.ts';
import type { FenceMark } from '../records/epoch-fence.ts';
import type { KinesisRecord, Page } from '../records/records.ts';
import type { Batch } from './group-options.ts';
import { comparePositions, type RecordPosition } from './group-rows.ts';
import type { GroupTable, ShardClaim } from './group-table.ts';
import { isAbort } from './loop-pace.ts';
import { type OpenPage, OpenPages } from './open-pages.ts';
import { PageItems, type ShardDecoder } from './page-items.ts';

export interface ShardWorkOptions<Item> {
  readonly claim: ShardClaim;
  /** As the claim found it. */
  readonly position: RecordPosition | undefined;
  /** Texts of `writeMarks`: this shard's, or its parents' when nobody has read it yet. */
  readonly seenTexts: readonly string[];
  readonly table: GroupTable;
  readonly holds: () => boolean;
  /** Aborted when the shard is lost. */
  readonly lost: AbortSignal;
  readonly pages: (signal: AbortSignal) => AsyncGenerator<Page, void, undefined>;
  /** @param onBad takes the errors of damaged records */
  readonly decoder: (onBad: (error: ServiceError) => void) => ShardDecoder<Item>;
  /** The marks of these items; of several of one source that of the newest is enough. */
  readonly marksOf: (items: readonly Item[]) => Iterable<FenceMark>;
  readonly handler: (items: Item[], batch: Batch<Item>) => Promise<void> | void;
  readonly onBadRecord: (error: ServiceError, record: KinesisRecord) => Promise<void> | void;
  readonly onRetry: (error: ServiceError) => void;
  /** Called when the handler has returned, with what Kinesis said of its page, and when (Unix ms). */
  readonly onProgress: (millisBehindLatest: number | undefined, seenAtMs: number) => void;
  /** Asks for the batches that are held: the shard is about to be given away, or was read to its end. */
  readonly onFlush: () => Promise<void> | void;
}

const RETRY_MS = 500;
/** Batches that were held are often done many at a time: after a save, the next one is this much later. */
const SAVE_HELD_MS = 2_000;
/** A shard that is given away waits this long for held batches. What is held then comes again, to its next owner. */
const FLUSH_TIMEOUT_MS = 5_000;
/** Marks are large and only spare repeats, so they are saved this seldom, and whenever the shard is given away. */
const SAVE_SEEN_MS = 30_000;

/** Reads one shard for a group while it is this worker's: page by page, each processed and saved before the next. */
export class ShardWork<Item> {
  readonly #options: ShardWorkOptions<Item>;
  readonly #leaving = new AbortController();
  readonly #marks: Marks = new Map();
  readonly #decoder: ShardDecoder<Item>;
  readonly #open = new OpenPages((page) => {
    this.#advance(page.position);
    for (const mark of page.marks.values()) remember(this.#marks, mark);
  });
  #bad: ServiceError[] = [];
  /** Read and handed out as whole frames. */
  #readTo: RecordPosition | undefined;
  #processed: RecordPosition | undefined;
  #saved: RecordPosition | undefined;
  /** Saves follow each other: of two on their way at once, the older one could come last. */
  #saving: Promise<boolean> = Promise.resolve(true);
  /** A save of held batches that is due later; whoever is done meanwhile is saved with it. */
  #savingHeld: Promise<boolean> | undefined;
  #heldSavedAtMs = Number.NEGATIVE_INFINITY;
  #seenSavedAtMs = performance.now();
  readonly #over = new AbortController();

  constructor(options: ShardWorkOptions<Item>) {
    this.#options = options;
    this.#readTo = options.position;
    this.#processed = options.position;
    this.#saved = options.position;
    this.#decoder = options.decoder((error) => void this.#bad.push(error));
    for (const text of options.seenTexts) {
      const marks = readMarks(text);
      this.#decoder.restore(marks);
      for (const mark of marks) remember(this.#marks, mark);
    }
  }

  get position(): RecordPosition | undefined {
    return this.#saved;
  }

  /** Gives the shard away: finishes the page at hand, saves it, and leaves. */
  leave(): void {
    this.#leaving.abort();
  }

  /**
   * Reads until the shard ends, is lost, or `leave` was called.
   *
   * @throws what a handler throws, and ServiceError `kinesis/*`, `record/*` and `group/table-refused`. The shard is given
   *   away before, unless the table refuses that
   */
  async run(): Promise<'ended' | 'left' | 'lost'> {
    try {
      return await this.#read();
    } finally {
      this.#over.abort();
    }
  }

  async #read(): Promise<'ended' | 'left' | 'lost'> {
    const { lost, holds, pages, onProgress } = this.#options;
    try {
      const signal = AbortSignal.any([lost, this.#leaving.signal]);
      for await (const page of pages(signal)) {
        if (!holds()) return 'lost';
        await this.#process(page);
        onProgress(page.millisBehindLatest, page.asOfMs);
        if (!(await this.#save())) return 'lost';
        if (page.position === SHARD_END) return (await this.#end()) ? 'ended' : 'lost';
        if (performance.now() - this.#seenSavedAtMs > SAVE_SEEN_MS) await this.#saveSeen();
        if (this.#leaving.signal.aborted) break;
      }
      return (await this.#release()) ? 'left' : 'lost';
    } catch (error) {
      if (!holds()) return 'lost';
      if (isAbort(error) && this.#leaving.signal.aborted)
        return (await this.#release()) ? 'left' : 'lost';
      await this.#release(0).catch(() => undefined);
      throw error;
    }
  }

  async #process(page: Page): Promise<void> {
    const read = new PageItems<Item>(this.#readTo, this.#options.position);
    for (const record of page.records) {
      read.take(this.#decoder, record);
      if (this.#bad.length > 0) await this.#tellBad(record);
    }
    this.#readTo = read.whole;
    const open = this.#open.open(read.whole);
    if (read.items.length > 0) await this.#handle(read, page, open);
    if (!open.isHeld) this.#open.done(open);
  }

  /** A position never goes back: a checkpoint of an earlier item may be asked for after one of a later item. */
  #advance(to: RecordPosition | undefined): void {
    const from = this.#processed;
    if (to !== undefined && (from === undefined || comparePositions(from, to) < 0))
      this.#processed = to;
  }

  async #handle(read: PageItems<Item>, page: Page, open: OpenPage): Promise<void> {
    const { claim, holds, lost, handler, marksOf } = this.#options;
    const { items } = read;
    await handler(items, {
      shardId: claim.shardId,
      fence: claim.epoch,
      signal: lost,
      holds,
      millisBehindLatest: page.millisBehindLatest,
      arrivedAtMs: page.records[0]?.arrivedAt?.getTime(),
      hold: this.#holder(open),
      checkpoint: async (item) => {
        if (!this.#open.isFirst(open)) {
          const what = 'an earlier batch is held, so nothing of a later one can be saved';
          throw new ServiceError('config/invalid', what);
        }
        this.#advance(read.positionOf(item));
        if (await this.#save()) return;
        const detail = { shardId: claim.shardId, fence: claim.epoch };
        const what = `${claim.shardId} is not this worker's any more`;
        throw new ServiceError('group/not-owner', what, { detail });
      },
    });
    this.#open.note(open, marksOf(items));
  }

  /** A method of its own: what it returns lives long, and must not keep the frames of its batch in memory. */
  #holder(open: OpenPage): () => () => Promise<void> {
    return () => {
      open.isHeld = true;
      return async () => {
        this.#open.done(open);
        await this.#saveHeld().catch(() => undefined);
      };
    };
  }

  /** Saves at once when nothing was saved lately, and else with what is done until then. */
  #saveHeld(): Promise<boolean> {
    this.#savingHeld ??= this.#saveHeldLater();
    return this.#savingHeld;
  }

  async #saveHeldLater(): Promise<boolean> {
    const pauseMs = this.#heldSavedAtMs + SAVE_HELD_MS - performance.now();
    const signal = AbortSignal.any([this.#options.lost, this.#over.signal]);
    if (pauseMs > 0) await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    this.#savingHeld = undefined;
    this.#heldSavedAtMs = performance.now();
    // The shard was given away, with everything that was done until then.
    return this.#over.signal.aborted || this.#save();
  }

  async #tellBad(record: KinesisRecord): Promise<void> {
    const bad = this.#bad;
    if (bad.length === 0) return;
    this.#bad = [];
    for (const error of bad) await this.#options.onBadRecord(error, record);
  }

  /** Saves what is processed, trying again while the shard is this worker's. @returns false when it is not any more */
  #save(): Promise<boolean> {
    this.#saving = this.#saving.then(
      () => this.#saveNext(),
      () => this.#saveNext(),
    );
    return this.#saving;
  }

  async #saveNext(): Promise<boolean> {
    const { claim, table } = this.#options;
    const position = this.#processed;
    if (position === undefined || position === this.#saved) return true;
    if (!(await this.#persist(() => table.save(claim, position)))) return false;
    this.#saved = position;
    return true;
  }

  /** Says that the shard was read to its end: only then may its children be read. */
  async #end(): Promise<boolean> {
    const { claim, table, lost, onFlush } = this.#options;
    await this.#open.allDone(lost, onFlush);
    await this.#saving.catch(() => undefined);
    this.#decoder.finish?.();
    await this.#tellBad({
      data: new Uint8Array(),
      partitionKey: '',
      sequenceNumber: this.#saved?.sequenceNumber ?? '',
    });
    await this.#saveSeen();
    return this.#persist(() => table.release(claim, { sequenceNumber: SHARD_END }));
  }

  async #release(flushTimeoutMs = FLUSH_TIMEOUT_MS): Promise<boolean> {
    const { claim, table, lost, onFlush } = this.#options;
    const over = AbortSignal.any([lost, AbortSignal.timeout(flushTimeoutMs)]);
    if (flushTimeoutMs > 0) await this.#open.allDone(over, onFlush);
    await this.#saving.catch(() => undefined);
    await this.#saveSeen();
    return this.#persist(() => table.release(claim, this.#processed));
  }

  async #saveSeen(): Promise<void> {
    const { claim, table } = this.#options;
    this.#seenSavedAtMs = performance.now();
    if (this.#marks.size === 0) return;
    const text = writeMarks(this.#marks);
    await this.#persist(async () => {
      await table.saveSeen(claim.shardId, claim.epoch, text);
      return true;
    });
  }

  async #persist(write: () => Promise<boolean>): Promise<boolean> {
    const { holds, lost, onRetry } = this.#options;
    while (holds()) {
      try {
        return await write();
      } catch (error) {
        if (!(error instanceof ServiceError && error.retryable)) throw error;
        onRetry(error);
        await sleep(RETRY_MS, undefined, { signal: lost }).catch(() => undefined);
      }
    }
    return false;
  }
}

/** @returns where to read on, given what a checkpoint says */
export function positionBehind(position: RecordPosition): Position {
  const { sequenceNumber, subSequenceNumber } = position;
  return { behind: sequenceNumber, ...(subSequenceNumber !== undefined && { isPart: true }) };
}
