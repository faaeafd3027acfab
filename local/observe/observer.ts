import { EventEmitter } from 'node:events';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import {
  events,
  type Frame,
  frames,
  LedgerChecker,
  type LedgerReport,
  type ReceivedEvent,
  type StreamReader,
} from '../../sdk/consumer/index.ts';
import type { ServiceError } from '../../shared/errors.ts';
import type { LocalAws } from '../aws.ts';
import { MeetingFiles, type WrittenFiles } from './meeting-files.ts';
import { StreamStats } from './stream-stats.ts';

/** All readers of a shard share five calls a second: whoever else wants to read has room. */
const POLL_MS = 400;

export interface ObserverEvents {
  event: [event: ReceivedEvent];
  badRecord: [error: ServiceError];
}

/** Reads both streams as any consumer would: counts, checks the ledger, and leaves the meetings' files. */
export class Observer extends EventEmitter<ObserverEvents> {
  readonly stats = new StreamStats();
  readonly #client: KinesisClient;
  readonly #checker = new LedgerChecker();
  readonly #files = new Map<string, MeetingFiles>();
  readonly #stop = new AbortController();
  readonly #directoryOf: (rtmsStreamId: string) => string;
  readonly #reading: Promise<unknown>;

  /** @param directoryOf where the files of a meeting go */
  constructor(aws: LocalAws, directoryOf: (rtmsStreamId: string) => string) {
    super();
    this.#directoryOf = directoryOf;
    this.#client = new KinesisClient({
      region: aws.region,
      credentials: aws.credentials,
      endpoint: aws.endpoints.kinesis,
      requestHandler: new NodeHttpHandler(),
    });
    const reader = (streamName: string) => ({
      client: this.#client,
      streamName,
      pollMs: POLL_MS,
      signal: this.#stop.signal,
      repeats: 'keep' as const,
      onBadRecord: (error: ServiceError) => void this.emit('badRecord', error),
    });
    this.#reading = Promise.all([
      this.#readFrames(reader(aws.streams.media)),
      this.#readEvents(reader(aws.streams.events)),
    ]);
    // Whoever closes us hears of it.
    this.#reading.catch(() => undefined);
  }

  /** What the two streams prove so far. */
  ledger(): LedgerReport {
    return this.#checker.report();
  }

  /** Stops reading and completes the files. @returns what was written, by rtms_stream_id */
  async close(): Promise<Map<string, WrittenFiles>> {
    this.#stop.abort();
    await this.#reading;
    this.#client.destroy();
    const written = new Map<string, WrittenFiles>();
    for (const [rtmsStreamId, files] of this.#files) written.set(rtmsStreamId, await files.close());
    return written;
  }

  async #readFrames(reader: StreamReader): Promise<void> {
    for await (const frame of frames(reader)) {
      this.#checker.frame(frame);
      this.stats.frame(frame, Date.now());
      await this.#filesOf(frame).frame(frame);
    }
  }

  async #readEvents(reader: StreamReader): Promise<void> {
    for await (const event of events(reader)) {
      this.#checker.event(event);
      if (event.name === 'transcript' || event.name === 'chat') {
        const { text } = event.data;
        this.stats.line(event.name, text, event.data.timestampMs, Date.now());
      }
      await this.#filesOf(event).event(event);
      this.emit('event', event);
    }
  }

  #filesOf({ rtmsStreamId }: Frame | ReceivedEvent): MeetingFiles {
    let files = this.#files.get(rtmsStreamId);
    if (files === undefined) {
      files = new MeetingFiles(this.#directoryOf(rtmsStreamId), rtmsStreamId);
      this.#files.set(rtmsStreamId, files);
    }
    return files;
  }
}
