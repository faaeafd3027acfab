import type { Logger } from '../../../shared/logger.ts';
import { SpoolSegment } from './segment.ts';
import { headerBytes, removeSegment, segmentPath } from './segment-files.ts';

/** After a failed write, nothing is written for that long. */
const RETRY_AFTER_MS = 1_000;
/** A failure is logged again after that. */
const LOG_EVERY_MS = 60_000;

/** What the backlogs of one spool share: a directory, one queue of operations, and the count of bytes. */
export class SpoolDisk {
  /** A segment is complete when its file is that long. */
  readonly segmentBytes: number;

  readonly #directory: string;
  readonly #logger: Logger;
  #fileBytes = 0;
  #pendingBytes = 0;
  #ordinal: number;
  #last: Promise<void> = Promise.resolve();
  #failedAtMs = Number.NEGATIVE_INFINITY;
  #loggedAtMs = Number.NEGATIVE_INFINITY;

  /** See `SpoolOptions`. */
  readonly markRecovered: (record: Uint8Array) => Uint8Array;

  /** @param ordinal of the next file; above all that are there */
  constructor(
    directory: string,
    segmentBytes: number,
    ordinal: number,
    logger: Logger,
    markRecovered: (record: Uint8Array) => Uint8Array = (record) => record,
  ) {
    this.markRecovered = markRecovered;
    this.#directory = directory;
    this.segmentBytes = segmentBytes;
    this.#ordinal = ordinal;
    this.#logger = logger;
  }

  /** Bytes of all segment files, those included whose records are in memory again. */
  get fileBytes(): number {
    return this.#fileBytes;
  }

  /** Frame bytes of units that wait to be written. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** @param bytes may be negative */
  addFileBytes(bytes: number): void {
    this.#fileBytes += bytes;
  }

  /** @param bytes may be negative */
  addPendingBytes(bytes: number): void {
    this.#pendingBytes += bytes;
  }

  /** Runs operations one after another, in the order asked for. They must not reject. */
  enqueue(operation: () => Promise<void>): void {
    this.#last = this.#last.then(operation);
  }

  /** Resolves when all operations asked for so far are over. */
  idle(): Promise<void> {
    return this.#last;
  }

  create(partitionKey: string): SpoolSegment {
    const path = segmentPath(this.#directory, this.#ordinal++);
    const segment = new SpoolSegment(partitionKey, path, headerBytes(partitionKey), false);
    this.#fileBytes += segment.bytes;
    return segment;
  }

  remove(segment: SpoolSegment): void {
    segment.state = 'gone';
    this.#fileBytes -= segment.bytes;
    this.enqueue(() => removeSegment(segment));
  }

  failed(operation: 'append' | 'read' | 'rewrite', error: unknown): void {
    const nowMs = performance.now();
    if (operation === 'append') this.#failedAtMs = nowMs;
    if (nowMs - this.#loggedAtMs < LOG_EVERY_MS) return;
    this.#loggedAtMs = nowMs;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    this.#logger.error('the spool cannot use its disk', { operation, code });
  }

  mayWrite(nowMs: number): boolean {
    return nowMs - this.#failedAtMs >= RETRY_AFTER_MS;
  }

  lost(units: number): void {
    this.#logger.error('spooled units cannot be read back', { units });
  }
}
