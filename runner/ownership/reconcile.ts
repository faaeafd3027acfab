import { isReadable, type UnreadableRow } from '../../shared/session-table/parse-row.ts';
import type { SessionRow } from '../../shared/session-table/session-row.ts';
import { judgeSession, type SessionVerdict, type SessionView } from './rules.ts';
import type { SessionStore } from './store.ts';

/** Owned rows are read again this often. */
export const RECONCILE_INTERVAL_MS = 2_000;

export interface Findings {
  /** What each session has to do; those that go on as they are do not appear. */
  readonly verdicts: ReadonlyMap<string, Exclude<SessionVerdict, { act: 'keep' }>>;
  /** Rows of this task that no session serves. */
  readonly unserved: readonly SessionRow[];
}

/**
 * Compares what this task serves with what the table says, in one query and one read for each row that
 * the query cannot be trusted about.
 *
 * @param sessions views by rtmsStreamId
 */
export async function reconcile(
  store: Pick<SessionStore, 'read' | 'session' | 'sessionsOf'>,
  taskId: string,
  sessions: ReadonlyMap<string, SessionView>,
): Promise<Findings> {
  const indexed = new Map((await store.sessionsOf(taskId)).map((row) => [row.rtmsStreamId, row]));
  const verdicts = new Map<string, Exclude<SessionVerdict, { act: 'keep' }>>();
  for (const [rtmsStreamId, session] of sessions) {
    let verdict = judgeSession(session, indexed.get(rtmsStreamId));
    // The index is eventually consistent: nothing is dropped on its word alone.
    if (verdict.act === 'drop') verdict = judgeRead(session, await store.read(rtmsStreamId));
    if (verdict.act !== 'keep') verdicts.set(rtmsStreamId, verdict);
  }
  const unserved: SessionRow[] = [];
  for (const rtmsStreamId of indexed.keys()) {
    if (sessions.has(rtmsStreamId)) continue;
    const row = await store.session(rtmsStreamId);
    if (row?.owner === taskId) unserved.push(row);
  }
  return { verdicts, unserved };
}

/** A row that was spoilt under its owner asks for nothing, as long as it still names that owner. */
function judgeRead(
  session: SessionView,
  row: SessionRow | UnreadableRow | undefined,
): SessionVerdict {
  if (row === undefined || isReadable(row)) return judgeSession(session, row);
  const isOwn = row.owner === session.taskId && row.epoch === session.epoch;
  return { act: isOwn ? 'keep' : 'drop' };
}
