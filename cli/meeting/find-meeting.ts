import { ServiceError } from '../../shared/errors.ts';
import { isSameMeeting, type MeetingFacts } from '../../shared/session-table/restart.ts';
import type { SessionRow } from '../../shared/session-table/session-row.ts';
import type { Context } from '../command.ts';
import { type FoundSession, matching, SESSION_ARGUMENT } from './find-session.ts';

/** The meeting that a text of the user means. */
export interface FoundMeeting {
  /** All streams of one meeting, the oldest first; none when the table has nothing that fits. */
  readonly streams: readonly FoundSession[];
  /** UUIDs of other meetings that fit too, as of a number that is used every day: the newest one was taken. */
  readonly others: readonly string[];
}

/** What decides which streams are one meeting, and in which order: of the session table, or of an archive. */
export interface LinkedStream extends MeetingFacts {
  readonly rtmsStreamId: string;
  readonly continues?: { readonly rtmsStreamId: string } | undefined;
  readonly requestedAtMs?: number | undefined;
}

/** A stream of a meeting; `row` is absent where nothing is known but that another one names it. */
export interface FoundStream<Row extends LinkedStream> {
  readonly rtmsStreamId: string;
  readonly row: Row | undefined;
}

/**
 * Finds the meeting that the user means, with all its streams. Of several meetings the newest is taken.
 *
 * @param text as for `findSession`
 * @throws ServiceError `config/invalid` when the text is empty
 */
export async function findMeeting(context: Context, text: string): Promise<FoundMeeting> {
  const words = text.trim();
  if (words === '')
    throw new ServiceError('config/invalid', `no meeting is named: give ${SESSION_ARGUMENT}`);
  const { sessions } = await context.sessions().list(true);
  return meetingOf(sessions, words, Date.now());
}

/** The same in rows that were read. @param nowMs the time to which a time of day relates */
export function meetingOf(rows: readonly SessionRow[], words: string, nowMs: number): FoundMeeting {
  const found = matching(rows, words, nowMs);
  const [newest] = found;
  if (newest === undefined) return { streams: [], others: [] };
  const streams = meetingStreams(rows, { rtmsStreamId: newest.rtmsStreamId, row: newest });
  const ids = new Set(streams.map(({ rtmsStreamId }) => rtmsStreamId));
  const others = found
    .filter(({ rtmsStreamId }) => !ids.has(rtmsStreamId))
    .map(({ entityId = '' }) => entityId);
  return { streams, others: [...new Set(others)] };
}

/** Finds the streams of the meeting that a session belongs to, the oldest first. Reads the whole table. */
export async function streamsOfMeeting(
  context: Pick<Context, 'sessions'>,
  found: FoundSession,
): Promise<readonly FoundSession[]> {
  const { sessions } = await context.sessions().list(true);
  return meetingStreams(sessions, found);
}

/**
 * The streams of one meeting, the oldest first: those of which the table says that they are of the same meeting, and
 * those that continue one another. The second rule alone would leave out a stream that somebody stopped and started
 * again; the first alone would leave out one whose row is no longer there, or does not say the meeting.
 *
 * @param rows all rows of the table, or what an archive says of the streams that are linked
 */
export function meetingStreams<Row extends LinkedStream>(
  rows: readonly Row[],
  found: FoundStream<Row>,
): FoundStream<Row>[] {
  const rest = new Map(rows.map((row) => [row.rtmsStreamId, row]));
  rest.delete(found.rtmsStreamId);
  const streams = new Map([[found.rtmsStreamId, found]]);
  // Those that are added while this loop runs are visited too.
  for (const stream of streams.values()) {
    for (const row of rest.values()) {
      if (!belongTogether(stream, row)) continue;
      rest.delete(row.rtmsStreamId);
      streams.set(row.rtmsStreamId, { rtmsStreamId: row.rtmsStreamId, row });
    }
    const before = stream.row?.continues?.rtmsStreamId;
    if (before !== undefined && !streams.has(before)) {
      streams.set(before, { rtmsStreamId: before, row: undefined });
    }
  }
  return inOrder([...streams.values()]);
}

function belongTogether<Row extends LinkedStream>(
  { rtmsStreamId, row }: FoundStream<Row>,
  other: Row,
): boolean {
  return (
    other.continues?.rtmsStreamId === rtmsStreamId ||
    row?.continues?.rtmsStreamId === other.rtmsStreamId ||
    (row !== undefined && isSameMeeting(row, other))
  );
}

/** Sorts by the time of the request, and puts no stream before the one that it continues. */
function inOrder<Row extends LinkedStream>(
  streams: readonly FoundStream<Row>[],
): FoundStream<Row>[] {
  const byId = new Map(streams.map((stream) => [stream.rtmsStreamId, stream]));
  const placed: FoundStream<Row>[] = [];
  const place = (stream: FoundStream<Row>) => {
    // Deleted before its predecessor is placed: damaged rows may name each other in a circle.
    if (!byId.delete(stream.rtmsStreamId)) return;
    const before = byId.get(stream.row?.continues?.rtmsStreamId ?? '');
    if (before !== undefined) place(before);
    placed.push(stream);
  };
  const requestedAt = ({ row }: FoundStream<Row>) => row?.requestedAtMs ?? 0;
  for (const stream of [...streams].sort((a, b) => requestedAt(a) - requestedAt(b))) place(stream);
  return placed;
}
