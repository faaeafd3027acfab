import { TASKS, type TaskRow } from '../../../shared/session-table/session-row.ts';

/** A task of 30 slots that lives and takes sessions. */
export function taskRow(taskId: string, slotsUsed: number, fields: Partial<TaskRow> = {}): TaskRow {
  return {
    pk: `TASK#${taskId}`,
    owner: TASKS,
    taskId,
    heartbeat: 10,
    slotsUsed,
    slotsTotal: 30,
    draining: false,
    ...fields,
  };
}
