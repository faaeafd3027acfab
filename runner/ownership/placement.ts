import type { TaskRow } from '../../shared/session-table/session-row.ts';
import { roomFor } from '../../shared/session-table/slots.ts';

/** Every further runner in line waits one window longer, so that claims do not collide. */
export const PLACEMENT_WINDOW_MS = 1_000;

/**
 * Who is to claim an orphan, and when. The live runners with room form a line whose order differs from stream to stream,
 * so that the sessions of a dead task spread over all of them: the runners need not talk, and do not all claim at once.
 *
 * @param runners live tasks as last seen, this one included
 * @param sessionSlots what the session weighs; -Infinity for what needs no room
 * @returns 0 for the first in line; undefined when this runner is draining or has no room
 */
export function placeInLine(
  rtmsStreamId: string,
  taskId: string,
  runners: readonly Pick<TaskRow, 'taskId' | 'slotsUsed' | 'slotsTotal' | 'draining'>[],
  sessionSlots: number,
): number | undefined {
  const fit = runners.filter(
    (task) => !task.draining && task.slotsTotal - task.slotsUsed >= sessionSlots,
  );
  if (!fit.some((task) => task.taskId === taskId)) return undefined;
  const own = weight(rtmsStreamId, taskId);
  return fit.filter((task) => {
    const other = weight(rtmsStreamId, task.taskId);
    return other > own || (other === own && task.taskId > taskId);
  }).length;
}

/**
 * @returns how many sessions these tasks would take now; a session cannot be divided between two of them, and one that
 *   is given to a task under strain has to be taken back, with one more epoch
 */
export function roomOfTasks(
  tasks: readonly Pick<TaskRow, 'slotsUsed' | 'slotsTotal' | 'draining' | 'strained'>[],
  sessionSlots: number,
): number {
  return tasks
    .filter(({ draining, strained }) => !draining && strained !== true)
    .reduce((sum, task) => sum + roomFor(task, sessionSlots), 0);
}

/** FNV-1a over both ids, finished as in MurmurHash3 so that ids that differ in one digit spread. */
function weight(rtmsStreamId: string, taskId: string): number {
  let hash = 0x811c9dc5;
  for (const char of `${rtmsStreamId}/${taskId}`) {
    hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
