import { LedgerChecker, type LedgerReport, type SavedPosition } from '../../sdk/consumer/index.ts';
import { ServiceError } from '../../shared/errors.ts';
import type { Context } from '../command.ts';
import type { FoundSession } from '../meeting/find-session.ts';
import { eventsOf, firstRecordMs } from '../meeting/meeting-reader.ts';
import { lineOf, type MeetingLine } from './line.ts';
import { isAfter } from './line-page.ts';

/** What one meeting may take in memory. The oldest lines go first; a client that is so far behind is told. */
const MAX_BYTES = 48 * 1024 * 1024;
const LINE_BYTES = 240;

interface StreamLog {
  readonly lines: MeetingLine[];
  /** Where the reading of each shard stands. */
  readonly positions: Map<string, SavedPosition>;
  newest: readonly [epoch: number, sequence: number] | undefined;
}

/**
 * The lines of one meeting as far as they were read. Whoever asks makes it read on; one reading serves all who ask at
 * the same time, so a meeting costs the same calls of Kinesis whatever the number of clients.
 */
export class MeetingLines {
  readonly #context: Context;
  readonly #streams = new Map<string, StreamLog>();
  readonly #checker = new LedgerChecker();
  #bytes = 0;
  #reading: Promise<void> | undefined;
  /** Lines that were dropped because the meeting took too much memory. */
  dropped = 0;
  /** Lines read so far: it grows with every new one. */
  count = 0;
  isRevoked = false;
  #known = false;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Whether the streams hold anything of the meeting. */
  get isKnown(): boolean {
    return this.#known;
  }

  /** The lines of each stream, in the order of their numbers. @throws ServiceError `export/revoked` */
  get lines(): readonly (readonly MeetingLine[])[] {
    if (this.isRevoked) {
      const what =
        'Zoom took back the consent for this meeting; what is stored of it must be deleted';
      throw new ServiceError('export/revoked', what);
    }
    return [...this.#streams.values()].map(({ lines }) => lines);
  }

  /** What events alone prove: losses, and the ledgers. It says nothing of frames that nothing explains. */
  report(): LedgerReport {
    return this.#checker.report();
  }

  /** Reads everything written so far. @param streams of the meeting, as the table has them now */
  async readOn(streams: readonly FoundSession[]): Promise<void> {
    this.#reading ??= this.#readAll(streams).finally(() => {
      this.#reading = undefined;
    });
    await this.#reading;
  }

  async #readAll(streams: readonly FoundSession[]): Promise<void> {
    for (const { rtmsStreamId, row } of streams) {
      const log = this.#streamLog(rtmsStreamId);
      const checkpoints = {
        load: async (shardId: string) => log.positions.get(shardId),
        save: async (shardId: string, position: string, seen: string) => {
          log.positions.set(shardId, { position, seen });
        },
      };
      const from = { rtmsStreamId, fromMs: firstRecordMs(row), repeats: 'drop' } as const;
      for await (const event of eventsOf(this.#context, { ...from, checkpoints })) {
        // After an error the last event is read again.
        if (!isAfter(event, log.newest)) continue;
        log.newest = [event.epoch, event.sequence];
        this.#known = true;
        this.#checker.event(event);
        if (event.name === 'session_revoked') this.#revoke();
        const line = this.isRevoked ? undefined : lineOf(event);
        if (line !== undefined) this.#add(log, line);
      }
    }
  }

  /** What people said is not kept either, and what comes later is not taken in. */
  #revoke(): void {
    this.isRevoked = true;
    for (const { lines } of this.#streams.values()) lines.length = 0;
    this.#bytes = 0;
  }

  #add(log: StreamLog, line: MeetingLine): void {
    log.lines.push(line);
    this.count += 1;
    this.#bytes += sizeOf(line);
    while (this.#bytes > MAX_BYTES) {
      const [oldest] = log.lines.splice(0, 1);
      if (oldest === undefined) return;
      this.#bytes -= sizeOf(oldest);
      this.dropped += 1;
    }
  }

  #streamLog(rtmsStreamId: string): StreamLog {
    let log = this.#streams.get(rtmsStreamId);
    if (log === undefined) {
      log = { lines: [], positions: new Map(), newest: undefined };
      this.#streams.set(rtmsStreamId, log);
    }
    return log;
  }
}

function sizeOf({ text, who }: MeetingLine): number {
  return LINE_BYTES + 2 * (text.length + (who?.length ?? 0));
}
