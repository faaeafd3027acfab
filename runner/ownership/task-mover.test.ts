import { beforeEach, expect, test } from 'vitest';
import { SILENT_LOGGER } from '../../shared/logger.ts';
import { NO_METRICS } from '../../shared/metrics.ts';
import {
  type SessionRow,
  TASKS,
  type TaskRow,
  UNOWNED,
} from '../../shared/session-table/session-row.ts';
import { isOfRevision } from '../task/ecs.ts';
import { type MoveTarget, TaskMover } from './task-mover.ts';

const PRIMARY = { id: 'ecs-svc/2', taskDefinition: 'arn:…/runner:1', runningCount: 1 };
const NEWER: MoveTarget = {
  cause: 'revision',
  includes: (one) => isOfRevision(PRIMARY, one?.revision),
};

const task = (fields: Partial<TaskRow> = {}): TaskRow => ({
  pk: 'TASK#new',
  owner: TASKS,
  taskId: 'new',
  heartbeat: 3,
  slotsUsed: 0,
  slotsTotal: 10,
  draining: false,
  revision: 'ecs-svc/2',
  ...fields,
});

/** What becomes of a session that is given away. */
type Fate = 'served' | 'given back' | 'served by an old one';

let tasks: TaskRow[];
let fate: Fate;
let row: SessionRow;
let given: string[];
let backlogMs: number;
let mover: TaskMover;
beforeEach(() => {
  tasks = [task()];
  fate = 'served';
  given = [];
  backlogMs = 0;
  mover = new TaskMover({
    taskId: 'old',
    store: { session: async () => row, askBack: async () => {} },
    tasks: () => tasks,
    isExpired: () => false,
    sessions: () => ({
      isDraining: false,
      nextToMove: () => ({ rtmsStreamId: `s${given.length}`, epoch: 1 }),
      async giveAway({ rtmsStreamId }) {
        given.push(rtmsStreamId);
        const owner = { served: 'new', 'given back': UNOWNED, 'served by an old one': 'other' }[
          fate
        ];
        const start = { startEventTsMs: 1, serverUrls: [], requestedAtMs: 1, entityId: 'e' };
        const ids = { pk: `SESSION#${rtmsStreamId}`, rtmsStreamId, product: 'meeting' } as const;
        row = {
          ...ids,
          ...start,
          owner,
          epoch: 2,
          ...(owner !== UNOWNED && { connectedEpoch: 2 }),
        };
      },
      async takeBack() {
        row = { ...row, owner: 'old', epoch: 3 };
      },
    }),
    sessionSlots: 5,
    backlogMs: () => backlogMs,
    logger: SILENT_LOGGER,
    metrics: NO_METRICS,
  });
});

test('a task of the newest revision moves no session', async () => {
  await mover.step();
  expect(given).toEqual([]);
  expect(mover.yields).toBe(false);
});

test.each<[string, TaskRow[]]>([
  ['no task of the newer revision', []],
  ['a task of another revision only', [task({ revision: 'ecs-svc/1' })]],
  ['a task that names no revision', [task({ revision: undefined as unknown as string })]],
  ['a task that has just begun', [task({ heartbeat: 2 })]],
  ['a task that drains', [task({ draining: true })]],
  ['a full task', [task({ slotsUsed: 6 })]],
  ['a task under strain', [task({ strained: true })]],
  ['two tasks that have half the room each', [task({ slotsUsed: 7 }), task({ slotsUsed: 8 })]],
])('moves nothing to %s, and takes what is new itself', async (_what, there) => {
  tasks = there;
  mover.moveTo(NEWER);
  await mover.step();
  expect(given).toEqual([]);
  expect(mover.yields).toBe(false);
});

test('sessions move one at a time, and no more of them than room was shown for', async () => {
  mover.moveTo(NEWER);
  expect(mover.yields).toBe(true);
  await mover.step();
  expect(given).toEqual(['s0']);
  await mover.step();
  // The heartbeat has not told yet that both slots are used.
  await mover.step();
  expect(given).toEqual(['s0', 's1']);
});

test.each<Fate>(['given back', 'served by an old one'])(
  'the other sessions stay for a while after one was %s',
  async (what) => {
    fate = what;
    mover.moveTo(NEWER);
    await mover.step();
    expect(mover.yields).toBe(false);
    await mover.step();
    expect(given).toEqual(['s0']);
  },
);

test('no session moves while records have waited for Kinesis for long', async () => {
  mover.moveTo(NEWER);
  backlogMs = 3_000;
  await mover.step();
  expect(given).toEqual([]);
  expect(mover.yields).toBe(true);
  backlogMs = 500;
  await mover.step();
  expect(given).toEqual(['s0']);
});

test('no session moves any more when the deployment was rolled back', async () => {
  mover.moveTo(NEWER);
  mover.moveTo(undefined);
  await mover.step();
  expect(given).toEqual([]);
});
