import type { MediaSource, PartialMediaSource } from '../../../rtms/protocol/media-type.ts';
import type {
  EventData,
  GapCause,
  LedgerMediaType,
  LedgerRow,
} from '../../../shared/record/event-data.ts';

/** A stretch of lost frames or lines of one source with one cause; the fields are those of the event `gap`. */
export interface Gap extends Omit<EventData['gap'], 'mediaType' | keyof MediaSource> {
  readonly source: LedgerSource;
}

/** One frame or line that is lost. */
export interface LostUnit {
  readonly sequence: number;
  readonly bytes: number;
  readonly atMs: number;
}

/** All sources of one media type, or all lines of one kind. */
export interface LedgerTotal {
  readonly mediaType: LedgerMediaType;
  readonly sources: number;
  readonly received: number;
  readonly written: number;
  readonly lost: number;
}

/**
 * Sources of one epoch that are counted by name, far more than any meeting has: 226,000 invented ids would take 843 MB.
 * Frames of further sources are counted without a name, as malformed.
 */
const MAX_SOURCES = 4_096;

/**
 * Gaps that wait for their events. A peer that alternates good and broken frames makes a gap of each broken one: above
 * this number the good ones are lost too, so that neighbouring losses join and the list stays short.
 */
const MAX_WAITING_GAPS = 1_024;

/** One row of the ledger while it is being counted. */
export class LedgerSource {
  readonly mediaType: LedgerMediaType;
  readonly userId?: number;
  readonly channelId?: string;
  received = 0;
  written = 0;
  lost = 0;

  constructor(mediaType: LedgerMediaType, source: PartialMediaSource = {}) {
    this.mediaType = mediaType;
    if (source.channelId !== undefined) this.channelId = source.channelId;
    else if (source.userId !== undefined) this.userId = source.userId;
  }

  /** Does this row count what no source could be named for? */
  get isUnnamed(): boolean {
    return this.userId === undefined && this.channelId === undefined;
  }
}

/**
 * Counts what one epoch received, wrote and lost per source, and collects the losses until gap events carry them.
 *
 * Every loss is counted against its source when it happens, and stands in a gap event later; losses of neighbouring
 * sequence numbers with one cause share a gap.
 */
export class SessionLedger {
  readonly #rows = new Map<string, LedgerSource>();
  readonly #open = new Map<string, Gap>();
  readonly #closed: Gap[] = [];
  #outstanding = 0;

  constructor() {
    for (const mediaType of ['transcript', 'chat', 'events'] as const) this.source(mediaType);
  }

  /** The row of a source, made when it is first asked for. @returns the unnamed row when there are too many */
  source(mediaType: LedgerMediaType, from: PartialMediaSource = {}): LedgerSource {
    const key = `${mediaType}/${from.channelId === undefined ? from.userId : `#${from.channelId}`}`;
    let row = this.#rows.get(key);
    if (row === undefined) {
      row = new LedgerSource(mediaType, from);
      if (!row.isUnnamed && this.#rows.size >= MAX_SOURCES) return this.source(mediaType);
      this.#rows.set(key, row);
    }
    return row;
  }

  received(row: LedgerSource): void {
    row.received += 1;
    this.#outstanding += 1;
  }

  written(row: LedgerSource): void {
    row.written += 1;
    this.#outstanding -= 1;
  }

  lost(row: LedgerSource, cause: GapCause, loss: LostUnit): void {
    row.lost += 1;
    this.#outstanding -= 1;
    this.#collect({
      source: row,
      fromSequence: loss.sequence,
      toSequence: loss.sequence,
      count: 1,
      bytes: loss.bytes,
      fromMs: loss.atMs,
      toMs: loss.atMs,
      cause,
    });
  }

  /** Puts a gap back whose event was lost. */
  returnGap(gap: Gap): void {
    this.#closed.push(gap);
  }

  /** Removes and returns the losses that no gap event carries yet, the oldest first. @param most @default all */
  takeGaps(most = Number.POSITIVE_INFINITY): Gap[] {
    const gaps = this.#closed.splice(0, Math.min(most, this.#closed.length));
    for (const [key, gap] of this.#open) {
      if (gaps.length >= most) break;
      this.#open.delete(key);
      gaps.push(gap);
    }
    return gaps;
  }

  /** @returns the cause with which a source's frames are lost now, because too many gaps wait; undefined: they are not */
  refusal({ mediaType, userId, channelId }: LedgerSource): GapCause | undefined {
    if (this.#closed.length < MAX_WAITING_GAPS) return undefined;
    return this.#open.get(openKey(mediaType, userId, channelId))?.cause ?? 'buffer_full';
  }

  get hasGaps(): boolean {
    return this.#closed.length > 0 || this.#open.size > 0;
  }

  /** How many frames and lines are neither written nor lost yet. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** Sums by media type: six rows at most, whatever the sources. For logs. */
  totals(): LedgerTotal[] {
    const totals = new Map<LedgerMediaType, LedgerTotal>();
    for (const { mediaType, received, written, lost } of this.#rows.values()) {
      const total = totals.get(mediaType);
      totals.set(mediaType, {
        mediaType,
        sources: (total?.sources ?? 0) + 1,
        received: (total?.received ?? 0) + received,
        written: (total?.written ?? 0) + written,
        lost: (total?.lost ?? 0) + lost,
      });
    }
    return [...totals.values()];
  }

  rows(): LedgerRow[] {
    return [...this.#rows.values()].map(
      ({ mediaType, userId, channelId, received, written, lost }) => ({
        mediaType,
        ...(userId === undefined ? {} : { userId }),
        ...(channelId === undefined ? {} : { channelId }),
        received,
        written,
        lost,
      }),
    );
  }

  /** Joins a loss to the newest gap of its source when it continues it, else starts another. */
  #collect(gap: Gap): void {
    const { mediaType, userId, channelId } = gap.source;
    const key = openKey(mediaType, userId, channelId);
    const open = this.#open.get(key);
    if (open?.cause === gap.cause && gap.fromSequence === open.toSequence + 1) {
      this.#open.set(key, joined(open, gap));
      return;
    }
    if (open !== undefined) this.#closed.push(open);
    this.#open.set(key, gap);
  }
}

function openKey(mediaType: LedgerMediaType, userId?: number, channelId?: string): string {
  return `${mediaType}/${userId ?? ''}/${channelId ?? ''}`;
}

function joined(open: Gap, next: Gap): Gap {
  return {
    ...open,
    toSequence: next.toSequence,
    count: open.count + next.count,
    bytes: open.bytes + next.bytes,
    fromMs: Math.min(open.fromMs, next.fromMs),
    toMs: Math.max(open.toMs, next.toMs),
  };
}
