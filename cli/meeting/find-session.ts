import { ServiceError } from '../../shared/errors.ts';
import type { SessionRow } from '../../shared/session-table/session-row.ts';
import type { Context } from '../command.ts';
import { spanOf } from '../terminal/time.ts';

/** A shorter text would be the beginning of some id by accident. */
const MIN_PREFIX = 4;
/** How many sessions an error names: enough to choose from, on one screen. */
const MAX_NAMED = 8;

/** The session that a text of the user means, by its id. */
export interface FoundSession {
  readonly rtmsStreamId: string;
  /** Absent when the table does not have the session, or no longer; its records may still be there. */
  readonly row: SessionRow | undefined;
}

/** The text of `rtms <command> --help` for its argument. */
export const SESSION_ARGUMENT =
  'rtms_stream_id or its beginning, meeting number or UUID, topic, host, or a time ("yesterday 10:00")';

/**
 * Finds the one session that the user means. The whole id costs one read; anything else reads the table.
 *
 * @param text an `rtms_stream_id` or its beginning; a meeting's number, UUID, topic or host; or a time
 * @throws ServiceError `config/invalid` when the text is empty, `cli/ambiguous` naming the sessions when several fit
 */
export async function findSession(context: Context, text: string): Promise<FoundSession> {
  const words = text.trim();
  // As from a shell variable that is not set. Every topic contains it, so it would fit some session.
  if (words === '')
    throw new ServiceError('config/invalid', `no session is named: give ${SESSION_ARGUMENT}`);
  const row = await context.sessions().session(words);
  if (row) return { rtmsStreamId: words, row };
  const { sessions } = await context.sessions().list(true);
  const found = matching(sessions, words, Date.now());
  const [only] = found;
  if (only === undefined) return { rtmsStreamId: words, row: undefined };
  if (found.length === 1) return { rtmsStreamId: only.rtmsStreamId, row: only };
  const names = found.slice(0, MAX_NAMED).map(describe);
  const more = found.length > names.length ? [`${found.length - names.length} more`] : [];
  throw new ServiceError(
    'cli/ambiguous',
    `${found.length} sessions fit "${words}"; give one of their ids: ${[...names, ...more].join('; ')}`,
    { detail: { rtmsStreamIds: found.map(({ rtmsStreamId }) => rtmsStreamId) } },
  );
}

/**
 * Lists the sessions that fit `words`, the newest first. Fits that are certain (number, UUID, id) win over fits that may
 * be accidental (a part of a topic, a time).
 *
 * @param nowMs the time to which a time of day, or `10m`, relates
 */
export function matching(
  rows: readonly SessionRow[],
  words: string,
  nowMs: number,
): readonly SessionRow[] {
  const span = spanOf(words, nowMs);
  const rules: readonly ((row: SessionRow) => boolean)[] = [
    (row) => row.rtmsStreamId === words || row.entityId === words,
    (row) => hasNumber(row, words),
    (row) => [row.hostId, row.operatorId, row.sessionKey].includes(words),
    (row) => words.length >= MIN_PREFIX && startsWith(row.rtmsStreamId, words),
    (row) => span !== undefined && wasLiveIn(row, span),
    (row) => row.topic?.toLowerCase().includes(words.toLowerCase()) === true,
  ];
  for (const fits of rules) {
    const found = rows.filter(fits);
    if (found.length > 0) {
      return found.sort((a, b) => (b.requestedAtMs ?? 0) - (a.requestedAtMs ?? 0));
    }
  }
  return [];
}

/** Compares digits only, because people write the number of a meeting in groups: `987 6543 2101`. */
function hasNumber({ meetingId, webinarId }: SessionRow, words: string): boolean {
  const digits = digitsOf(words);
  if (digits === '') return false;
  return [meetingId, webinarId].some((id) => id !== undefined && digitsOf(id) === digits);
}

function digitsOf(text: string): string {
  const bare = text.replaceAll(/[\s-]/g, '');
  return /^\d+$/.test(bare) ? bare : '';
}

function startsWith(id: string, words: string): boolean {
  return id.toLowerCase().startsWith(words.toLowerCase());
}

/** Whether the session ran at any moment of the span: people write `10:00` for a session that began at 10:00:20. */
function wasLiveIn(
  { requestedAtMs, endedAtMs, stopEventTsMs }: SessionRow,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): boolean {
  if (requestedAtMs === undefined || toMs < requestedAtMs) return false;
  const endMs = endedAtMs ?? stopEventTsMs;
  return endMs === undefined || endMs < requestedAtMs || fromMs <= endMs;
}

function describe({ rtmsStreamId, requestedAtMs, topic, meetingId }: SessionRow): string {
  const at = requestedAtMs === undefined ? '' : ` from ${new Date(requestedAtMs).toISOString()}`;
  const name = topic ?? meetingId;
  return `${rtmsStreamId}${at}${name === undefined ? '' : ` (${name})`}`;
}
