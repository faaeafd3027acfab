import { setTimeout as sleep } from 'node:timers/promises';
import { deletionKey, MANIFEST_NAME, sessionFolder } from '../../sdk/consumer/archive/layout.ts';
import { type Addition, addToObject } from '../../sdk/consumer/archive/merge-put.ts';
import type { ObjectStore } from '../../sdk/consumer/archive/object-store.ts';
import { ServiceError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Metrics } from '../../shared/metrics.ts';
import type { ClosedSlice } from './gatherer.ts';
import type { SliceFormat } from './kinds.ts';
import { type ArchiveRows, type OpenRow, SessionTouches } from './session-rows.ts';

/** Objects on their way to S3 at a time: enough to hide the time of an answer at some ten MB/s. */
const AT_ONCE = 16;
const FIRST_PAUSE_MS = 500;
const MOST_PAUSE_MS = 15_000;

export interface FlusherOptions {
  readonly store: ObjectStore;
  readonly prefix: string;
  readonly rows: ArchiveRows;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Whether the session is known to be revoked. Exact is only the row, which is read after each write. */
  readonly isRevoked: (rtmsStreamId: string) => boolean;
  /** Deletes what there is of a revoked session. */
  readonly sweep: (row: OpenRow) => Promise<void>;
}

/**
 * Writes slices to S3, as long as it takes, and lets their batches go only then. While S3 is away slices wait in memory,
 * which `heldBytes` counts.
 */
export class Flusher {
  readonly #options: FlusherOptions;
  /** The write of an object that is on its way: the next one of the same object comes behind it. */
  readonly #byKey = new Map<string, Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  readonly #touches: SessionTouches;
  #running = 0;
  #heldBytes = 0;
  #onFreed = Promise.withResolvers<void>();
  /** Since when nothing has succeeded although something was tried; undefined while all is well. */
  #failingSinceMs: number | undefined;

  constructor(options: FlusherOptions) {
    this.#options = options;
    this.#touches = new SessionTouches(options.rows);
  }

  /** Bytes that are closed and not written yet. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** How long S3 has not taken anything, ms. */
  get failingMs(): number {
    return this.#failingSinceMs === undefined ? 0 : performance.now() - this.#failingSinceMs;
  }

  /** Resolves when some slice was written or dropped. */
  get freed(): Promise<void> {
    return this.#onFreed.promise;
  }

  /** @param after called when the object is in S3, before its batches go: what must be known durably with it */
  write(slice: ClosedSlice, format: SliceFormat, after?: () => Promise<unknown>): void {
    const key = sessionFolder(this.#options.prefix, slice.rtmsStreamId) + slice.name;
    this.#heldBytes += slice.heldBytes;
    const before = this.#byKey.get(key) ?? Promise.resolve();
    const written = before.then(() => this.#inOrder(key, slice, format, after));
    this.#byKey.set(key, written);
    void written.then(() => {
      if (this.#byKey.get(key) === written) this.#byKey.delete(key);
    });
  }

  async #inOrder(
    key: string,
    slice: ClosedSlice,
    format: SliceFormat,
    after?: () => Promise<unknown>,
  ): Promise<void> {
    while (this.#running >= AT_ONCE)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running += 1;
    let isWritten = false;
    try {
      isWritten = await this.#repeated(slice, () => this.#writeOnce(key, slice, format));
    } finally {
      this.#running -= 1;
      this.#heldBytes -= slice.heldBytes;
      this.#waiting.shift()?.();
      this.#onFreed.resolve();
      this.#onFreed = Promise.withResolvers();
    }
    if (!isWritten || !(await this.#repeated(slice, () => this.#tell(slice, after)))) return;
    this.#options.metrics.count('ArchiveObjects');
    // Saving may take seconds, as it is done for many slices at once.
    void slice.done();
  }

  /** Repeats what fails while the shard is this worker's. @returns what it did; false when the shard was lost */
  async #repeated(slice: ClosedSlice, attempt: () => Promise<boolean>): Promise<boolean> {
    const { logger, metrics } = this.#options;
    for (
      let pauseMs = FIRST_PAUSE_MS;
      slice.holds();
      pauseMs = Math.min(pauseMs * 2, MOST_PAUSE_MS)
    ) {
      try {
        const result = await attempt();
        this.#failingSinceMs = undefined;
        return result;
      } catch (error) {
        this.#failingSinceMs ??= performance.now();
        metrics.count('ArchiveStoreFailures');
        logger.error('an object of the archive is not written yet', {
          event: 'archive_write_failed',
          rtmsStreamId: slice.rtmsStreamId,
          shardId: slice.fence.shardId,
          failingMs: Math.round(this.failingMs),
          waitingBytes: this.#heldBytes,
          error,
        });
        await sleep(pauseMs, undefined, { signal: slice.signal }).catch(() => undefined);
      }
    }
    return false;
  }

  /** @returns false when the shard is not this worker's any more */
  async #writeOnce(key: string, slice: ClosedSlice, format: SliceFormat): Promise<boolean> {
    const { rtmsStreamId, fence } = slice;
    if (this.#options.isRevoked(rtmsStreamId)) return true;
    const metadata = { shard: fence.shardId, fence: String(fence.epoch) };
    const addition = { key, body: slice.bytes(), metadata, ...format };
    return (await this.#added(addition, slice)) !== undefined;
  }

  async #tell({ rtmsStreamId }: ClosedSlice, after?: () => Promise<unknown>): Promise<boolean> {
    const row = await this.#touched(rtmsStreamId);
    // Zoom took the consent back before this object was written: whoever deleted the others has not seen it.
    if (row.revokedAtMs !== undefined) await this.#options.sweep(row);
    await after?.();
    return true;
  }

  async #added(addition: Addition, slice: ClosedSlice) {
    const { store, prefix, logger } = this.#options;
    try {
      return await addToObject(store, addition, () => slice.holds());
    } catch (error) {
      if (!(error instanceof ServiceError) || !error.code.startsWith('record/')) throw error;
      // What stands there is not ours or was damaged. It is kept aside, or no frame of this minute could ever be written.
      logger.error('an object of the archive cannot be read', { event: 'archive_damaged', error });
      const there = await store.get(addition.key);
      const key = `${prefix}damaged/${addition.key}`;
      const { contentType, metadata } = addition;
      if (there) await store.put(key, there.body, { contentType, metadata, ifIs: 'none' });
      const union = ([, own]: readonly Buffer[]) => own ?? addition.body;
      return addToObject(store, { ...addition, union }, () => slice.holds());
    }
  }

  /** Says in the table that something was written. Of a session that has no row, S3 tells whether it is over or was deleted. */
  async #touched(rtmsStreamId: string): Promise<OpenRow> {
    const { rows, store, prefix } = this.#options;
    const row = await this.#touches.touch(rtmsStreamId);
    if (row.touches > 1) return row;
    if ((await store.get(deletionKey(prefix, rtmsStreamId))) !== undefined)
      return rows.revoked(rtmsStreamId, undefined);
    const manifest = await store.get(sessionFolder(prefix, rtmsStreamId) + MANIFEST_NAME);
    return manifest === undefined ? row : rows.late(rtmsStreamId);
  }
}
