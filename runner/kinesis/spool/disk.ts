import type { Logger } from '../../../shared/logger.ts';
import { SpoolSegment } from './segment.ts';
import { headerBytes, mayPass, removeFile, segmentPath } from './segment-files.ts';

/** After a failed write nothing is written for that long, and after a failed read nothing is read. */
const RETRY_AFTER_MS = 1_000;
/**
 * A disk may fail to read for that long before its own files count as lost: their keys wait for them, and all that comes for
 * these keys meanwhile waits in memory, since a disk that does not read does not write either.
 */
const READ_FOR_MS = 15_000;
/** Files of an earlier process hold up nobody after that. They are tried again this often, for this long in all. */
const READ_LATER_MS = 30_000;
const READ_OLD_FOR_MS = 300_000;
/** A file that could not be removed is tried again after that. */
const REMOVE_AGAIN_MS = 10_000;
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
  #writeFailedAtMs = Number.NEGATIVE_INFINITY;
  #readFailedAtMs = Number.NEGATIVE_INFINITY;
  /** When the first of the reads failed after which none has succeeded; undefined while the disk reads. */
  #unreadSinceMs: number | undefined;
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
    this.enqueue(() => this.#removeFile(segment.path));
  }

  /** The segment is no longer ours to write, and its file stays for the next process. */
  leave(segment: SpoolSegment): void {
    segment.state = 'gone';
    this.#fileBytes -= segment.bytes;
  }

  failed(operation: 'append' | 'read' | 'rewrite', error: unknown): void {
    const nowMs = performance.now();
    if (operation === 'append') this.#writeFailedAtMs = nowMs;
    if (operation === 'read') {
      this.#readFailedAtMs = nowMs;
      this.#unreadSinceMs ??= nowMs;
    }
    if (nowMs - this.#loggedAtMs < LOG_EVERY_MS) return;
    this.#loggedAtMs = nowMs;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    this.#logger.error('the spool cannot use its disk', { operation, code });
  }

  mayWrite(nowMs: number): boolean {
    return nowMs - this.#writeFailedAtMs >= RETRY_AFTER_MS;
  }

  /** A read has succeeded. */
  hasRead(): void {
    this.#unreadSinceMs = undefined;
  }

  mayRead(): boolean {
    return this.#unreadSinceMs === undefined || this.#sinceFailedReadMs >= RETRY_AFTER_MS;
  }

  /** Whether files of an earlier process are passed over: the disk has failed to read for long, and was tried just now. */
  get passesOver(): boolean {
    return this.#unreadMs >= READ_FOR_MS && this.#sinceFailedReadMs < READ_LATER_MS;
  }

  /** Whether to read a segment once more, after a read of it has failed. */
  readsAgain({ isRecovered }: SpoolSegment, error: unknown): boolean {
    return mayPass(error) && this.#unreadMs < (isRecovered ? READ_OLD_FOR_MS : READ_FOR_MS);
  }

  /** Again until the file is gone: the next process would find it, and write what was written, or told to be lost. */
  async #removeFile(path: string): Promise<void> {
    if (await removeFile(path)) return;
    setTimeout(() => this.enqueue(() => this.#removeFile(path)), REMOVE_AGAIN_MS).unref();
  }

  get #unreadMs(): number {
    return this.#unreadSinceMs === undefined ? 0 : performance.now() - this.#unreadSinceMs;
  }

  get #sinceFailedReadMs(): number {
    return performance.now() - this.#readFailedAtMs;
  }

  lost(units: number): void {
    this.#logger.error('spooled units cannot be read back', { units });
  }
}
