import { expect, test } from 'vitest';
import type { TaskRow } from '../../shared/session-table/session-row.ts';
import { taskRow } from '../../test/support/session/task-row.ts';
import { judgePacking } from './packing-rules.ts';

/** Tasks a, b, c, … of 30 slots, so much of each in use. */
const fleet = (...used: number[]): TaskRow[] =>
  used.map((slotsUsed, index) =>
    taskRow(String.fromCharCode(97 + index), slotsUsed, { revision: 'r1' }),
  );

const partsOf = (tasks: readonly TaskRow[], keepTasks = 1) =>
  tasks.map(({ taskId }) => {
    const { empties, gives, into } = judgePacking({ taskId, tasks, belowPercent: 30, keepTasks });
    if (!empties) return '-';
    return `${gives ? 'gives to' : 'empties for'} ${into.map((task) => task.taskId).join('')}`;
  });

const change = (tasks: readonly TaskRow[], at: number, fields: Partial<TaskRow>) =>
  tasks.map((task, index) => (index === at ? { ...task, ...fields } : task));

test.each<[string, readonly TaskRow[], number, string[]]>([
  ['the emptiest gives to the fullest', fleet(3, 8, 1), 1, ['empties for b', '-', 'gives to b']],
  ['then the next one', fleet(3, 9, 0), 1, ['gives to b', '-', 'empties for b']],
  ['nothing when all is in one', fleet(0, 12, 0), 1, ['empties for b', '-', 'empties for b']],
  ['of equal ones the later id gives', fleet(2, 2), 1, ['-', 'gives to a']],
  [
    'as many are kept as hold it at 60 %',
    fleet(9, 8, 3, 0),
    1,
    ['-', '-', 'gives to ab', 'empties for ab'],
  ],
  ['not at 30 % and above', fleet(9, 9, 9), 1, ['-', '-', '-']],
  ['not below the tasks that scaling keeps', fleet(3, 8, 1), 3, ['-', '-', '-']],
  ['down to the tasks that scaling keeps', fleet(3, 8, 1), 2, ['-', '-', 'gives to ba']],
  ['an empty fleet has nothing to give', fleet(0, 0), 1, ['-', 'empties for a']],
  ['one task alone', fleet(3), 1, ['-']],
  ['not during a deployment', change(fleet(3, 8, 1), 0, { revision: 'r2' }), 1, ['-', '-', '-']],
  [
    'not into a task that drains',
    change(fleet(3, 8, 1), 1, { draining: true }),
    1,
    ['-', '-', 'gives to a'],
  ],
  [
    'not into a task that has just started',
    change(fleet(3, 8, 1), 1, { heartbeat: 1 }),
    1,
    ['-', '-', 'gives to a'],
  ],
  [
    'outside ECS nobody has a revision',
    fleet(3, 8).map(({ revision: _, ...task }) => task),
    1,
    ['gives to b', '-'],
  ],
])('%s', (_, tasks, keepTasks, parts) => {
  expect(partsOf(tasks, keepTasks)).toEqual(parts);
});

test('packing ends with all sessions in as few tasks as hold them, whatever it begins with', () => {
  for (let seed = 1; seed <= 200; seed++) {
    let state = seed;
    const draw = (below: number) => {
      state = (state * 48_271) % 0x7fff_ffff;
      return state % below;
    };
    let tasks = fleet(...Array.from({ length: 2 + draw(9) }, () => draw(12)));
    const used = tasks.reduce((total, { slotsUsed }) => total + slotsUsed, 0);
    if (used / (30 * tasks.length) >= 0.3) continue;
    for (let moves = 0; ; moves++) {
      expect(moves).toBeLessThanOrEqual(used);
      const parts = tasks.map(({ taskId }) =>
        judgePacking({ taskId, tasks, belowPercent: 30, keepTasks: 1 }),
      );
      const givers = parts.flatMap(({ gives }, index) => (gives ? [index] : []));
      expect(givers.length).toBeLessThanOrEqual(1);
      const [giver] = givers;
      if (giver === undefined) break;
      const target = parts[giver]?.into.find(({ slotsUsed }) => slotsUsed < 30)?.taskId;
      tasks = tasks.map((task, index) => ({
        ...task,
        slotsUsed: task.slotsUsed + (task.taskId === target ? 1 : 0) - (index === giver ? 1 : 0),
      }));
    }
    const busy = tasks.filter(({ slotsUsed }) => slotsUsed > 0).length;
    expect(busy).toBe(Math.ceil(used / 18));
  }
});
