import type { MediaFrame } from '../../../rtms/events.ts';
import type { AgreedMedia } from '../../../rtms/protocol/agreed-media.ts';
import { FRAME_MEDIA_TYPES, type PartialMediaSource } from '../../../rtms/protocol/media-type.ts';
import type { ReadRest } from '../../../rtms/wire/wire.ts';
import { ServiceError } from '../../../shared/errors.ts';
import type { CounterMetrics } from '../../../shared/metrics.ts';
import type { EventOrigin } from '../../../shared/record/event.ts';
import type { EventData, EventName, LedgerRow } from '../../../shared/record/event-data.ts';
import { streamKey } from '../../../shared/record/partition-key.ts';
import type { DropCause, Sink, Unit } from '../../kinesis/unit.ts';
import { type AwaitedEvent, EventLines } from './event-lines.ts';
import { GapEvents } from './gap-events.ts';
import { SessionLedger } from './ledger.ts';
import { SourceTable } from './source-table.ts';
import type { FrameUnits } from './source-writer.ts';

export interface SessionWriterOptions {
  readonly origin: EventOrigin;
  readonly media: Sink;
  readonly events: Sink;
  /** Record limit of the media stream, partition key included. */
  readonly maxRecordBytes: number;
  /** Record limit of the events stream, partition key included. */
  readonly maxLineBytes: number;
  readonly metrics: CounterMetrics;
  /** How long the frames that come now have waited in their socket. */
  readonly rest: Pick<ReadRest, 'heldMs'>;
  readonly units: FrameUnits;
  /** May this epoch still write? Asked for every frame and line; a refused one leaves no trace. */
  readonly mayWrite: () => boolean;
}

/** A gap event that is lost itself is written again, but not for ever while a session ends. */
const MAX_FINAL_ROUNDS = 3;

/**
 * Numbers, encodes and accounts for everything one epoch of one rtmsStream writes: frames into the `media`
 * stream, lines into the `events` stream, and a `gap` for whatever does not arrive there.
 */
export class SessionWriter {
  readonly ledger = new SessionLedger();
  readonly #options: SessionWriterOptions;
  readonly #sources: SourceTable;
  /** Partition key of everything but pictures; names this session to the producer. */
  readonly #key: string;
  readonly #lines: EventLines;
  readonly #gaps: GapEvents;
  #closed = false;

  constructor(options: SessionWriterOptions) {
    const { origin, events, maxLineBytes, maxRecordBytes, metrics, rest, units } = options;
    const { ledger } = this;
    const mayWrite = () => this.#mayWrite();
    this.#options = options;
    this.#key = streamKey(origin.rtmsStreamId);
    this.#gaps = new GapEvents({
      ledger,
      metrics,
      mayWrite,
      isOpen: () => !this.#closed,
      write: (timeMs, data, gap) => this.#lines.write('gap', timeMs, data, gap),
    });
    this.#lines = new EventLines({
      origin,
      partitionKey: this.#key,
      sink: events,
      maxLineBytes,
      ledger,
      gaps: this.#gaps,
      metrics,
      mayWrite,
    });
    this.#sources = new SourceTable({
      origin,
      maxRecordBytes,
      metrics,
      rest,
      units,
      ledger,
      onLost: (row, cause, unit) => this.#gaps.lose(row, cause, unit),
    });
  }

  /** Writes one frame. @param media agreed parameters of the connection it came over */
  frame(frame: MediaFrame, media: AgreedMedia): void {
    if (!this.#mayWrite()) return;
    const source = this.#sources.of(frame);
    const payloadBytes = frame.payload.length;
    if (source === undefined) {
      this.malformed({ mediaType: frame.mediaType, payloadBytes });
      return;
    }
    const { row } = source;
    this.ledger.received(row);
    source.framesIn.add(1);
    source.bytesIn.add(payloadBytes);
    const refusal = this.ledger.refusal(row);
    if (refusal !== undefined) {
      const { capturedAtMs } = frame;
      this.#gaps.lose(row, refusal, { sequence: row.received, capturedAtMs, payloadBytes });
      return;
    }
    let unit: Unit;
    try {
      unit = source.unitOf(frame, media);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      const { capturedAtMs } = frame;
      this.#gaps.lose(row, 'malformed', { sequence: row.received, capturedAtMs, payloadBytes });
      return;
    }
    try {
      this.#options.media.put(unit);
    } catch (error) {
      // A producer that refuses outright has lost the unit.
      if (!(error instanceof ServiceError)) throw error;
      this.#gaps.lose(row, 'write_failed', unit);
    }
  }

  /** Counts a frame or line that came in but could not be read. */
  malformed(
    lost: PartialMediaSource & Pick<LedgerRow, 'mediaType'> & { readonly payloadBytes?: number },
  ): void {
    if (!this.#mayWrite()) return;
    const { mediaType, payloadBytes = 0 } = lost;
    const isLine = !(FRAME_MEDIA_TYPES as readonly string[]).includes(mediaType);
    const row = this.ledger.source(mediaType, isLine ? {} : lost);
    this.ledger.received(row);
    const sequence = isLine ? this.#lines.nextSequence() : row.received;
    this.#gaps.lose(row, 'malformed', { sequence, payloadBytes, capturedAtMs: Date.now() });
  }

  /** Says that a camera's video did not come, though it was asked for; nothing is counted as received or lost. */
  notReceived(userId: number, fromMs: number, toMs: number): void {
    if (!this.#mayWrite()) return;
    const mediaType = 'video';
    const { received } = this.ledger.source(mediaType, { userId });
    this.#lines.write('gap', toMs, {
      mediaType,
      userId,
      fromSequence: received + 1,
      toSequence: received,
      count: 0,
      bytes: 0,
      fromMs,
      toMs,
      cause: 'not_received',
    });
  }

  /** Writes one event. @param timeMs when it happened at Zoom, else when it was seen, Unix ms */
  event<Name extends EventName>(name: Name, timeMs: number, data: EventData[Name]): void {
    if (this.#mayWrite()) this.#lines.write(name, timeMs, data);
  }

  /** Is something of the meeting known to be missing, as far as this epoch has told? */
  get inPart(): boolean {
    return this.#lines.inPart;
  }

  /** Resolves when `session_taken_over` is in Kinesis; never when it is lost, or there is none. */
  get tookOver(): Promise<void> {
    return this.#lines.tookOver;
  }

  get hasTakenOver(): boolean {
    return this.isRecorded('session_taken_over');
  }

  /** Has Kinesis acknowledged an event of this name? One that was written and lost is not recorded. */
  isRecorded(name: AwaitedEvent): boolean {
    return this.#lines.isRecorded(name);
  }

  /**
   * Waits until all is written or lost, and every loss stands in a gap event that Kinesis has.
   *
   * @throws the signal's reason when aborted first; Error when gap events were lost again and again
   */
  async flush(signal: AbortSignal): Promise<void> {
    for (let round = 1; round <= MAX_FINAL_ROUNDS; round++) {
      this.#gaps.writeAll();
      await this.#flushSinks(signal);
      // Frames that were lost while media was flushed had gap events written by then, perhaps after the lines were done.
      // A ledger that does not wait for these would count lines that are neither written nor lost.
      if (!this.ledger.hasGaps && this.ledger.outstanding === 0) return;
    }
    if (this.ledger.hasGaps) throw new Error('losses stand in no gap event');
  }

  /**
   * Writes the epoch's last event with its ledger, which counts everything before that event, and closes. A
   * ledger that no record can hold stands in `session_ledger` events before.
   *
   * @throws the signal's reason when aborted first, Error when the event was lost; then the writer is still open
   */
  async finish<Name extends 'session_ended' | 'session_handed_over'>(
    name: Name,
    timeMs: number,
    data: Omit<EventData[Name], 'ledger' | 'ledgerPages'>,
    signal: AbortSignal,
  ): Promise<void> {
    this.#lines.releaseAll();
    let ledger = this.ledger.rows();
    let ledgerPages: { ledgerPages?: number } = {};
    if (this.#lines.ledgerPages(ledger).length > 1) {
      const pages = await this.#writePages(ledger.filter(isMedia), timeMs, signal);
      ledgerPages = { ledgerPages: pages };
      ledger = this.ledger.rows().filter((row) => !isMedia(row));
    }
    this.event(name, timeMs, { ...data, ledger, ...ledgerPages } as unknown as EventData[Name]);
    this.close();
    try {
      await this.#flushSinks(signal);
      if (!this.isRecorded(name)) throw new Error(`${name} was lost`);
    } catch (error) {
      // It goes down with what is dropped now; the next attempt writes another.
      this.#closed = false;
      throw error;
    }
  }

  /** Closes, and says which number the epoch's last event has and what its ledger holds. */
  account(): { readonly sequence: number; readonly ledger: LedgerRow[] } {
    this.#lines.releaseAll();
    const account = {
      sequence: this.#lines.nextSequence(),
      ledger: this.ledger.rows().filter((row) => !isMedia(row)),
    };
    this.close();
    return account;
  }

  /**
   * Writes the media rows of a ledger in events of their own, and waits for these. Pages of which one was lost
   * are all written again: a reader takes each row once.
   *
   * @returns how many pages there are
   */
  async #writePages(rows: LedgerRow[], timeMs: number, signal: AbortSignal): Promise<number> {
    const pages = this.#lines.ledgerPages(rows);
    const lines = this.ledger.source('events');
    for (let round = 1; round <= MAX_FINAL_ROUNDS; round++) {
      const lostBefore = lines.lost;
      if (this.#mayWrite()) this.#lines.writeLedgerPages(pages, timeMs);
      await this.flush(signal);
      if (lines.lost === lostBefore) break;
    }
    return pages.length;
  }

  /** Drops media and text that wait for Kinesis; the lines that tell the session's life stay. */
  revoke(): void {
    const { media, events } = this.#options;
    media.drop(this.#key, 'revoked');
    events.drop(this.#key, 'revoked', 'text');
  }

  /** Drops what still waits for Kinesis; a record that is on its way may be written all the same. */
  drop(cause: DropCause): void {
    const { media, events } = this.#options;
    // First, so that no line of the queue takes the place of one that is dropped.
    this.#lines.dropWaiting(cause);
    media.drop(this.#key, cause);
    events.drop(this.#key, cause);
  }

  /** Nothing is written any more; receipts of what is on its way still count. */
  close(): void {
    this.#closed = true;
    this.#gaps.close();
  }

  async #flushSinks(signal: AbortSignal): Promise<void> {
    this.#lines.releaseAll();
    const { media, events } = this.#options;
    await Promise.all([media.flush(signal, this.#key), events.flush(signal, this.#key)]);
  }

  #mayWrite(): boolean {
    return !this.#closed && this.#options.mayWrite();
  }
}

function isMedia({ mediaType }: Pick<LedgerRow, 'mediaType'>): boolean {
  return (FRAME_MEDIA_TYPES as readonly string[]).includes(mediaType);
}
