import { HEARTBEAT_AS_SEEN, OWNER_AND_TTL_NAMES } from './conditions.ts';
import {
  ATTRIBUTE,
  expiresAt,
  type RowDeletion,
  type RowWrite,
  TASKS,
  type TaskRow,
  taskKey,
} from './session-row.ts';

/** What a task says of itself with every beat of its heart. */
export type TaskReport = Pick<
  TaskRow,
  | 'taskId'
  | 'slotsUsed'
  | 'slotsTotal'
  | 'draining'
  | 'strained'
  | 'revision'
  | 'startedAtMs'
  | 'wroteUntilMs'
> & {
  /** When it last raised its heartbeat with the right to serve, and could stand for all its streams, Unix ms. @default now */
  readonly servedAtMs?: number;
};

/**
 * Raises a task's heartbeat. Unconditional: nobody else writes the row, and a late one does no harm.
 *
 * `renewedAtMs` is what others take for a sign that the task received its streams. A task whose lease has lapsed writes nothing of
 * what it receives, and closes its sockets in the end, while its heartbeats may go on to arrive whose answers are lost. When the
 * lease is back, they say nothing of the streams that it dropped meanwhile.
 */
export function writeHeartbeat(task: TaskReport, nowMs: number): RowWrite {
  const { revision, startedAtMs, wroteUntilMs } = task;
  return {
    Key: { pk: taskKey(task.taskId) },
    UpdateExpression:
      `SET #owner = :tasks, taskId = :taskId, ${ATTRIBUTE.slotsUsed} = :used, ${ATTRIBUTE.slotsTotal} = :total, draining = :draining, strained = :strained, #ttl = :ttl, renewedAtMs = :served, aliveAtMs = :now` +
      (revision === undefined ? '' : ', revision = :revision') +
      (startedAtMs === undefined ? '' : ', startedAtMs = :started') +
      (wroteUntilMs === undefined ? '' : ', wroteUntilMs = :wrote') +
      ' ADD heartbeat :one',
    ExpressionAttributeNames: OWNER_AND_TTL_NAMES,
    ExpressionAttributeValues: {
      ':tasks': TASKS,
      ':taskId': task.taskId,
      ':used': task.slotsUsed,
      ':total': task.slotsTotal,
      ':draining': task.draining,
      ':strained': task.strained ?? false,
      ':served': task.servedAtMs ?? nowMs,
      ':now': nowMs,
      ':ttl': expiresAt(nowMs),
      ...(revision !== undefined && { ':revision': revision }),
      ...(startedAtMs !== undefined && { ':started': startedAtMs }),
      ...(wroteUntilMs !== undefined && { ':wrote': wroteUntilMs }),
      ':one': 1,
    },
  };
}

/** Deletes the row of a dead task. Condition: `HEARTBEAT_AS_SEEN`. */
export function deleteTask(seen: Pick<TaskRow, 'taskId' | 'heartbeat'>): RowDeletion {
  return {
    Key: { pk: taskKey(seen.taskId) },
    ConditionExpression: HEARTBEAT_AS_SEEN,
    ExpressionAttributeValues: { ':seen': seen.heartbeat },
  };
}
