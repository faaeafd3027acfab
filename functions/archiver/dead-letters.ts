import { setTimeout as sleep } from 'node:timers/promises';
import { damagedKey } from '../../sdk/consumer/archive/layout.ts';
import type { ObjectStore } from '../../sdk/consumer/archive/object-store.ts';
import { writeTrimmed } from '../../sdk/consumer/archive/trimmed.ts';
import type { KinesisRecord } from '../../sdk/consumer/index.ts';
import type { Trimmed } from '../../sdk/consumer/reading/read-error.ts';
import { ServiceError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Metrics } from '../../shared/metrics.ts';
import type { ArchiverConfig } from './config.ts';
import type { ArchiveRows } from './session-rows.ts';

const PAUSE_MS = 1_000;

export interface DeadLettersOptions {
  readonly store: ObjectStore;
  readonly config: Pick<ArchiverConfig, 'mediaStream' | 'prefix'>;
  readonly rows: Pick<ArchiveRows, 'progress'>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
}

/**
 * Keeps what cannot be archived. Of records that nobody can read the bytes, as Kinesis has them, under their sequence number, so that a repetition is the same object.
 * Which session they are of cannot be known, so a revocation does not delete them; the lifecycle of the bucket does.
 */
export class DeadLetters {
  readonly #options: DeadLettersOptions;

  constructor(options: DeadLettersOptions) {
    this.#options = options;
  }

  /** Resolves when the record is in S3: only then may the checkpoint pass it. */
  async keep(streamName: string, error: ServiceError, record: KinesisRecord): Promise<void> {
    const { store, config, logger, metrics, signal } = this.#options;
    const { sequenceNumber, data } = record;
    metrics.count('ArchiveDamaged');
    logger.error('a record cannot be read', { event: 'archive_damaged', streamName, error });
    const at = `${sequenceNumber}-${error.detail['subSequenceNumber'] ?? 0}`;
    const key = damagedKey(config.prefix, streamName, at);
    const contentType = 'application/octet-stream';
    const metadata = { code: error.code };
    const put = () => store.put(key, Buffer.from(data), { contentType, metadata, ifIs: 'none' });
    await persistently(put, logger, signal);
  }

  /**
   * Says what expired in Kinesis before it was archived. Resolves when that is in S3: only then is anything behind it read, so that no
   * session of that time is called complete.
   */
  async keepTrimmed(streamName: string, { shardId, position, resumesAt }: Trimmed): Promise<void> {
    const { store, config, rows, logger, signal } = this.#options;
    const { mediaStream, prefix } = config;
    const stream = streamName === mediaStream ? 'media' : 'events';
    const toMs = resumesAt?.getTime() ?? Date.now();
    const write = async () => {
      const fromMs = (await rows.progress()).get(`${stream}#${shardId}`) ?? 0;
      const trimmed = { stream, shardId, fromMs: Math.min(fromMs, toMs), toMs } as const;
      await writeTrimmed(store, prefix, streamName, position, trimmed);
    };
    await persistently(write, logger, signal);
  }
}

/** Tries until it succeeds: what is not written yet holds the checkpoint, so nothing is lost by waiting. */
export async function persistently(
  write: () => Promise<unknown>,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    try {
      await write();
      return;
    } catch (error) {
      if (!(error instanceof ServiceError) || signal.aborted) throw error;
      logger.error('a write of the archive failed and is repeated', {
        event: 'archive_write_failed',
        error,
      });
      await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
