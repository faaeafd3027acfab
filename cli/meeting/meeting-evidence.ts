import { LedgerChecker, type LedgerReport, type ReceivedEvent } from '../../sdk/consumer/index.ts';
import type { SessionRow } from '../../shared/session-table/session-row.ts';
import type { Context } from '../command.ts';
import type { FoundSession } from './find-session.ts';
import { eventsOf, firstRecordMs, framesOf, mediaSpan } from './meeting-reader.ts';
import { RecordedCounter, type RecordedMedia } from './recorded-media.ts';

/** One stream of a meeting, as row and records tell of it. */
export interface StreamEvidence {
  readonly rtmsStreamId: string;
  /** Absent when the table does not have it any more. */
  readonly row: SessionRow | undefined;
  /** The events of the stream's life; transcript and chat are left out. */
  readonly events: readonly ReceivedEvent[];
}

/** Everything that is known of a meeting. */
export interface MeetingEvidence {
  /** The oldest first. */
  readonly streams: readonly StreamEvidence[];
  /** The verdict on all streams together, so that it tells what is missing between them. */
  readonly report: LedgerReport;
  readonly recorded: readonly RecordedMedia[];
}

interface EvidenceOptions {
  readonly fast?: boolean | undefined;
  /** Counts as recorded only what was captured from then on, Unix ms; the verdict is on everything. @default all */
  readonly sinceMs?: number;
}

/** Reads everything that the two streams hold of a meeting. @param streams the oldest first */
export async function gatherEvidence(
  context: Context,
  streams: readonly FoundSession[],
  options: EvidenceOptions,
): Promise<MeetingEvidence> {
  const checker = new LedgerChecker();
  const counter = new RecordedCounter();
  const evidence: StreamEvidence[] = [];
  for (const stream of streams) {
    evidence.push(await readStream(context, stream, options, { checker, counter }));
  }
  return { streams: evidence, report: checker.report(), recorded: counter.recorded };
}

/** Reads what the records hold of one stream: events first, as `verify` does. */
async function readStream(
  context: Context,
  { rtmsStreamId, row }: FoundSession,
  { fast, sinceMs = Number.NEGATIVE_INFINITY }: EvidenceOptions,
  { checker, counter }: { readonly checker: LedgerChecker; readonly counter: RecordedCounter },
): Promise<StreamEvidence> {
  const options = { rtmsStreamId, fromMs: firstRecordMs(row), repeats: 'keep', fast } as const;
  const seen = new Set<string>();
  const events: ReceivedEvent[] = [];
  for await (const event of eventsOf(context, options)) {
    checker.event(event);
    if (seen.has(event.id)) continue;
    seen.add(event.id);
    if (event.time.getTime() >= sinceMs) counter.event(event);
    if (isOfLife(event)) events.push(event);
  }
  const isRecorded = events.some(({ name }) => name === 'session_started');
  if (isRecorded) {
    for await (const frame of framesOf(context, { ...options, ...mediaSpan(events) })) {
      checker.frame(frame);
      if (frame.capturedAt.getTime() >= sinceMs) counter.frame(frame);
    }
  }
  return { rtmsStreamId, row, events };
}

/** Everything but the lines that come by the thousand. */
function isOfLife({ name, sequence }: ReceivedEvent): boolean {
  if (sequence === 1) return true;
  return name.startsWith('session_') ? name !== 'session_state' : NOTICES.includes(name);
}

const NOTICES: readonly string[] = ['start_failed', 'request_status', 'concurrency_limited'];
