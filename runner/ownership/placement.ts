import type { TaskRow } from '../../shared/session-table/session-row.ts';
import { roomFor } from '../session/admission.ts';

/** Every further runner in line waits this much longer, so that claims do not collide. */
export const TURN_MS = 1_000;

/**
 * Whose turn it is to claim an orphan: the live runners with room line up in an order that differs from
 * stream to stream, so that a dead task's sessions spread over all of them without talk and without a rush.
 *
 * @param runners live tasks as last seen, this one included
 * @param cost cost units the session needs
 * @returns 0 for the first in line; undefined when this runner is draining or has no room
 */
export function turnOf(
  rtmsStreamId: string,
  taskId: string,
  runners: readonly Pick<TaskRow, 'taskId' | 'slotsUsed' | 'slotsTotal' | 'draining'>[],
  cost: number,
): number | undefined {
  const fit = runners.filter((task) => !task.draining && task.slotsTotal - task.slotsUsed >= cost);
  if (!fit.some((task) => task.taskId === taskId)) return undefined;
  const own = weight(rtmsStreamId, taskId);
  return fit.filter((task) => {
    const other = weight(rtmsStreamId, task.taskId);
    return other > own || (other === own && task.taskId > taskId);
  }).length;
}

/** How many sessions the live tasks given have room for, each by itself. */
export function roomOfTasks(
  tasks: readonly Pick<TaskRow, 'slotsUsed' | 'slotsTotal' | 'draining'>[],
  cost: number,
): number {
  return tasks
    .filter(({ draining }) => !draining)
    .reduce((sum, task) => sum + roomFor(task, cost), 0);
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
