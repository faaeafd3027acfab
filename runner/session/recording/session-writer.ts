import type { MediaFrame } from '../../../rtms/events.ts';
import type { AgreedMedia } from '../../../rtms/protocol/agreed-media.ts';
import { FRAME_MEDIA_TYPES, type FrameMediaType } from '../../../rtms/protocol/media-type.ts';
import { ServiceError } from '../../../shared/errors.ts';
import type { CounterMetrics } from '../../../shared/metrics.ts';
import { type EventOrigin, encodeEventText } from '../../../shared/record/event.ts';
import type {
  EventData,
  EventName,
  GapCause,
  LedgerMediaType,
  LedgerRow,
} from '../../../shared/record/event-data.ts';
import { RECOVERED_LINE_BYTES } from '../../../shared/record/recovered.ts';
import type { DropCause, Receipt, Sink, Unit } from '../../kinesis/unit.ts';
import { sourceOf } from './frame-record.ts';
import { giveUnit } from './frame-unit.ts';
import { type Gap, type LedgerSource, SessionLedger } from './ledger.ts';
import { pagesOf } from './line-pages.ts';
import { LineQueue, type WaitingLine } from './line-queue.ts';
import { partitionKeyOf, streamKey } from './partition-key.ts';
import { SourceWriter } from './source-writer.ts';

export interface SessionWriterOptions {
  readonly origin: EventOrigin;
  readonly media: Sink;
  readonly events: Sink;
  /** Record limit of the media stream, partition key included. */
  readonly maxRecordBytes: number;
  /** Record limit of the events stream, partition key included. */
  readonly maxLineBytes: number;
  readonly metrics: CounterMetrics;
  /** May this epoch still write? Asked for every frame and line; a refused one leaves no trace. */
  readonly mayWrite: () => boolean;
}

/** Which row of the ledger an event belongs to. */
type LineKind = 'transcript' | 'chat' | 'events';

/** What stands around the ledger in a last event or a page of it: reasons, causes, page numbers. */
const LEDGER_SLACK_BYTES = 1_024;
/** Losses are collected this long, so that neighbours share one gap event. */
const GAP_DELAY_MS = 1_000;
/** Gap events at once: they are lines that no other line may push out. */
const MAX_GAPS_TOLD = 256;
/** A gap event that is lost itself is told again, but not for ever while a session ends. */
const MAX_FINAL_ROUNDS = 3;

/**
 * Numbers, encodes and accounts for everything one epoch of one rtmsStream writes: frames into the `media`
 * stream, lines into the `events` stream, and a `gap` for whatever does not arrive there.
 */
export class SessionWriter {
  readonly ledger = new SessionLedger();
  readonly #options: SessionWriterOptions;
  /** By user id, a number, or channel id, a text. */
  readonly #sources: Record<FrameMediaType, Map<number | string, SourceWriter>> = {
    audio: new Map(),
    video: new Map(),
    deskshare: new Map(),
  };
  /** Partition key of everything but pictures; names this session to the producer. */
  readonly #key: string;
  readonly #lines: Record<LineKind, Receipt>;
  /** Gap events on their way, by sequence: told again when the line itself is lost. */
  readonly #gapsInFlight = new Map<number, Gap>();
  readonly #queue = new LineQueue();
  /** Most bytes of an event's `data`. */
  readonly #maxDataBytes: number;
  #lineSequence = 0;
  #gapTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: SessionWriterOptions) {
    this.#options = options;
    this.#key = streamKey(options.origin.rtmsStreamId);
    this.#maxDataBytes = maxDataBytes(options);
    this.#lines = {
      transcript: this.#receipt(this.ledger.source('transcript')),
      chat: this.#receipt(this.ledger.source('chat')),
      events: this.#receipt(this.ledger.source('events')),
    };
  }

  /** Writes one frame. @param media effective parameters of the connection it came over */
  frame(frame: MediaFrame, media: AgreedMedia): void {
    if (!this.#mayWrite()) return;
    const source = this.#source(frame);
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
      this.#lose(row, refusal, { sequence: row.received, capturedAtMs, payloadBytes });
      return;
    }
    let unit: Unit;
    try {
      unit = source.unitOf(frame, media);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      const { capturedAtMs } = frame;
      this.#lose(row, 'malformed', { sequence: row.received, capturedAtMs, payloadBytes });
      return;
    }
    this.#put(this.#options.media, unit, row);
  }

  /** Counts a frame or line that came in but could not be read. */
  malformed(lost: {
    readonly mediaType: LedgerMediaType;
    readonly userId?: number | undefined;
    readonly channelId?: string | undefined;
    readonly payloadBytes?: number;
  }): void {
    if (!this.#mayWrite()) return;
    const { mediaType, payloadBytes = 0 } = lost;
    const isLine = !(FRAME_MEDIA_TYPES as readonly string[]).includes(mediaType);
    const row = this.ledger.source(mediaType, isLine ? {} : lost);
    this.ledger.received(row);
    const sequence = isLine ? this.#nextLine() : row.received;
    this.#lose(row, 'malformed', { sequence, payloadBytes, capturedAtMs: Date.now() });
  }

  /** Says that a camera's video did not come, though it was asked for; nothing is counted as received or lost. */
  notReceived(userId: number, fromMs: number, toMs: number): void {
    if (!this.#mayWrite()) return;
    const mediaType = 'video';
    const { received } = this.ledger.source(mediaType, { userId });
    this.#line('gap', toMs, {
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

  /**
   * Writes one event; several when a list in it is too long for one record. @param timeMs when it happened at Zoom, else when it was
   * seen
   */
  event<Name extends EventName>(name: Name, timeMs: number, data: EventData[Name]): void {
    if (this.#mayWrite()) this.#line(name, timeMs, data);
  }

  /**
   * Tells every loss and waits until all is written or lost.
   *
   * @throws the signal's reason when aborted first
   */
  async settle(signal: AbortSignal): Promise<void> {
    for (let round = 1; round <= MAX_FINAL_ROUNDS; round++) {
      this.#tellGaps();
      await this.#flush(signal);
      if (!this.ledger.hasGaps) return;
    }
  }

  /**
   * Writes the epoch's last event with its ledger, which counts everything before that event, and closes. A
   * ledger that no record can hold is told in `session_ledger` events before.
   *
   * @throws the signal's reason when aborted first; then the writer is still open
   */
  async finish<Name extends 'session_ended' | 'session_handed_over'>(
    name: Name,
    timeMs: number,
    data: Omit<EventData[Name], 'ledger' | 'ledgerPages'>,
    signal: AbortSignal,
  ): Promise<void> {
    this.#releaseLines(true);
    let ledger = this.ledger.rows();
    const pages = pagesOf({ ledger }, 'ledger', this.#maxDataBytes - LEDGER_SLACK_BYTES);
    let ledgerPages: { ledgerPages?: number } = {};
    if (pages.length > 1) {
      ledgerPages = { ledgerPages: await this.#tellPages(ledger.filter(isMedia), timeMs, signal) };
      ledger = this.ledger.rows().filter((row) => !isMedia(row));
    }
    this.event(name, timeMs, { ...data, ledger, ...ledgerPages } as unknown as EventData[Name]);
    this.close();
    try {
      await this.#flush(signal);
    } catch (error) {
      // It goes down with what is dropped now; the next attempt writes another.
      this.#closed = false;
      throw error;
    }
  }

  /**
   * Writes the media rows of a ledger in events of their own, and waits for these. Pages of which one was lost
   * are all told again: a reader takes each row once.
   *
   * @returns how many pages there are
   */
  async #tellPages(rows: LedgerRow[], timeMs: number, signal: AbortSignal): Promise<number> {
    const texts = pagesOf({ ledger: rows }, 'ledger', this.#maxDataBytes - LEDGER_SLACK_BYTES);
    const lines = this.ledger.source('events');
    for (let round = 1; round <= MAX_FINAL_ROUNDS; round++) {
      const lostBefore = lines.lost;
      for (const [index, text = '{"ledger":[]}'] of texts.entries()) {
        const dataText = `{"page":${index + 1},"pages":${texts.length},${text.slice(1)}`;
        if (this.#mayWrite()) this.#tell({ name: 'session_ledger', timeMs, dataText });
      }
      await this.settle(signal);
      if (lines.lost === lostBefore) break;
    }
    return texts.length;
  }

  /** Drops media and text that wait for Kinesis; the lines that tell the session's life stay. */
  revoke(): void {
    const { media, events } = this.#options;
    media.drop(this.#key, 'revoked');
    events.drop(this.#key, 'revoked', 'text');
  }

  /** Gives up what still waits for Kinesis; a record that is on its way may be written all the same. */
  drop(cause: DropCause): void {
    const { media, events } = this.#options;
    // First, so that no line of the queue takes the place of one that is dropped.
    for (let line = this.#queue.next(true); line; line = this.#queue.next(true)) {
      this.#loseLine(line, cause);
    }
    media.drop(this.#key, cause);
    events.drop(this.#key, cause);
  }

  /** Nothing is written any more; receipts of what is on its way still count. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#gapTimer);
    this.#gapTimer = undefined;
  }

  async #flush(signal: AbortSignal): Promise<void> {
    this.#releaseLines(true);
    const { media, events } = this.#options;
    await Promise.all([media.flush(signal, this.#key), events.flush(signal, this.#key)]);
  }

  #mayWrite(): boolean {
    return !this.#closed && this.#options.mayWrite();
  }

  /** @returns undefined for a source too many */
  #source(frame: MediaFrame): SourceWriter | undefined {
    const { mediaType } = frame;
    const sources = this.#sources[mediaType];
    const from = frame.channelId ?? frame.userId ?? 0;
    let source = sources.get(from);
    if (source === undefined) {
      const { origin, maxRecordBytes, metrics } = this.#options;
      const row = this.ledger.source(mediaType, sourceOf(frame));
      if (row.isUnnamed) return undefined;
      source = new SourceWriter({
        origin,
        row,
        partitionKey: partitionKeyOf(origin.rtmsStreamId, frame),
        maxRecordBytes,
        receipt: this.#receipt(row),
        framesIn: metrics.counter('FramesIn', mediaType),
        bytesIn: metrics.counter('BytesIn', mediaType),
      });
      sources.set(from, source);
    }
    return source;
  }

  #line<Name extends EventName>(
    name: Name,
    timeMs: number,
    data: EventData[Name],
    gap?: Gap,
  ): void {
    const fields = data as object as Record<string, unknown>;
    for (const dataText of pagesOf(fields, 'participants', this.#maxDataBytes)) {
      if (dataText !== undefined) {
        this.#tell({ name, timeMs, dataText }, gap);
        continue;
      }
      const row = this.ledger.source(kindOf(name));
      this.ledger.received(row);
      const sequence = this.#nextLine();
      this.#lose(row, 'malformed', { sequence, payloadBytes: 0, capturedAtMs: timeMs });
    }
  }

  #tell(line: WaitingLine, gap?: Gap): void {
    this.ledger.received(this.ledger.source(kindOf(line.name)));
    if (this.#queue.holds(line)) this.#releaseLines();
    else this.#putLine(line, gap);
  }

  /** Lets lines of the queue go on: those that may, or all. */
  #releaseLines(all = false): void {
    for (let line = this.#queue.next(all); line; line = this.#queue.next(all)) this.#putLine(line);
  }

  #putLine({ name, timeMs, dataText }: WaitingLine, gap?: Gap): void {
    const { origin, events } = this.#options;
    const kind = kindOf(name);
    const sequence = this.#nextLine();
    if (gap !== undefined) this.#gapsInFlight.set(sequence, gap);
    const line = encodeEventText(origin, name, sequence, timeMs, dataText);
    this.#queue.left(line.length);
    const unit: Unit = {
      partitionKey: this.#key,
      class: kind !== 'events' ? 'text' : LineQueue.isCrowd({ name }) ? 'crowd' : 'event',
      records: [line],
      sequence,
      capturedAtMs: timeMs,
      payloadBytes: line.length,
      receipt: this.#lines[kind],
    };
    this.#put(events, unit, this.ledger.source(kind));
  }

  /** A line that was received and will never leave. */
  #loseLine({ name, timeMs, dataText }: WaitingLine, cause: GapCause): void {
    const sequence = this.#nextLine();
    const unit = { sequence, payloadBytes: dataText.length, capturedAtMs: timeMs };
    this.#lose(this.ledger.source(kindOf(name)), cause, unit);
  }

  #nextLine(): number {
    this.#lineSequence += 1;
    return this.#lineSequence;
  }

  /** A producer that refuses outright has lost the unit. */
  #put(sink: Sink, unit: Unit, row: LedgerSource): void {
    try {
      sink.put(unit);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      this.#lose(row, 'write_failed', unit);
      if (!isMedia(row)) this.#queue.arrived(unit.payloadBytes);
    }
  }

  #receipt(row: LedgerSource): Receipt {
    const { metrics } = this.#options;
    const isLine = !isMedia(row);
    const framesOut = metrics.counter('FramesOut', row.mediaType);
    const bytesOut = metrics.counter('BytesOut', row.mediaType);
    return {
      written: (unit) => {
        if (unit.class === 'event') this.#gapsInFlight.delete(unit.sequence);
        framesOut.add(1);
        bytesOut.add(unit.payloadBytes);
        this.ledger.written(row);
        giveUnit(unit);
        if (isLine) this.#lineArrived(unit);
      },
      dropped: (unit, cause: DropCause) => {
        this.#lose(row, cause, unit);
        if (isLine) this.#lineArrived(unit);
      },
    };
  }

  #lineArrived({ payloadBytes }: Unit): void {
    this.#queue.arrived(payloadBytes);
    if (this.#queue.length > 0 && this.#mayWrite()) this.#releaseLines();
  }

  #lose(
    row: LedgerSource,
    cause: GapCause,
    unit: Pick<Unit, 'sequence' | 'payloadBytes' | 'capturedAtMs'>,
  ): void {
    this.#options.metrics.count('FramesLost', 1, cause);
    const gap = row.mediaType === 'events' ? this.#gapsInFlight.get(unit.sequence) : undefined;
    if (gap !== undefined) {
      this.#gapsInFlight.delete(unit.sequence);
      this.ledger.untold(gap);
    }
    this.ledger.lost(row, cause, {
      sequence: unit.sequence,
      bytes: unit.payloadBytes,
      atMs: unit.capturedAtMs,
    });
    this.#tellGapsLater();
  }

  #tellGapsLater(): void {
    if (this.#closed) return;
    this.#gapTimer ??= setTimeout(() => {
      this.#gapTimer = undefined;
      this.#tellGaps(MAX_GAPS_TOLD);
      if (this.ledger.hasGaps) this.#tellGapsLater();
    }, GAP_DELAY_MS).unref();
  }

  #tellGaps(most?: number): void {
    if (!this.#mayWrite()) return;
    for (const gap of this.ledger.takeGaps(most)) {
      const { source, ...rest } = gap;
      const { mediaType, userId, channelId } = source;
      const data = {
        mediaType,
        ...(userId === undefined ? {} : { userId }),
        ...(channelId === undefined ? {} : { channelId }),
        ...rest,
      };
      this.#line('gap', gap.toMs, data, gap);
    }
  }
}

/** What a record has left for an event's `data`, beside its other attributes and the partition key. */
function maxDataBytes({ origin, maxLineBytes }: SessionWriterOptions): number {
  const longest = 'participant_video_off' satisfies EventName;
  const { length } = encodeEventText(origin, longest, Number.MAX_SAFE_INTEGER, 0, '');
  const keyBytes = Buffer.byteLength(origin.rtmsStreamId);
  return maxLineBytes - length - keyBytes - RECOVERED_LINE_BYTES;
}

function isMedia({ mediaType }: Pick<LedgerRow, 'mediaType'>): boolean {
  return mediaType !== 'transcript' && mediaType !== 'chat' && mediaType !== 'events';
}

function kindOf(name: EventName): LineKind {
  return name === 'transcript' || name === 'chat' ? name : 'events';
}
