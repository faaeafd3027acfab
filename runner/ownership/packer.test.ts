import { beforeEach, expect, test } from 'vitest';
import { SILENT_LOGGER } from '../../shared/logger.ts';
import { NO_METRICS } from '../../shared/metrics.ts';
import { type SessionRow, type TaskRow, UNOWNED } from '../../shared/session-table/session-row.ts';
import { taskRow } from '../../test/support/session/task-row.ts';
import { Packer } from './packer.ts';

const NIGHT_MS = Date.parse('2026-11-27T03:00:00Z');
const DAY_MS = Date.parse('2026-11-27T12:00:00Z');

let tasks: TaskRow[];
let nowMs: number;
/** Who claims what is given away. */
let claimedBy: string;
let given: string[];
let asked: string[];
let packer: Packer;
beforeEach(() => {
  tasks = [taskRow('full', 8), taskRow('own', 1), taskRow('empty', 0)];
  nowMs = NIGHT_MS;
  claimedBy = 'full';
  given = [];
  asked = [];
  let row: SessionRow;
  packer = new Packer({
    packing: {
      from: '01:00',
      to: '05:00',
      timeZone: 'UTC',
      belowPercent: 30,
      sessions: 'audio',
      keepTasks: 1,
    },
    taskId: 'own',
    store: { session: async () => row, askBack: async () => {} },
    tasks: () => tasks,
    isExpired: () => false,
    sessions: () => ({
      isDraining: false,
      nextToPack(which) {
        asked.push(which);
        return { rtmsStreamId: `s${given.length}`, epoch: 1 };
      },
      async giveAway({ rtmsStreamId }, cause) {
        expect(cause).toBe('packing');
        given.push(rtmsStreamId);
        row = {
          pk: `SESSION#${rtmsStreamId}`,
          rtmsStreamId,
          product: 'meeting',
          startEventTsMs: 1,
          serverUrls: [],
          requestedAtMs: 1,
          entityId: 'e',
          owner: claimedBy,
          epoch: 2,
          ...(claimedBy !== UNOWNED && { connectedEpoch: 2 }),
        };
      },
      async takeBack() {
        row = { ...row, owner: 'own', epoch: 3 };
      },
    }),
    sessionSlots: 1,
    logger: SILENT_LOGGER,
    metrics: NO_METRICS,
    clock: () => nowMs,
    betweenMovesMs: 0,
  });
});

test('gives what the configuration allows, one session a step, and leaves new streams to the fuller task', async () => {
  expect(packer.yields).toBe(true);
  await packer.step();
  expect(given).toEqual(['s0']);
  await packer.step();
  expect(given).toEqual(['s0', 's1']);
  expect(new Set(asked)).toEqual(new Set(['audio']));
});

test.each<[string, () => void]>([
  ['outside of the quiet hours', () => (nowMs = DAY_MS)],
  ['while more is used', () => (tasks = [taskRow('full', 20), taskRow('own', 10)])],
  ['when its own task is the fuller one', () => (tasks = [taskRow('full', 1), taskRow('own', 8)])],
])('gives nothing and takes what is new %s', async (_, change) => {
  change();
  expect(packer.yields).toBe(false);
  await packer.step();
  expect(given).toEqual([]);
});

test('gives nothing while an emptier task has a session, and takes nothing new', async () => {
  tasks = [taskRow('full', 8), taskRow('own', 2), taskRow('other', 1)];
  await packer.step();
  expect(given).toEqual([]);
  expect(packer.yields).toBe(true);
});

test.each([
  ['a task that is to become empty has claimed it', 'empty'],
  ['it was given back', UNOWNED],
])('keeps the rest for a while and takes what is new when %s', async (_, owner) => {
  claimedBy = owner;
  await packer.step();
  claimedBy = 'full';
  await packer.step();
  expect(given).toEqual(['s0']);
  expect(packer.yields).toBe(false);
});
