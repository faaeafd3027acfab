import type { HeldEvent, HistoryEvent, Problem } from '../history.ts';

/** What may not be more than before the first meeting, and what has to be none, when all meetings have ended. */
const NONE = ['sessions', 'calls', 'bufferedBytes', 'spoolBytes'] as const;
const AS_BEFORE = ['timers', 'sockets'] as const;

/** Does a process hold anything of meetings that have ended? */
export function judgeLeaks(history: readonly HistoryEvent[]): Problem[] {
  const held = history.filter((event) => event.kind === 'held');
  const before = held.filter(({ when }) => when === 'before');
  return held
    .filter(({ when }) => when === 'after')
    .flatMap((after) => [
      ...NONE.filter((what) => after[what] > 0).map((what) => leak(after, what, 0)),
      ...AS_BEFORE.flatMap((what) => {
        const allowed = idleOf(after, before)?.[what];
        return allowed !== undefined && after[what] > allowed ? [leak(after, what, allowed)] : [];
      }),
    ]);
}

/** The process itself when it was idle; for one that was started later, the others of its kind. */
function idleOf({ process }: HeldEvent, before: readonly HeldEvent[]): HeldEvent | undefined {
  const kind = kindOf(process);
  const own = before.find((event) => event.process === process);
  return own ?? before.find((event) => kindOf(event.process) === kind);
}

/** `runner` of `runner-3/1`. */
const kindOf = (process: string) => process.replace(/-?\d*\/\d+$/, '');

function leak(
  { process, step, ...held }: HeldEvent,
  what: (typeof NONE)[number] | (typeof AS_BEFORE)[number],
  allowed: number,
): Problem {
  const words = `${process} holds ${held[what]} ${what} when all meetings have ended, ${allowed} are allowed`;
  return { judge: 'leak', step, words };
}
