import type { Logger } from '../../shared/logger.ts';
import type { Metrics } from '../../shared/metrics.ts';
import { encodeEvent } from '../../shared/record/event.ts';
import { type EventData, type EventName, START_NOTICES } from '../../shared/record/event-data.ts';
import { countMissed } from '../../shared/record/outcome.ts';
import { streamKey } from '../../shared/record/partition-key.ts';
import type { MissReason } from '../../shared/record/session-causes.ts';
import { NOTICE_ID } from '../../shared/session-table/missed.ts';
import { type SessionRow, startOf } from '../../shared/session-table/session-row.ts';
import { startFactsOf } from '../../shared/zoom/start-facts.ts';
import type { Sink, Unit } from '../kinesis/unit.ts';
import type { SessionStore } from '../ownership/store.ts';
import type { DrainDeadline } from '../task/drain-deadline.ts';
import { stopReasonFields } from './recording/events.ts';

export interface MissedStreamsOptions {
  readonly events: Sink;
  readonly store: Pick<SessionStore, 'told'>;
  /** Asks the runners to look at a stream's row. */
  readonly notify: (rtmsStreamId: string) => Promise<void>;
  /** A stream is to be asked for again. */
  readonly wanted: (rtmsStreamId: string) => void;
  readonly deadline: DrainDeadline;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** The first telling begins, or the last one is over. */
  readonly changed: () => void;
}

/**
 * Writes the events of streams that were never recorded. A row says what is to be written, with its identity, before it
 * is written, and stays `untold` until it is in Kinesis: whoever finds it then writes the same bytes again, and readers
 * take them once.
 *
 * ```text
 *  row       decided, untold ─────────────────────────── told: the row is at rest
 *  runner                     event ── in Kinesis ──╳
 *  another                                             finds it ── same event ── told
 * ```
 */
export class MissedStreams {
  readonly #options: MissedStreamsOptions;
  readonly #telling = new Map<string, Promise<void>>();

  constructor(options: MissedStreamsOptions) {
    this.#options = options;
  }

  get underWay(): number {
    return this.#telling.size;
  }

  /** Begins to tell what a row asks for, unless that is under way. @param row untold, and this task's to tell */
  tell(row: SessionRow): void {
    const { rtmsStreamId } = row;
    if (this.#telling.has(rtmsStreamId)) return;
    const telling = this.#tell(row)
      .catch((error: unknown) => {
        // The row stays as it is: the next look at this task's rows finds it, or another task does.
        const fields = { event: 'missed_untold', rtmsStreamId, error };
        this.#options.logger.warn('a missed stream is not told yet', fields);
      })
      .finally(() => {
        this.#telling.delete(rtmsStreamId);
        this.#options.changed();
      });
    this.#telling.set(rtmsStreamId, telling);
    this.#options.changed();
  }

  /** Resolves when nothing is being told. */
  async idle(): Promise<void> {
    await Promise.all(this.#telling.values());
  }

  async #tell(row: SessionRow): Promise<void> {
    const { store, notify, metrics } = this.#options;
    const { rtmsStreamId, missed } = row;
    await this.#write(rtmsStreamId, missedLines(row));
    const outcome = await store.told(row);
    if (outcome === 'changed') return;
    // Whoever ended the run of a stream that Zoom named has counted it.
    if (rtmsStreamId.startsWith(NOTICE_ID) && missed !== undefined) {
      metrics.count('MeetingsWanted');
      countMissed(metrics, missed.reason);
    }
    if (outcome === 'restarted') await notify(rtmsStreamId);
    else if (row.restart !== undefined) this.#options.wanted(rtmsStreamId);
  }

  /** @throws Error when a line was dropped; the signal's reason at the flush deadline */
  async #write(rtmsStreamId: string, lines: readonly MissedLine[]): Promise<void> {
    const { events, deadline } = this.#options;
    const partitionKey = streamKey(rtmsStreamId);
    let dropped: string | undefined;
    const receipt = {
      written() {},
      dropped(_unit: Unit, cause: string) {
        dropped = cause;
      },
    };
    for (const { sequence, timeMs, bytes } of lines) {
      const payloadBytes = bytes.length;
      const records = [bytes];
      const unit = {
        partitionKey,
        class: 'event',
        records,
        sequence,
        capturedAtMs: timeMs,
      } as const;
      events.put({ ...unit, payloadBytes, receipt });
    }
    await events.flush(deadline.flush, partitionKey);
    if (dropped !== undefined) throw new Error(`the event was dropped: ${dropped}`);
  }
}

interface MissedLine {
  readonly sequence: number;
  readonly timeMs: number;
  readonly bytes: Buffer;
}

/** The lines that a row asks for: the same bytes whoever makes them. */
export function missedLines(row: SessionRow): MissedLine[] {
  const { rtmsStreamId, missed, notice } = row;
  const start = startOf(row);
  if (start === undefined) return [];
  const { product, entityId, startEventTsMs, requestedAtMs } = start;
  const line = <Name extends EventName>(
    name: Name,
    { epoch, sequence, timeMs }: { epoch: number; sequence: number; timeMs: number },
    data: EventData[Name],
  ): MissedLine => ({
    sequence,
    timeMs,
    bytes: encodeEvent({ rtmsStreamId, epoch, product, entityId }, name, sequence, timeMs, data),
  });
  const lines: MissedLine[] = [];
  if (notice !== undefined) {
    const { event, numbers, operatorId, raw } = notice;
    const at = { epoch: 1, sequence: 1, timeMs: startEventTsMs };
    const data = {
      timestampMs: startEventTsMs,
      ...(operatorId !== undefined && { operatorId }),
      ...(Object.keys(numbers).length > 0 && { numbers }),
      ...(raw !== undefined && { raw: JSON.parse(raw) as unknown }),
    };
    lines.push(line(START_NOTICES[event], at, data));
  }
  if (missed !== undefined) {
    const { epoch, sequence, atMs, status, stopReason, restart, ledger } = missed;
    const { claimedAtMs = 0 } = row;
    const data: EventData['session_missed'] = {
      product,
      entityId,
      ...startFactsOf(start),
      reason: missed.reason as MissReason,
      ...(status !== undefined && { status }),
      ...stopReasonFields(stopReason),
      ...(restart !== undefined && { restart }),
      requestedAtMs,
      ...(claimedAtMs >= requestedAtMs && { claimedAtMs }),
      ledger,
    };
    lines.push(line('session_missed', { epoch, sequence, timeMs: atMs }, data));
  }
  return lines;
}
