import type { HistoryEvent, Problem, RowEvent } from '../history.ts';

const SESSION = 'SESSION#';
/** A client waits for no answer longer than that: what comes later is heard by nobody. */
const HEARD_WITHIN_MS = 2_000;

/** A claim that its process has heard of. */
interface HeardClaim {
  readonly process: string;
  readonly epoch: number;
  /** At which it left the process. */
  readonly step: number;
}

/**
 * Did a process claim a stream that it served already? It has dropped a session then that nobody took from it, with all that
 * the session held. A process that was frozen or cut off may have lost it, and one that never heard of its claim has none.
 */
export function judgeReclaims(history: readonly HistoryEvent[]): Problem[] {
  const lapses = new Map<string, number>();
  const left = new Map<number, RowEvent>();
  const applied = new Map<number, RowEvent>();
  const heard = new Map<string, HeardClaim>();
  const problems: Problem[] = [];
  for (const event of history) {
    if ((event.kind === 'process' && event.what === 'frozen') || event.kind === 'fault') {
      lapses.set(event.process ?? '', event.step);
    }
    if (event.kind !== 'row' || event.op !== 'write' || !event.row.startsWith(SESSION)) continue;
    if (event.phase === 'invoked') left.set(event.call, event);
    if (event.phase === 'applied' && isClaim(event)) {
      const before = heard.get(event.row);
      const epoch = Number(event.after?.['epoch']);
      const isAgain =
        before?.process === event.process &&
        before.epoch === epoch - 1 &&
        event.before?.['owner'] === event.after?.['owner'];
      if (isAgain && (lapses.get(event.process) ?? 0) < before.step) {
        const words = `${event.process} claimed ${event.row.slice(SESSION.length)} in epoch ${epoch}, which it served already`;
        problems.push({ judge: 'reclaim', step: event.step, words });
      }
      applied.set(event.call, event);
    }
    const claim = event.phase === 'answered' ? applied.get(event.call) : undefined;
    if (claim === undefined || event.phase !== 'answered') continue;
    const { process, row, call, after } = claim;
    const { step = 0, atMs = 0 } = left.get(call) ?? {};
    if (event.atMs - atMs >= HEARD_WITHIN_MS) continue;
    heard.set(row, { process, epoch: Number(after?.['epoch']), step });
  }
  return problems;
}

/** Does the write make its process the owner? */
function isClaim({ met, before, after, process }: RowEvent): boolean {
  const isRaised = Number(after?.['epoch'] ?? 0) > Number(before?.['epoch'] ?? 0);
  const owner = String(after?.['owner'] ?? '');
  return met === true && isRaised && owner !== '' && owner !== 'RESTARTS' && process !== '';
}
