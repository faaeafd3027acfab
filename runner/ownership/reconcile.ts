import { isReadable, type UnreadableRow } from '../../shared/session-table/parse-row.ts';
import type { SessionRow } from '../../shared/session-table/session-row.ts';
import { judgeSession, type SessionVerdict, type SessionView } from './rules.ts';
import type { SessionStore } from './store.ts';

/** A task reads its own rows this often. */
export const RECONCILE_INTERVAL_MS = 2_000;

export interface Findings {
  /** What sessions have to do, by rtmsStreamId. A session that goes on as it is does not appear. */
  readonly verdicts: ReadonlyMap<string, Exclude<SessionVerdict, { act: 'keep' }>>;
  /** Rows of this task that no session serves. */
  readonly unserved: readonly SessionRow[];
}

/**
 * Compares what this task serves with what the table says. That takes one query of the index, and one consistent read
 * for each row about which the index may be wrong.
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
    // The index is eventually consistent, so no session is dropped because of the index alone.
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

/** A row that cannot be read any more changes nothing, as long as it still names this owner and epoch. */
function judgeRead(
  session: SessionView,
  row: SessionRow | UnreadableRow | undefined,
): SessionVerdict {
  if (row === undefined || isReadable(row)) return judgeSession(session, row);
  const isOwn = row.owner === session.taskId && row.epoch === session.epoch;
  return { act: isOwn ? 'keep' : 'drop' };
}
