import { join } from 'node:path';
import type { KinesisClient } from '@aws-sdk/client-kinesis';
import type { Logger } from '../../shared/logger.ts';
import type { MemoryPool } from '../../shared/memory-pool.ts';
import type { CounterMetrics } from '../../shared/metrics.ts';
import { markRecoveredFrame, markRecoveredLine } from '../../shared/record/media-record.ts';
import { Producer } from './producer.ts';
import type { ProducerOptions } from './producer-options.ts';
import type { PutRecordsClient } from './put-client.ts';
import type { SpoolOptions } from './spool/spool.ts';
import { SpoolOpening } from './spool/spool-opening.ts';
import { checkStream } from './stream-check.ts';
import { WrittenMark } from './written-mark.ts';

/** Events are few, small and dropped last, so a tenth of the disk is enough for them. */
const EVENTS_SPOOL_SHARE = 0.1;

/** The producers of the two streams, as the wiring of a task uses them. */
export interface Producers {
  readonly media: Producer;
  readonly events: Producer;
  /** Record limits of the two streams, partition key included. */
  readonly maxRecordBytes: number;
  readonly maxLineBytes: number;
  /** How long the oldest record of both has waited for Kinesis, in memory or on the disk, ms. */
  readonly oldestAgeMs: number;
  /** Until when everything that was put is written, or told as lost. */
  readonly mark: WrittenMark;
  /** To be called once a metrics period. */
  observeLevels(): void;
  /** Sends what is held. @param signal aborted: reports what is left as lost */
  drain(signal: AbortSignal): Promise<void>;
}

export interface ProducersOptions {
  readonly config: {
    readonly mediaStream: string;
    readonly eventsStream: string;
    readonly spoolDir: string;
    readonly spoolMaxBytes: number;
  };
  readonly aws: {
    readonly media: KinesisClient;
    readonly events: KinesisClient;
    readonly mediaPuts: PutRecordsClient;
    readonly eventPuts: PutRecordsClient;
  };
  /** Makes a call that may fail for a moment when a whole fleet starts. */
  readonly attempt: <T>(what: string, call: () => Promise<T>) => Promise<T>;
  /** Where the memory of packed records comes from. */
  readonly memory: MemoryPool;
  readonly logger: Logger;
  readonly metrics: CounterMetrics;
}

/**
 * Opens the producers of the two streams, each with its part of the disk.
 *
 * @throws ServiceError when a stream is not there or may not be written
 */
export async function openProducers(options: ProducersOptions): Promise<Producers> {
  const { config, aws, attempt, memory, logger, metrics } = options;
  const { mediaStream, eventsStream, spoolMaxBytes } = config;
  const [{ maxRecordBytes }, { maxRecordBytes: maxLineBytes }] = await Promise.all([
    attempt('media stream', () => checkStream(aws.media, mediaStream)),
    attempt('events stream', () => checkStream(aws.events, eventsStream)),
  ]);
  const openings: SpoolOpening[] = [];
  const open = async (
    producer: Pick<ProducerOptions, 'client' | 'streamName' | 'aggregate'>,
    spool: Pick<SpoolOptions, 'directory' | 'maxBytes' | 'markRecovered'>,
  ) => {
    const opening = new SpoolOpening({ ...spool, logger, metrics });
    openings.push(opening);
    const opened = await opening.open();
    const shared = { logger, metrics, pool: memory, ...(opened && { spool: opened }) };
    const started = new Producer({ ...producer, ...shared });
    if (!opened) opening.keepTrying((late) => started.useSpool(late));
    return started;
  };
  const spoolOf = (name: string, share: number) => ({
    directory: join(config.spoolDir, name),
    maxBytes: Math.floor(spoolMaxBytes * share),
  });
  const media = await open(
    { client: aws.mediaPuts, streamName: mediaStream, aggregate: true },
    { ...spoolOf('media', 1 - EVENTS_SPOOL_SHARE), markRecovered: markRecoveredFrame },
  );
  const events = await open(
    { client: aws.eventPuts, streamName: eventsStream, aggregate: false },
    { ...spoolOf('events', EVENTS_SPOOL_SHARE), markRecovered: markRecoveredLine },
  );
  const oldestAgeMs = () => {
    const ages = [media.stats(), events.stats()];
    return Math.max(...ages.flatMap(({ oldestAgeMs, spoolAgeMs }) => [oldestAgeMs, spoolAgeMs]));
  };
  const mark = new WrittenMark({
    async done() {
      await Promise.all([media.done(), events.done()]);
    },
    dropped() {
      const counts = [media.stats(), events.stats()].flatMap((each) => Object.values(each.dropped));
      return counts.reduce((sum, count) => sum + count, 0);
    },
    oldestAgeMs,
  });
  return {
    media,
    events,
    maxRecordBytes,
    maxLineBytes,
    mark,
    get oldestAgeMs() {
      return oldestAgeMs();
    },
    observeLevels() {
      media.observeLevels();
      events.observeLevels();
    },
    async drain(signal) {
      for (const opening of openings) opening.stop();
      await Promise.all([media.close(signal), events.close(signal)]);
    },
  };
}
