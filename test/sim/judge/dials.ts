import type { HistoryEvent, Problem } from '../history.ts';

const SESSION = 'SESSION#';

interface Claim {
  readonly epoch: number;
  readonly process: string;
}

/** A claim of a process that another one had overtaken before its answer came. */
interface VoidClaim {
  readonly epoch: number;
  readonly newer: Claim;
}

/**
 * Did a process connect to a stream by a claim that was void when it heard of it? Zoom allows one connection, so it has thrown
 * out the owner that had claimed the stream in between, with all that Zoom does not keep. The heartbeat tells it: no other
 * process takes a stream from one whose lease has not lapsed.
 */
export function judgeDials(history: readonly HistoryEvent[]): Problem[] {
  const newest = new Map<string, Claim>();
  const applied = new Map<number, Claim>();
  const voids = new Map<string, VoidClaim>();
  const problems: Problem[] = [];
  for (const event of history) {
    if (event.kind === 'row' && event.op === 'write' && event.row.startsWith(SESSION)) {
      const stream = event.row.slice(SESSION.length);
      const { process, call, phase, before, after } = event;
      const epoch = Number(after?.['epoch'] ?? 0);
      if (phase === 'applied' && event.met === true && epoch > Number(before?.['epoch'] ?? 0)) {
        newest.set(stream, { epoch, process });
        applied.set(call, { epoch, process });
      }
      const own = phase === 'answered' ? applied.get(call) : undefined;
      const last = newest.get(stream);
      if (own === undefined || last === undefined) continue;
      const isVoid = last.epoch > own.epoch && last.process !== own.process;
      if (isVoid) voids.set(`${process} ${stream}`, { epoch: own.epoch, newer: last });
      else voids.delete(`${process} ${stream}`);
    }
    if (event.kind !== 'socket' || event.what !== 'dialled') continue;
    const { process, rtmsStreamId, step } = event;
    const found = voids.get(`${process} ${rtmsStreamId}`);
    if (found === undefined) continue;
    voids.delete(`${process} ${rtmsStreamId}`);
    const { epoch, newer } = found;
    const words = `${process} connected to ${rtmsStreamId} by its claim of epoch ${epoch}, and ${newer.process} had claimed epoch ${newer.epoch} before the answer came`;
    problems.push({ judge: 'dial', step, words });
  }
  return problems;
}
