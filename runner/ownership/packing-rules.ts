import type { TaskRow } from '../../shared/session-table/session-row.ts';

/** Tasks are filled to this share and no further, so that meetings which begin meanwhile find room there. */
const FILL_SHARE = 0.6;
/** A task with fewer heartbeats has just started, and its row does not tell yet what it will hold. */
const STEADY_HEARTBEATS = 3;

export interface PackingView {
  readonly taskId: string;
  /** Live tasks, this one included, as of the last look. */
  readonly tasks: readonly TaskRow[];
  readonly belowPercent: number;
  readonly keepTasks: number;
}

/** A task's part in packing. */
export interface PackingPart {
  /** Is this task to become empty? Then it takes nothing new while the kept tasks have room. */
  readonly empties: boolean;
  /** May this task give one session away now? One task of the fleet does at a time. */
  readonly gives: boolean;
  /** The tasks that are kept, which sessions go to. */
  readonly into: readonly TaskRow[];
}

export const NO_PART: PackingPart = { empties: false, gives: false, into: [] };

/**
 * Decides which task gives sessions to which, as every task works it out for itself from the same rows.
 *
 * The fullest tasks are kept, as many as hold everything at FILL_SHARE, and never fewer than `keepTasks`. Of the others the emptiest
 * that holds anything gives. A task that gives only becomes emptier and a kept one only fuller, so no session goes
 * back and forth. While two revisions run, a deployment moves sessions, and nothing is packed.
 */
export function judgePacking({ taskId, tasks, belowPercent, keepTasks }: PackingView): PackingPart {
  if (new Set(tasks.map(({ revision }) => revision)).size !== 1) return NO_PART;
  const steady = tasks.filter(
    ({ draining, heartbeat }) => !draining && Number(heartbeat) >= STEADY_HEARTBEATS,
  );
  const used = sum(steady, ({ slotsUsed }) => slotsUsed);
  const total = sum(steady, ({ slotsTotal }) => slotsTotal);
  if (total === 0 || (100 * used) / total >= belowPercent) return NO_PART;
  const fullestFirst = steady.toSorted(
    (a, b) => b.slotsUsed - a.slotsUsed || (a.taskId < b.taskId ? -1 : 1),
  );
  const kept = keptOf(fullestFirst, used, keepTasks);
  const others = fullestFirst.slice(kept.length);
  if (!others.some((task) => task.taskId === taskId)) return NO_PART;
  const giver = others.findLast(({ slotsUsed }) => slotsUsed > 0);
  return { empties: true, gives: giver?.taskId === taskId, into: kept };
}

function keptOf(fullestFirst: readonly TaskRow[], used: number, least: number): readonly TaskRow[] {
  let room = 0;
  const enough = fullestFirst.findIndex(({ slotsTotal }) => {
    room += FILL_SHARE * slotsTotal;
    return room >= used;
  });
  return fullestFirst.slice(0, Math.max(least, enough + 1));
}

function sum(tasks: readonly TaskRow[], of: (task: TaskRow) => number): number {
  return tasks.reduce((total, task) => total + of(task), 0);
}
