import { type BackoffPolicy, backoffMs } from '../../../shared/backoff.ts';
import { ServiceError } from '../../../shared/errors.ts';
import { SILENT_LOGGER } from '../../../shared/logger.ts';
import { type Metrics, NO_METRICS } from '../../../shared/metrics.ts';
import { openSpool, type Spool, type SpoolOptions } from './spool.ts';

/** From half a second up to a minute: a disk that fails for a moment is used soon, and a broken one costs next to nothing. */
const RETRY: BackoffPolicy = { baseMs: 1_000, maxMs: 60_000 };
/**
 * A file that no try has read for that long, in a directory that can be listed, counts as damaged. One bad sector would keep a
 * task without a spool for ever otherwise.
 */
const WAIT_FOR_FILES_MS = 300_000;

export interface SpoolOpeningOptions extends SpoolOptions {
  readonly metrics?: Metrics;
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: () => number;
}

/**
 * Opens the spool of one producer. A task whose disk fails starts without one, since a task that does not start serves
 * nobody, and the disk is tried again until it can be used: what an earlier process left there would stay unwritten
 * otherwise, and what memory cannot hold would be dropped, for as long as the task lives.
 *
 * ```
 * open ──ok──> the producer starts with it
 *   └─fails──> the producer starts without; spool_unavailable, once
 *                 └─ keepTrying: backoff, open ──ok──> opened(spool); spool_opened
 * ```
 */
export class SpoolOpening {
  readonly #options: SpoolOpeningOptions;
  readonly #stopping = new AbortController();
  #failures = 0;
  /** Files that were in the directory and not read, by name: since when, in every try. */
  #unreadSinceMs = new Map<string, number>();
  #failedSinceMs = 0;

  constructor(options: SpoolOpeningOptions) {
    this.#options = options;
  }

  /** The first try. @returns undefined when the disk cannot be used now, which is logged and counted */
  async open(): Promise<Spool | undefined> {
    const { logger = SILENT_LOGGER, metrics = NO_METRICS } = this.#options;
    const { spool, error } = await this.#try();
    if (spool) return spool;
    this.#failedSinceMs = performance.now();
    metrics.count('SpoolUnavailable');
    logger.error('the spool cannot be opened: what waits is held in memory alone', {
      event: 'spool_unavailable',
      error,
    });
    return undefined;
  }

  /** Tries again and again, after `open` has failed. @param opened told once, unless `stop` comes first */
  keepTrying(opened: (spool: Spool) => void): void {
    void this.#keepTrying(opened);
  }

  /** Ends the tries. What lies on the disk stays for the next process. */
  stop(): void {
    this.#stopping.abort();
  }

  async #keepTrying(opened: (spool: Spool) => void): Promise<void> {
    const { logger = SILENT_LOGGER, random = Math.random } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await pause(backoffMs(this.#failures, RETRY, random()), signal);
      if (signal.aborted) return;
      const { spool } = await this.#try();
      if (!spool || signal.aborted) continue;
      const afterMs = Math.round(performance.now() - this.#failedSinceMs);
      const fields = { event: 'spool_opened', afterMs, failures: this.#failures };
      logger.warn('the spool is open: its disk can be used again', fields);
      opened(spool);
      return;
    }
  }

  async #try(): Promise<{ spool?: Spool; error?: unknown }> {
    const nowMs = performance.now();
    const isUnread = (sinceMs: number) => nowMs - sinceMs >= WAIT_FOR_FILES_MS;
    const waited = [...this.#unreadSinceMs.values()];
    const needsAllFiles = waited.length === 0 || !waited.every(isUnread);
    try {
      return { spool: await openSpool(this.#options, needsAllFiles) };
    } catch (error) {
      this.#failures += 1;
      const names = error instanceof ServiceError ? error.detail['unreadFiles'] : undefined;
      if (Array.isArray(names)) {
        const since = this.#unreadSinceMs;
        this.#unreadSinceMs = new Map(names.map((name) => [name, since.get(name) ?? nowMs]));
      }
      return { error };
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const wake = () => resolve();
  const timer = setTimeout(wake, ms);
  signal.addEventListener('abort', wake, { once: true });
  await promise;
  clearTimeout(timer);
  signal.removeEventListener('abort', wake);
}
