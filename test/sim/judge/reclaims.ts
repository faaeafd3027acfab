import type { HistoryEvent, Problem, RowEvent } from '../history.ts';
import { hasLapsed, isHeartbeat } from './leases.ts';

const SESSION = 'SESSION#';
/** A client waits for no answer longer than that: what comes later is heard by nobody. */
const HEARD_WITHIN_MS = 2_000;

/** A claim that its process has heard of. */
interface HeardClaim {
  readonly process: string;
  readonly epoch: number;
  /** When it left the process. */
  readonly sentAtMs: number;
}

/**
 * Did a process claim a stream that it served already? It has dropped a session then that nobody took from it, with all that
 * the session held. One whose lease has lapsed since may have lost it, or has never served it: what was claimed in a term is void
 * when the term is over. And one that never heard of its claim has none.
 *
 * A fault says nothing about the lease. A freeze of two seconds leaves it alone, and a slow table, of which no fault names the
 * process, ends it.
 *
 * @param heartbeatsOf writes to the row of a process, of this stream's time at least
 */
export function judgeReclaims(
  history: readonly HistoryEvent[],
  heartbeatsOf = (process: string): readonly RowEvent[] =>
    history.filter(isHeartbeat).filter((event) => event.process === process),
): Problem[] {
  const sentAtMs = new Map<number, number>();
  const applied = new Map<number, RowEvent>();
  const heard = new Map<string, HeardClaim>();
  const problems: Problem[] = [];
  for (const event of history) {
    if (event.kind !== 'row' || event.op !== 'write' || !event.row.startsWith(SESSION)) continue;
    const { process, call, row, step, atMs, after } = event;
    if (event.phase === 'invoked') sentAtMs.set(call, atMs);
    if (event.phase === 'applied' && isClaim(event)) {
      const before = heard.get(row);
      const epoch = Number(after?.['epoch']);
      const isAgain =
        before?.process === process &&
        before.epoch === epoch - 1 &&
        event.before?.['owner'] === after?.['owner'];
      const toMs = sentAtMs.get(call) ?? atMs;
      if (isAgain && !hasLapsed(heartbeatsOf(process), before.sentAtMs, toMs)) {
        const words = `${process} claimed ${row.slice(SESSION.length)} in epoch ${epoch}, which it served already`;
        problems.push({ judge: 'reclaim', step, words });
      }
      applied.set(call, event);
    }
    const claim = event.phase === 'answered' ? applied.get(call) : undefined;
    if (claim === undefined) continue;
    const leftAtMs = sentAtMs.get(call) ?? 0;
    if (atMs - leftAtMs >= HEARD_WITHIN_MS) continue;
    heard.set(row, { process, epoch: Number(claim.after?.['epoch']), sentAtMs: leftAtMs });
  }
  return problems;
}

/** Does the write make its process the owner? */
function isClaim({ met, before, after, process }: RowEvent): boolean {
  const isRaised = Number(after?.['epoch'] ?? 0) > Number(before?.['epoch'] ?? 0);
  const owner = String(after?.['owner'] ?? '');
  return met === true && isRaised && owner !== '' && owner !== 'RESTARTS' && process !== '';
}
