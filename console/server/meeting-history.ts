import { events, type KinesisSender, type ReceivedEvent } from '../../sdk/consumer/index.ts';
import { streamKey } from '../../shared/record/partition-key.ts';
import type { SessionRow } from '../../shared/session-table/session-row.ts';
import { MeetingLog } from '../model/meeting-log.ts';

/** Covers the difference between the clocks of Kinesis and the webhook. */
const MARGIN_MS = 120_000;
/** Leaves room for live consumers. */
const CALLS_PER_SECOND = 2;
/** Meetings that are read at once, and how often one is read again at most. */
const MOST_AT_ONCE = 2;

/** Reads one meeting's events from its beginning, while the live reading goes on. */
export class MeetingHistory {
  readonly #client: KinesisSender;
  readonly #streamName: string;
  /** Live events that come while the earlier ones are read. */
  readonly #reading = new Map<string, ReceivedEvent[]>();

  constructor(client: KinesisSender, streamName: string) {
    this.#client = client;
    this.#streamName = streamName;
  }

  /** Call for every live event. */
  event(event: ReceivedEvent): void {
    this.#reading.get(event.rtmsStreamId)?.push(event);
  }

  /** @returns undefined when there is nothing, or reading failed: the live log stays then */
  async read(rtmsStreamId: string, row: SessionRow | undefined): Promise<MeetingLog | undefined> {
    if (this.#reading.has(rtmsStreamId) || this.#reading.size >= MOST_AT_ONCE) return undefined;
    const live: ReceivedEvent[] = [];
    this.#reading.set(rtmsStreamId, live);
    const log = new MeetingLog(rtmsStreamId);
    try {
      for await (const event of events({
        client: this.#client,
        streamName: this.#streamName,
        partitionKey: streamKey(rtmsStreamId),
        startAt: startOf(row),
        stopAtTip: true,
        maxCallsPerSecond: CALLS_PER_SECOND,
        onBadRecord: () => undefined,
      })) {
        if (event.rtmsStreamId === rtmsStreamId) log.event(event, Date.now());
      }
      for (const event of live) log.event(event, Date.now());
      return log.epoch > 0 ? log : undefined;
    } catch {
      // The live reading has the same rights, and tells the problem.
      return undefined;
    } finally {
      this.#reading.delete(rtmsStreamId);
    }
  }
}

function startOf(row: SessionRow | undefined): Date | 'TRIM_HORIZON' {
  // A row has only its latest start, and earlier epochs may belong to an earlier start.
  if (row?.requestedAtMs === undefined || (row.epoch ?? 0) > 1) return 'TRIM_HORIZON';
  return new Date(row.requestedAtMs - MARGIN_MS);
}
