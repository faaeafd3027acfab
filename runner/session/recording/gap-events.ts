import type { Metrics } from '../../../shared/metrics.ts';
import type { EventData, GapCause } from '../../../shared/record/event-data.ts';
import type { Unit } from '../../kinesis/unit.ts';
import type { Gap, LedgerSource, SessionLedger } from './ledger.ts';

/** Losses are collected this long, so that neighbours share one gap event. */
const GAP_DELAY_MS = 1_000;
/** Gap events at once: they are lines that no other line may push out. */
const MAX_GAPS_AT_ONCE = 256;

export interface GapEventsOptions {
  readonly ledger: SessionLedger;
  readonly metrics: Metrics;
  /** May this epoch still write? */
  readonly mayWrite: () => boolean;
  /** Is the writer open? One that is closed may be opened again. */
  readonly isOpen: () => boolean;
  /** Writes one `gap` event; calls `sent` with the number of its line. */
  readonly write: (timeMs: number, data: EventData['gap'], gap: Gap) => void;
}

/** Counts every loss in the ledger, and has a `gap` event written for it, again when that event itself is lost. */
export class GapEvents {
  readonly #options: GapEventsOptions;
  /** Gap events on their way, by the sequence of their line. */
  readonly #inFlight = new Map<number, Gap>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: GapEventsOptions) {
    this.#options = options;
  }

  /** Notes that a unit of a source is lost. */
  lose(
    row: LedgerSource,
    cause: GapCause,
    {
      sequence,
      payloadBytes,
      capturedAtMs,
    }: Pick<Unit, 'sequence' | 'payloadBytes' | 'capturedAtMs'>,
  ): void {
    const { ledger, metrics } = this.#options;
    metrics.count('FramesLost', 1, cause);
    const gap = row.mediaType === 'events' ? this.#inFlight.get(sequence) : undefined;
    if (gap !== undefined) {
      this.#inFlight.delete(sequence);
      ledger.returnGap(gap);
    }
    ledger.lost(row, cause, { sequence, bytes: payloadBytes, atMs: capturedAtMs });
    this.#writeLater();
  }

  /** The line with this number carries a gap event. */
  sent(sequence: number, gap: Gap): void {
    this.#inFlight.set(sequence, gap);
  }

  /** The line with this number is written. */
  written(sequence: number): void {
    this.#inFlight.delete(sequence);
  }

  /** Has a gap event written for each loss that has none yet, the oldest first. @param most @default all */
  writeAll(most?: number): void {
    if (!this.#options.mayWrite()) return;
    for (const gap of this.#options.ledger.takeGaps(most)) {
      const { source, ...rest } = gap;
      const { mediaType, userId, channelId } = source;
      const data = {
        mediaType,
        ...(userId === undefined ? {} : { userId }),
        ...(channelId === undefined ? {} : { channelId }),
        ...rest,
      };
      this.#options.write(gap.toMs, data, gap);
    }
  }

  /** Writes no more gap events by itself. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #writeLater(): void {
    if (!this.#options.isOpen()) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.writeAll(MAX_GAPS_AT_ONCE);
      if (this.#options.ledger.hasGaps) this.#writeLater();
    }, GAP_DELAY_MS).unref();
  }
}
