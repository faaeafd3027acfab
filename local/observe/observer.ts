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
import type { LocalAws } from '../aws/local-aws.ts';
import { CatchUp } from './catch-up.ts';
import { MeetingFiles, type WrittenFiles } from './meeting-files.ts';
import { StreamStats } from './stream-stats.ts';

/** Half of the five calls a second that all readers of a shard share, so that others can read too. */
const POLL_MS = 400;

/** What an observer emits: every event that it reads, and every record that it cannot read. */
export interface ObserverEvents {
  event: [event: ReceivedEvent];
  badRecord: [error: ServiceError];
}

/** The part of the local AWS that an observer needs. */
export interface ObservedAws extends Pick<LocalAws, 'region' | 'credentials'> {
  readonly streams: { readonly media: string; readonly events: string };
  readonly endpoints: Pick<LocalAws['endpoints'], 'kinesis'>;
}

/** Reads both streams as any consumer would: counts what it reads, checks the ledger, and writes the files of meetings. */
export class Observer extends EventEmitter<ObserverEvents> {
  readonly stats = new StreamStats();
  readonly #client: KinesisClient;
  readonly #checker = new LedgerChecker();
  /** Files of meetings that go on, by rtms_stream_id. */
  readonly #open = new Map<string, MeetingFiles>();
  /** How many sets of files a stream has had: Zoom may start a stream again. */
  readonly #begun = new Map<string, number>();
  /** Files of meetings that are over. */
  readonly #complete: { readonly rtmsStreamId: string; readonly files: MeetingFiles }[] = [];
  /** Streams of which nothing may be kept. */
  readonly #revoked = new Set<string>();
  readonly #media = new CatchUp();
  readonly #stop = new AbortController();
  readonly #directoryOf: (rtmsStreamId: string) => string;
  readonly #reading: Promise<unknown>;

  /** @param directoryOf where the files of a meeting go */
  constructor(aws: ObservedAws, directoryOf: (rtmsStreamId: string) => string) {
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
      this.#readFrames({
        ...reader(aws.streams.media),
        onProgress: (at) => this.#media.progress(at),
      }),
      this.#readEvents(reader(aws.streams.events)),
    ]);
    // An error is reported by `close`, which may not have been called yet.
    this.#reading.catch(() => undefined);
  }

  /** The ledger that the two streams prove so far. */
  ledger(): LedgerReport {
    return this.#checker.report();
  }

  /** Stops reading, and completes the files that are still open. @returns what was written, one entry per meeting */
  async close(): Promise<WrittenFiles[]> {
    this.#stop.abort();
    await this.#reading;
    this.#client.destroy();
    this.#media.flush();
    for (const rtmsStreamId of [...this.#open.keys()]) this.#end(rtmsStreamId);
    return Promise.all(this.#complete.map(({ files }) => files.close()));
  }

  async #readFrames(reader: StreamReader): Promise<void> {
    for await (const frame of frames(reader)) {
      this.#checker.frame(frame);
      this.stats.frame(frame, Date.now());
      if (!this.#revoked.has(frame.rtmsStreamId)) await this.#filesOf(frame).frame(frame);
    }
  }

  async #readEvents(reader: StreamReader): Promise<void> {
    for await (const event of events(reader)) {
      this.#checker.event(event);
      if (event.name === 'transcript' || event.name === 'chat') {
        const { text } = event.data;
        this.stats.line(event.name, text, event.data.timestampMs, Date.now());
      }
      const { rtmsStreamId } = event;
      if (!this.#revoked.has(rtmsStreamId)) await this.#filesOf(event).event(event);
      // Zoom may take the consent back after the end: files that were complete by then are removed too.
      if (event.name === 'session_revoked') {
        this.#revoked.add(rtmsStreamId);
        const own = this.#complete.filter((each) => each.rtmsStreamId === rtmsStreamId);
        for (const { files } of own) files.revoke();
      }
      // A stream that Zoom may start again goes on in the same files.
      const isOver = event.name === 'session_ended' && !event.data.restartable;
      if (isOver || event.name === 'session_missed') {
        this.#media.whenCaughtUp(() => this.#end(rtmsStreamId));
      }
      this.emit('event', event);
    }
  }

  #filesOf({ rtmsStreamId }: Frame | ReceivedEvent): MeetingFiles {
    const known = this.#open.get(rtmsStreamId);
    if (known) return known;
    const count = (this.#begun.get(rtmsStreamId) ?? 0) + 1;
    this.#begun.set(rtmsStreamId, count);
    const directory = this.#directoryOf(rtmsStreamId);
    const files = new MeetingFiles(count === 1 ? directory : `${directory}-${count}`, rtmsStreamId);
    this.#open.set(rtmsStreamId, files);
    return files;
  }

  #end(rtmsStreamId: string): void {
    const files = this.#open.get(rtmsStreamId);
    if (files === undefined) return;
    this.#open.delete(rtmsStreamId);
    this.#complete.push({ rtmsStreamId, files });
    void files.close();
  }
}
