import { DRAIN_TIMES } from '../../../runner/task/drain-deadline.ts';
import type { HistoryEvent, Problem } from '../history.ts';

/** A little more than the last step of a drain: the timer that ends the process may itself be late. */
const DRAIN_WITHIN_MS = DRAIN_TIMES.exitMs + 2_000;

interface Drain {
  readonly process: string;
  readonly sinceMs: number;
  frozenMs: number;
  frozenAtMs: number | undefined;
}

/** Does every process end in time after SIGTERM? The time in which it was frozen does not count. */
export function judgeDrains(history: readonly HistoryEvent[]): Problem[] {
  const drains = new Map<string, Drain>();
  const problems: Problem[] = [];
  const judge = (drain: Drain, step: number, atMs: number) => {
    const stillFrozenMs = drain.frozenAtMs === undefined ? 0 : atMs - drain.frozenAtMs;
    const tookMs = atMs - drain.sinceMs - drain.frozenMs - stillFrozenMs;
    if (tookMs <= DRAIN_WITHIN_MS) return;
    const words = `${drain.process} has drained for ${tookMs} ms, ${DRAIN_WITHIN_MS} are allowed`;
    problems.push({ judge: 'drain', step, words });
  };
  for (const event of history) {
    if (event.kind === 'end') {
      for (const drain of drains.values()) judge(drain, event.step, event.atMs);
    }
    if (event.kind !== 'process') continue;
    const { process, what, step, atMs } = event;
    const drain = drains.get(process);
    if (what === 'draining' && drain === undefined) {
      drains.set(process, { process, sinceMs: atMs, frozenMs: 0, frozenAtMs: undefined });
    }
    if (drain === undefined) continue;
    if (what === 'frozen') drain.frozenAtMs ??= atMs;
    if (what === 'thawed' && drain.frozenAtMs !== undefined) {
      drain.frozenMs += atMs - drain.frozenAtMs;
      drain.frozenAtMs = undefined;
    }
    if (what === 'exited') judge(drain, step, atMs);
    if (what === 'exited' || what === 'killed' || what === 'crashed') drains.delete(process);
  }
  return problems;
}
