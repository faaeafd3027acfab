import { ServiceError } from '../../shared/errors.ts';
import { isSameMeeting } from '../../shared/session-table/restart.ts';
import type { SessionRow } from '../../shared/session-table/session-row.ts';
import type { Context } from '../command.ts';
import { matching, SESSION_ARGUMENT } from './find-session.ts';

export interface FoundMeeting {
  /** All streams of one meeting, the oldest first; none when the table has nothing that fits. */
  readonly streams: readonly SessionRow[];
  /** UUIDs of other meetings that fit too, as of a number that is used every day: the newest one was taken. */
  readonly others: readonly string[];
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
  const streams = rows
    .filter((row) => row.rtmsStreamId === newest.rtmsStreamId || isSameMeeting(row, newest))
    .sort((a, b) => (a.requestedAtMs ?? 0) - (b.requestedAtMs ?? 0));
  const others = found.filter((row) => !streams.includes(row)).map((row) => row.entityId ?? '');
  return { streams, others: [...new Set(others)] };
}
