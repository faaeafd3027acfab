import type { HistoryEvent } from '../history.ts';

/** One raise of a row's epoch, as the table has applied it. */
export interface EpochClaim {
  readonly epoch: number;
  readonly step: number;
  /** The process whose write it was. */
  readonly process: string;
}

const SESSION = 'SESSION#';

/** @returns the claims of each stream, in the order of their epochs */
export function claimsOf(history: readonly HistoryEvent[]): ReadonlyMap<string, EpochClaim[]> {
  const streams = new Map<string, EpochClaim[]>();
  for (const event of history) {
    if (event.kind !== 'row' || event.phase !== 'applied' || event.met !== true) continue;
    if (!event.row.startsWith(SESSION) || event.op !== 'write') continue;
    const [before, after] = [event.before, event.after].map((row) => Number(row?.['epoch'] ?? 0));
    if (after === undefined || after === before) continue;
    const stream = event.row.slice(SESSION.length);
    const claims = streams.get(stream) ?? [];
    streams.set(stream, claims);
    claims.push({ epoch: after, step: event.step, process: event.process });
  }
  return streams;
}

/** The process without the number of its life: two lives of one task may share a disk. */
export function taskOf(process: string): string {
  return process.slice(0, process.lastIndexOf('/'));
}
