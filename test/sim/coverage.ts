import type { HistoryEvent } from './history.ts';

/** What a run has come through. */
export interface Coverage {
  /** States of session rows: who owns it, how it ended, and what stands in it besides. */
  readonly states: readonly string[];
  /** Kinds of faults. */
  readonly faults: readonly string[];
  /** Two kinds of faults within a minute, in this order. */
  readonly pairs: readonly string[];
}

const NEAR_MS = 60_000;
const MARKS = ['handedOverBy', 'missed', 'untold', 'inPart', 'proofs', 'restart', 'continues'];

export function coverageOf(common: readonly HistoryEvent[]): Coverage {
  const [states, faults, pairs] = [new Set<string>(), new Set<string>(), new Set<string>()];
  let recent: { fault: string; atMs: number }[] = [];
  for (const event of common) {
    if (event.kind === 'row' && event.row.startsWith('SESSION#')) {
      const { owner, endedReason, ...row } = event.after ?? {};
      const marks = MARKS.filter((mark) => mark in row);
      states.add([kindOf(owner), endedReason ?? 'open', ...marks].join(' '));
    }
    if (event.kind !== 'fault') continue;
    faults.add(event.fault);
    recent = recent.filter(({ atMs }) => event.atMs - atMs < NEAR_MS);
    for (const { fault } of recent) pairs.add(`${fault} ${event.fault}`);
    recent.push({ fault: event.fault, atMs: event.atMs });
  }
  return { states: [...states], faults: [...faults], pairs: [...pairs] };
}

function kindOf(owner: unknown): string {
  if (owner === undefined) return 'nobody';
  return String(owner).replace(/-.*$/, '');
}
