import { expect, test } from 'vitest';
import { EXPIRE_AFTER_MS } from '../../runner/ownership/tenure.ts';
import { CATCHER_LOOK_SECONDS, type CatcherLook } from '../../shared/session-job.ts';
import {
  type SessionRow,
  TASKS,
  type TaskRow,
  UNOWNED,
} from '../../shared/session-table/session-row.ts';
import { readCatcherConfig } from './config.ts';
import { deleteIfAtRest, lookAtCatcher, unclaimed } from './looks.ts';
import { LEAVE_BEFORE_MS, leavesFor } from './serve.ts';
import { tasksWanted } from './start-tasks.ts';

const ROW: SessionRow = {
  pk: 'SESSION#s',
  rtmsStreamId: 's',
  startEventTsMs: 1,
  serverUrls: ['wss://zoom.us'],
  product: 'meeting',
  entityId: 'e',
  app: 'default',
  requestedAtMs: 1,
  owner: UNOWNED,
};

test.each<[string, Partial<SessionRow>, boolean]>([
  ['nobody has claimed', {}, true],
  ['was handed over and nobody has claimed', { epoch: 1, handedOverBy: 'other' }, true],
  ['a task has claimed', { owner: 'task', epoch: 1 }, false],
  ['another execution has claimed', { owner: 'catcher-1', epoch: 1 }, false],
  ['was stopped before anybody served it', { stopEventTsMs: 2, stopReason: 6 }, true],
  ['has ended', { owner: undefined as never, epoch: 1, endedStartEventTsMs: 1 }, false],
  ['is the synthetic meeting', { app: 'synthetic' }, false],
  ['is quarantined', { epoch: 2, quarantinedUntilMs: Date.now() + 60_000 }, false],
])('of a stream that %s, one read says whether the catcher takes it', async (_, fields, takes) => {
  let reads = 0;
  const store = {
    async session() {
      reads += 1;
      return { ...ROW, ...fields };
    },
  };
  expect((await unclaimed('s', store)) !== undefined).toBe(takes);
  expect(reads).toBe(1);
});

/** One look at an execution whose heartbeat stands at 7. */
async function look(seen: Pick<CatcherLook, 'heartbeat' | 'isChain'>, owns: number, lives = true) {
  const task: TaskRow = {
    pk: 'TASK#catcher-1',
    owner: TASKS,
    taskId: 'catcher-1',
    heartbeat: 7,
    slotsUsed: owns,
    slotsTotal: 10,
    draining: false,
  };
  const followed: unknown[] = [];
  let deleted = 0;
  const dead = await lookAtCatcher(
    { version: 1, catcherId: 'catcher-1', ...seen },
    {
      task: async () => (lives ? task : undefined),
      sessionsOf: async () => Array.from({ length: owns }, () => ROW),
      async deleteTask() {
        deleted += 1;
      },
    },
    { follow: async (next, afterSeconds) => void followed.push([next, afterSeconds]) },
  );
  return { dead, followed, deleted };
}

test('an execution is dead when its heartbeat is what it was when the message was sent', async () => {
  const { dead, followed } = await look({ heartbeat: 7 }, 2);
  expect(dead).toMatchObject({ silentForMs: EXPIRE_AFTER_MS, rows: [ROW, ROW] });
  // Until its streams have another owner: whoever takes over may be killed as well.
  expect(followed).toEqual([[{ catcherId: 'catcher-1', heartbeat: 7 }, 2]]);
  expect(1_000 * CATCHER_LOOK_SECONDS).toBe(EXPIRE_AFTER_MS);
});

test('of an execution that lives, only the chain goes on', async () => {
  expect(await look({ heartbeat: 4 }, 2)).toEqual({ dead: undefined, followed: [], deleted: 0 });
  const { dead, followed } = await look({ heartbeat: 4, isChain: true }, 2);
  expect(dead).toBeUndefined();
  expect(followed).toEqual([[{ catcherId: 'catcher-1', heartbeat: 7, isChain: true }, undefined]]);
});

test('the looks at an execution end when it is dead and owns nothing, or has ended', async () => {
  const nothing = { dead: undefined, followed: [] };
  expect(await look({ heartbeat: 7, isChain: true }, 0)).toEqual({ ...nothing, deleted: 1 });
  expect(await look({ heartbeat: 7, isChain: true }, 2, false)).toEqual({ ...nothing, deleted: 0 });
});

test.each([
  ['goes when it owns nothing', 0],
  ['stays while it owns a stream that is still to be told, or could not be given away', 1],
])('the row of an execution that has ended %s', async (_, owns) => {
  let deleted = 0;
  const task = { taskId: 'catcher-1', heartbeat: 7 } as TaskRow;
  const rows = await deleteIfAtRest(task, {
    sessionsOf: async () => Array.from({ length: owns }, () => ROW),
    async deleteTask() {
      deleted += 1;
    },
  });
  expect({ owns: rows.length, deleted }).toEqual({ owns, deleted: 1 - owns });
});

test.each([
  ['no task and no look yet', undefined, 0, 1],
  ['one task that starts', undefined, 1, 1],
  ['a task with room for all', { tasks: 1, freeSlots: 30, caughtSlots: 20 }, 1, 1],
  ['more caught than one task holds', { tasks: 0, freeSlots: 0, caughtSlots: 50 }, 1, 2],
  ['a full task', { tasks: 1, freeSlots: 0, caughtSlots: 1 }, 1, 2],
  ['more than the service may have', { tasks: 4, freeSlots: 0, caughtSlots: 300 }, 4, 5],
  ['old tasks beside the new ones, and room', { tasks: 4, freeSlots: 60, caughtSlots: 5 }, 2, 2],
  ['old tasks beside the new ones, and no room', { tasks: 4, freeSlots: 0, caughtSlots: 5 }, 2, 3],
  ['a service that is larger already', { tasks: 2, freeSlots: 0, caughtSlots: 1 }, 9, 9],
])('with %s the service is asked for enough tasks', (_, fleet, desired, wanted) => {
  expect(tasksWanted(fleet, desired, { taskCapacity: 30, maxTasks: 5 })).toBe(wanted);
});

test.each([
  ['goes on with a session', {}, undefined],
  ['ends without one', { slotsUsed: 0 }, 'idle'],
  ['waits for one that is on its way', { slotsUsed: 0, isMoving: true }, undefined],
  ['ends 2 minutes before its time', { remainingMs: LEAVE_BEFORE_MS - 1 }, 'time'],
  ['ends before its memory is used up', { memoryShare: 0.95 }, 'memory'],
  ['ends when its event loop is late', { eventLoopDelayMs: 3_000 }, 'event_loop'],
])('an invocation %s', (_, fields, why) => {
  const holding = { remainingMs: 800_000, memoryShare: 0.3, eventLoopDelayMs: 5 };
  expect(leavesFor({ ...holding, slotsUsed: 1, isMoving: false, ...fields })).toBe(why);
});

test('the configuration of the catcher names what is missing', () => {
  const environment = {
    DEPLOYMENT: 'd',
    AWS_REGION: 'us-east-1',
    SESSION_TABLE: 't',
    JOB_QUEUE_URL: 'q',
    ZOOM_SECRET_ID: 's',
    ALLOWED_HOSTS: 'zoom.us',
    MEDIA_STREAM: 'm',
    EVENTS_STREAM: 'e',
    CAPACITY: '10',
    SPOOL_DIR: '/tmp/spool',
    SPOOL_MAX_BYTES: '1',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '2048',
    CATCHER_QUEUE_URL: 'c',
    RUNNER_CLUSTER: 'cluster',
    RUNNER_SERVICE: 'service',
    TASK_CAPACITY: '30',
    MAX_TASKS: '20',
  };
  expect(readCatcherConfig(environment)).toMatchObject({
    catcherQueueUrl: 'c',
    service: { cluster: 'cluster', name: 'service' },
    runner: { memoryMib: 2_048, catcherQueueUrl: 'c' },
  });
  expect(() => readCatcherConfig({ ...environment, RUNNER_SERVICE: '', MAX_TASKS: '0' })).toThrow(
    /RUNNER_SERVICE is missing; MAX_TASKS must be a whole number/,
  );
});
