import { setTimeout as sleep } from 'node:timers/promises';
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { KinesisClient } from '@aws-sdk/client-kinesis';
import { ObjectStore, type S3Sender } from '../../sdk/consumer/archive/object-store.ts';
import {
  type Batch,
  type ConsumerGroup,
  consumerGroup,
  type Frame,
  type KinesisRecord,
  type ReceivedEvent,
} from '../../sdk/consumer/index.ts';
import type { Trimmed } from '../../sdk/consumer/reading/read-error.ts';
import type { ServiceError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Metrics } from '../../shared/metrics.ts';
import type { ArchiverConfig } from './config.ts';
import { DeadLetters, persistently } from './dead-letters.ts';
import { Flusher } from './flusher.ts';
import { Gatherer } from './gatherer.ts';
import { Keeper } from './keeper.ts';
import { EVENTS, EVENTS_FORMAT, MEDIA, MEDIA_FORMAT } from './kinds.ts';
import { SessionEnds } from './session-ends.ts';
import { ArchiveRows, type OpenRow, type StreamKind } from './session-rows.ts';

export interface ArchiverClients {
  readonly kinesis: KinesisClient;
  readonly s3: S3Sender;
  readonly eventBridge: EventBridgeClient;
}

/** One worker of the archive. */
export interface Archiver {
  /** @throws what ends a worker, see `ConsumerGroup` */
  readonly done: Promise<void>;
  stop(): Promise<void>;
}

const TICK_MS = 1_000;
/**
 * Media is asked for this seldom where a shard has nothing newer: a call costs more CPU than the frames that it brings, and what is
 * written a minute later need not be read within half a second. A shard brings 2 MB meanwhile at most, and leaves its calls to others.
 */
const MEDIA_POLL_MS = 2_000;
/** How often rows are looked at and progress is saved, as a part of the age at which a slice is written. */
const LOOKS_PER_AGE = 9;

/**
 * Starts one worker of the archive: it reads both Kinesis streams as a member of two consumer groups, gathers frames and events
 * into one object for each source and minute, writes them to S3, and finalises the sessions that are over.
 *
 * The checkpoint of a shard moves behind a record only when the object that holds it is in S3. So whatever happens to a worker,
 * its successor reads the same records again, and what it adds to the objects is there already.
 */
export async function startArchiver(
  config: ArchiverConfig,
  clients: ArchiverClients,
  workerId: string,
  logger: Logger,
  metrics: Metrics,
): Promise<Archiver> {
  const store = await ObjectStore.open(clients.s3, config.bucket);
  const rows = await ArchiveRows.open(config.tables.sessions);
  const worker = new Worker(config, clients, workerId, logger, metrics, store, rows);
  return worker.start();
}

class Worker {
  readonly #config: ArchiverConfig;
  readonly #clients: ArchiverClients;
  readonly #workerId: string;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #rows: ArchiveRows;
  readonly #stopping = new AbortController();
  readonly #media: Gatherer<Frame>;
  readonly #events: Gatherer<ReceivedEvent>;
  readonly #flusher: Flusher;
  readonly #keeper: Keeper;
  readonly #deadLetters: DeadLetters;
  readonly #ends: SessionEnds;
  readonly #groups: Record<StreamKind, ConsumerGroup>;

  constructor(
    config: ArchiverConfig,
    clients: ArchiverClients,
    workerId: string,
    logger: Logger,
    metrics: Metrics,
    store: ObjectStore,
    rows: ArchiveRows,
  ) {
    this.#config = config;
    this.#clients = clients;
    this.#workerId = workerId;
    this.#logger = logger;
    this.#metrics = metrics;
    this.#rows = rows;
    const shared = { config, store, rows, logger, metrics };
    this.#keeper = new Keeper({
      ...shared,
      kinesis: clients.kinesis,
      eventBridge: clients.eventBridge,
      onOver: (row) => this.#closeOver(row),
    });
    const { isRevoked, sweep } = this.#keeper;
    this.#flusher = new Flusher({ ...shared, prefix: config.prefix, isRevoked, sweep });
    this.#media = new Gatherer(MEDIA, config.maxAgeMs, (slice) =>
      this.#flusher.write(slice, MEDIA_FORMAT),
    );
    this.#ends = new SessionEnds(store, config.prefix, rows);
    this.#events = new Gatherer(EVENTS, config.maxAgeMs, (slice) =>
      this.#flusher.write(slice, EVENTS_FORMAT, this.#ends.afterWrite(slice)),
    );
    const { signal } = this.#stopping;
    this.#deadLetters = new DeadLetters({ ...shared, signal });
    this.#groups = { media: this.#mediaGroup(), events: this.#eventsGroup() };
  }

  start(): Archiver {
    const groups = Object.values(this.#groups);
    const loops = [this.#tick(), this.#look(), this.#report()];
    const done = Promise.all(groups.map((group) => group.done)).then(() => undefined);
    const finish = async () => {
      this.#stopping.abort();
      await Promise.allSettled(groups.map((group) => group.stop()));
      await Promise.all(loops);
      await this.#keeper.idle();
      this.#rows.close();
    };
    const finished = async () => {
      try {
        await done;
      } finally {
        await finish();
      }
    };
    return {
      done: finished(),
      async stop() {
        await finish();
        await done;
      },
    };
  }

  #mediaGroup(): ConsumerGroup {
    const { mediaStream, tables } = this.#config;
    return consumerGroup({
      ...this.#group(mediaStream, tables.media),
      pollMs: MEDIA_POLL_MS,
      onFlush: (shardId) => this.#media.closeShard(shardId),
      onFrames: async (frames, batch) => {
        this.#media.take(frames, batch);
        await this.#room(batch);
      },
    });
  }

  #eventsGroup(): ConsumerGroup {
    const { eventsStream, tables } = this.#config;
    return consumerGroup({
      ...this.#group(eventsStream, tables.events),
      onFlush: (shardId) => this.#events.closeShard(shardId),
      onEvents: async (events, batch) => {
        const over: string[] = [];
        for (const event of events) {
          const { name, rtmsStreamId, id } = event;
          // Known durably before the batch goes, so that no worker writes anything of the session any more.
          if (name === 'session_revoked') await this.#revoke(rtmsStreamId, id, batch);
          if (this.#ends.note(event)) over.push(rtmsStreamId);
        }
        this.#events.take(events, batch);
        // The last of its media may be on its way still, and would be an object that has to be joined: the next looks close that.
        for (const rtmsStreamId of over) this.#events.closeSession(rtmsStreamId);
        await this.#room(batch);
      },
    });
  }

  #group(streamName: string, table: string) {
    return {
      client: this.#clients.kinesis,
      streamName,
      table,
      workerId: this.#workerId,
      onBadRecord: (error: ServiceError, record: KinesisRecord) =>
        this.#deadLetters.keep(streamName, error, record),
      onRetry: (error: ServiceError) =>
        this.#logger.warn('a call is tried again', { event: 'archive_retry', error }),
      onTrimmed: async (trimmed: Trimmed) => {
        this.#metrics.count('ArchiveTrimmed');
        this.#logger.error('records expired before they were archived', {
          event: 'archive_trimmed',
          streamName,
          shardId: trimmed.shardId,
        });
        await this.#deadLetters.keepTrimmed(streamName, trimmed);
      },
      onRecreated: () =>
        this.#logger.error('the stream was made again', { event: 'archive_recreated', streamName }),
    };
  }

  /** Waits while too much is gathered. Where S3 takes what is written, what is gathered makes room at once. */
  async #room(batch: Pick<Batch<never>, 'signal'>): Promise<void> {
    const { bufferBytes } = this.#config;
    while (this.#heldBytes > bufferBytes && !batch.signal.aborted) {
      if (this.#flusher.heldBytes < bufferBytes / 2) {
        this.#media.closeAll();
        this.#events.closeAll();
      }
      await Promise.race([this.#flusher.freed, sleep(TICK_MS)]);
    }
  }

  get #heldBytes(): number {
    return this.#media.openBytes + this.#events.openBytes + this.#flusher.heldBytes;
  }

  #closeOver({ rtmsStreamId, endedAtMs, revokedAtMs }: OpenRow): void {
    this.#events.closeSession(rtmsStreamId);
    const isRead = endedAtMs === undefined || Date.now() - endedAtMs >= 2 * MEDIA_POLL_MS;
    if (isRead || revokedAtMs !== undefined) this.#media.closeSession(rtmsStreamId);
  }

  async #revoke(rtmsStreamId: string, eventId: string, batch: Pick<Batch<never>, 'signal'>) {
    const write = () => this.#rows.revoked(rtmsStreamId, eventId);
    await persistently(write, this.#logger, batch.signal);
    this.#logger.info('the consent was taken back', { event: 'archive_revoked', rtmsStreamId });
  }

  async #tick(): Promise<void> {
    await this.#every(TICK_MS, () => {
      this.#media.tick();
      this.#events.tick();
    });
  }

  async #look(): Promise<void> {
    const { signal } = this.#stopping;
    await this.#every(this.#config.maxAgeMs / LOOKS_PER_AGE, async () => {
      await this.#rows.saveProgress(this.#progress());
      await this.#keeper.look(signal);
    });
  }

  async #report(): Promise<void> {
    await this.#every(REPORT_MS, () => {
      const lags = this.#progress().map(([, , throughMs]) => Date.now() - throughMs);
      const lagMs = lags.reduce((most, ms) => Math.max(most, ms), 0);
      this.#metrics.observe('ArchiveLag', lagMs);
      this.#metrics.observe('ArchiveBufferBytes', this.#heldBytes);
      const { failingMs } = this.#flusher;
      if (failingMs === 0) return;
      this.#logger.warn('the archive waits for S3', {
        event: 'archive_waits',
        failingMs: Math.round(failingMs),
        lagMs,
        waitingBytes: this.#heldBytes,
      });
    });
  }

  /** Up to when what arrived in the shards of this worker is in S3, Unix ms. */
  #progress(): (readonly [StreamKind, string, number])[] {
    return (['media', 'events'] as const).flatMap((kind) => {
      const gatherer = kind === 'media' ? this.#media : this.#events;
      return this.#groups[kind].status().shards.flatMap((shard) => {
        const { shardId, seenAtMs, millisBehindLatest = 0 } = shard;
        // Kinesis has not answered for it yet: nothing is known.
        if (seenAtMs === undefined) return [];
        const throughMs = gatherer.durableThroughMs(shardId) ?? seenAtMs - millisBehindLatest;
        return [[kind, shardId, throughMs] as const];
      });
    });
  }

  async #every(pauseMs: number, work: () => Promise<void> | void): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await work();
      } catch (error) {
        if (!signal.aborted)
          this.#logger.warn('a round of the archive failed', { event: 'archive_retry', error });
      }
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

const REPORT_MS = 10_000;
