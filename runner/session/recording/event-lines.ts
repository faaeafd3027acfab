import { ServiceError } from '../../../shared/errors.ts';
import type { CounterMetrics } from '../../../shared/metrics.ts';
import { type EventOrigin, encodeEventText } from '../../../shared/record/event.ts';
import type {
  EventData,
  EventName,
  GapCause,
  LedgerRow,
} from '../../../shared/record/event-data.ts';
import { RECOVERED_LINE_BYTES } from '../../../shared/record/media-record.ts';
import { tellsLoss } from '../../../shared/record/outcome.ts';
import type { Receipt, Sink, Unit } from '../../kinesis/unit.ts';
import type { GapEvents } from './gap-events.ts';
import type { Gap, LedgerSource, SessionLedger } from './ledger.ts';
import { LineQueue, type WaitingLine } from './line-queue.ts';

/** What stands around the ledger in a last event or a page of it: reasons, causes, page numbers. */
const LEDGER_SLACK_BYTES = 1_024;

/** Which row of the ledger an event belongs to. */
type LineKind = 'transcript' | 'chat' | 'events';

/** Events of which somebody has to know whether Kinesis has them: what the row says next depends on that. */
export type AwaitedEvent = Extract<
  EventName,
  'session_taken_over' | 'session_revoked' | 'session_handed_over' | 'session_ended'
>;
const AWAITED: ReadonlySet<EventName> = new Set<AwaitedEvent>([
  'session_taken_over',
  'session_revoked',
  'session_handed_over',
  'session_ended',
]);

export interface EventLinesOptions {
  readonly origin: EventOrigin;
  /** Partition key of all lines. */
  readonly partitionKey: string;
  readonly sink: Sink;
  /** Record limit of the events stream, partition key included. */
  readonly maxLineBytes: number;
  readonly ledger: SessionLedger;
  readonly gaps: GapEvents;
  readonly metrics: CounterMetrics;
  /** May this epoch still write? */
  readonly mayWrite: () => boolean;
}

/** The lines of one epoch on their way into the events stream: numbered as they leave, and accounted for. */
export class EventLines {
  readonly #options: EventLinesOptions;
  readonly #receipts: Record<LineKind, Receipt>;
  /** Most bytes of an event's `data`. */
  readonly #maxDataBytes: number;
  readonly #queue = new LineQueue();
  #sequence = 0;
  #inPart = false;
  /** Events on their way that somebody waits for, by the sequence of their line. */
  readonly #awaited = new Map<number, EventName>();
  readonly #recorded = new Set<EventName>();
  readonly #tookOver = Promise.withResolvers<void>();

  constructor(options: EventLinesOptions) {
    this.#options = options;
    this.#maxDataBytes = maxDataBytesOf(options);
    this.#receipts = {
      transcript: this.#receipt('transcript'),
      chat: this.#receipt('chat'),
      events: this.#receipt('events'),
    };
  }

  /** Writes one event; several when a list in it is too long for one record. @param gap what a `gap` event tells */
  write<Name extends EventName>(
    name: Name,
    timeMs: number,
    data: EventData[Name],
    gap?: Gap,
  ): void {
    this.#inPart ||= tellsLoss(name, data);
    const fields = data as object as Record<string, unknown>;
    for (const dataText of pagesOf(fields, 'participants', this.#maxDataBytes)) {
      if (dataText === undefined) this.#tooLarge(kindOf(name), timeMs);
      else this.#write({ name, timeMs, dataText }, gap);
    }
  }

  /** Does one of the lines say that something of the meeting is missing? */
  get inPart(): boolean {
    return this.#inPart;
  }

  /** Resolves when `session_taken_over` is in Kinesis; never when it is lost, or there is none. */
  get tookOver(): Promise<void> {
    return this.#tookOver.promise;
  }

  /** Has Kinesis acknowledged an event of this name? */
  isRecorded(name: AwaitedEvent): boolean {
    return this.#recorded.has(name);
  }

  /** Writes one event whose `data` is JSON already, and fits. */
  #write(line: WaitingLine, gap?: Gap): void {
    const { ledger } = this.#options;
    ledger.received(ledger.source(kindOf(line.name)));
    if (this.#queue.holds(line)) this.#release();
    else this.#put(line, gap);
  }

  /** A ledger as JSON texts of which each fits into one event, beside what else stands there. */
  ledgerPages(ledger: readonly LedgerRow[]): string[] {
    const pages = pagesOf({ ledger }, 'ledger', this.#maxDataBytes - LEDGER_SLACK_BYTES);
    return pages.map((page) => page ?? '{"ledger":[]}');
  }

  /** Writes pages of a ledger, one event each. */
  writeLedgerPages(pages: readonly string[], timeMs: number): void {
    for (const [index, page] of pages.entries()) {
      const dataText = `{"page":${index + 1},"pages":${pages.length},${page.slice(1)}`;
      this.#write({ name: 'session_ledger', timeMs, dataText });
    }
  }

  /** A number for a line that will never leave. */
  nextSequence(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  /** Lets all lines go that wait for others. */
  releaseAll(): void {
    this.#release(true);
  }

  /** Drops all lines that wait for others. */
  dropWaiting(cause: GapCause): void {
    const { gaps, ledger } = this.#options;
    for (let line = this.#queue.next(true); line; line = this.#queue.next(true)) {
      const { name, timeMs, dataText } = line;
      const sequence = this.nextSequence();
      const unit = { sequence, payloadBytes: dataText.length, capturedAtMs: timeMs };
      gaps.lose(ledger.source(kindOf(name)), cause, unit);
    }
  }

  #release(all = false): void {
    for (let line = this.#queue.next(all); line; line = this.#queue.next(all)) this.#put(line);
  }

  #put({ name, timeMs, dataText }: WaitingLine, gap?: Gap): void {
    const { origin, partitionKey, sink, gaps, ledger } = this.#options;
    const kind = kindOf(name);
    const sequence = this.nextSequence();
    if (gap !== undefined) gaps.sent(sequence, gap);
    if (AWAITED.has(name)) this.#awaited.set(sequence, name);
    const line = encodeEventText(origin, name, sequence, timeMs, dataText);
    this.#queue.left(line.length);
    const unit: Unit = {
      partitionKey,
      class: kind !== 'events' ? 'text' : LineQueue.isCrowd({ name }) ? 'crowd' : 'event',
      records: [line],
      sequence,
      capturedAtMs: timeMs,
      payloadBytes: line.length,
      receipt: this.#receipts[kind],
    };
    try {
      sink.put(unit);
    } catch (error) {
      // A producer that refuses outright has lost the unit.
      if (!(error instanceof ServiceError)) throw error;
      gaps.lose(ledger.source(kind), 'write_failed', unit);
      this.#queue.arrived(unit.payloadBytes);
    }
  }

  #tooLarge(kind: LineKind, timeMs: number): void {
    const { gaps, ledger } = this.#options;
    const row = ledger.source(kind);
    ledger.received(row);
    const unit = { sequence: this.nextSequence(), payloadBytes: 0, capturedAtMs: timeMs };
    gaps.lose(row, 'malformed', unit);
  }

  #receipt(kind: LineKind): Receipt {
    const { gaps, ledger, metrics } = this.#options;
    const row: LedgerSource = ledger.source(kind);
    const framesOut = metrics.counter('FramesOut', kind);
    const bytesOut = metrics.counter('BytesOut', kind);
    return {
      written: (unit) => {
        if (unit.class === 'event') gaps.written(unit.sequence);
        this.#noteRecorded(unit.sequence);
        framesOut.add(1);
        bytesOut.add(unit.payloadBytes);
        ledger.written(row);
        this.#arrived(unit);
      },
      dropped: (unit, cause) => {
        gaps.lose(row, cause, unit);
        this.#arrived(unit);
      },
    };
  }

  #noteRecorded(sequence: number): void {
    const name = this.#awaited.get(sequence);
    if (name === undefined) return;
    this.#awaited.delete(sequence);
    this.#recorded.add(name);
    if (name === 'session_taken_over') this.#tookOver.resolve();
  }

  #arrived({ payloadBytes }: Unit): void {
    this.#queue.arrived(payloadBytes);
    if (this.#queue.length > 0 && this.#options.mayWrite()) this.#release();
  }
}

/**
 * Data of an event as JSON texts that each fit into a record: one text when it fits, else the list in it is
 * spread over several, in order, everything beside the list repeated in each.
 *
 * @param list name of the list that may be spread
 * @param maxBytes of one text, UTF-8
 * @returns the texts; undefined stands for an entry, or data without a list, that no record can hold
 */
function pagesOf(
  data: Readonly<Record<string, unknown>>,
  list: string,
  maxBytes: number,
): (string | undefined)[] {
  const text = JSON.stringify(data);
  // Most lines are far from any limit: counting their bytes is not worth it.
  if (text.length * 3 <= maxBytes || Buffer.byteLength(text) <= maxBytes) return [text];
  const entries = data[list];
  if (!Array.isArray(entries) || entries.length < 2) return [undefined];
  const middle = entries.length >>> 1;
  return [entries.slice(0, middle), entries.slice(middle)].flatMap((half) =>
    pagesOf({ ...data, [list]: half }, list, maxBytes),
  );
}

/** What a record has left for an event's `data`, beside its other attributes and the partition key. */
function maxDataBytesOf({ origin, maxLineBytes }: EventLinesOptions): number {
  const longest = 'participant_video_off' satisfies EventName;
  const { length } = encodeEventText(origin, longest, Number.MAX_SAFE_INTEGER, 0, '');
  const keyBytes = Buffer.byteLength(origin.rtmsStreamId);
  return maxLineBytes - length - keyBytes - RECOVERED_LINE_BYTES;
}

function kindOf(name: EventName): LineKind {
  return name === 'transcript' || name === 'chat' ? name : 'events';
}
