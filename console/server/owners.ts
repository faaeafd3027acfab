import { isCatcher } from '../../shared/session-job.ts';
import type { SessionRow, TaskRow } from '../../shared/session-table/session-row.ts';
import type { OwnerSummary } from '../views.ts';

/** More than this the page does not list. */
const MOST_OWNERS = 200;

/** A runner process of the local stack. */
export interface LocalProcess {
  readonly taskId: string;
  readonly pid: number;
  readonly frozen: boolean;
}

/** Tells since when the heartbeat of each task has not changed. Clocks of others are not compared with ours. */
export class Heartbeats {
  readonly #seen = new Map<string, { heartbeat: TaskRow['heartbeat']; changedAtMs: number }>();

  look(tasks: readonly TaskRow[], nowMs: number): void {
    const names = new Set(tasks.map(({ taskId }) => taskId));
    for (const taskId of this.#seen.keys()) if (!names.has(taskId)) this.#seen.delete(taskId);
    for (const { taskId, heartbeat } of tasks) {
      if (this.#seen.get(taskId)?.heartbeat === heartbeat) continue;
      this.#seen.set(taskId, { heartbeat, changedAtMs: nowMs });
    }
  }

  silentMs(taskId: string, nowMs: number): number {
    return nowMs - (this.#seen.get(taskId)?.changedAtMs ?? nowMs);
  }
}

export function ownersOf(
  tasks: readonly TaskRow[],
  sessions: readonly SessionRow[],
  heartbeats: Heartbeats,
  processes: readonly LocalProcess[],
  nowMs: number,
): OwnerSummary[] {
  const served = Map.groupBy(sessions, ({ owner }) => owner);
  return tasks
    .map((task): OwnerSummary => {
      const process = processes.find(({ taskId }) => taskId === task.taskId);
      return {
        taskId: task.taskId,
        kind: isCatcher(task.taskId) ? 'catcher' : 'runner',
        slotsUsed: task.slotsUsed,
        slotsTotal: task.slotsTotal,
        draining: task.draining,
        strained: task.strained ?? false,
        silentMs: heartbeats.silentMs(task.taskId, nowMs),
        sessions: served.get(task.taskId)?.length ?? 0,
        revision: task.revision,
        ...(process && { pid: process.pid, frozen: process.frozen }),
      };
    })
    .sort((a, b) => b.sessions - a.sessions || a.taskId.localeCompare(b.taskId))
    .slice(0, MOST_OWNERS);
}
