import { expect, test } from 'vitest';
import type { TableEvent } from '../history.ts';
import { judgeRest } from './rest.ts';

const TABLE: TableEvent = {
  step: 9,
  atMs: 1,
  kind: 'table',
  tasks: ['task-1'],
  rows: [
    { pk: 'SESSION#s', endedReason: 1 },
    { pk: 'SESSION#t', owner: 'RESTARTS' },
    { pk: 'TASK#task-1', owner: 'TASKS', taskId: 'task-1' },
    { pk: 'TASK#task-2', owner: 'TASKS', taskId: 'task-2' },
  ],
  indexed: [
    { pk: 'SESSION#t', owner: 'RESTARTS' },
    { pk: 'TASK#task-1', owner: 'TASKS' },
    { pk: 'TASK#task-2', owner: 'TASKS' },
  ],
};

const words = (change: Partial<TableEvent>) =>
  judgeRest([{ ...TABLE, ...change }]).map((found) => found.words);

test('a table at rest is fine', () => {
  expect(words({})).toEqual([]);
});

test.each<[string, Partial<TableEvent>, string[]]>([
  [
    'a stream that somebody still owns',
    {
      rows: [...TABLE.rows, { pk: 'SESSION#u', owner: 'task-1' }],
      indexed: [...TABLE.indexed, { pk: 'SESSION#u', owner: 'task-1' }],
    },
    ['SESSION#u still has the owner task-1'],
  ],
  [
    'events that nobody has told',
    { rows: [...TABLE.rows, { pk: 'SESSION#u', untold: true }] },
    ['SESSION#u has events that nobody has told'],
  ],
  ['a task without a row', { tasks: ['task-1', 'task-3'] }, ['the task task-3 has no row']],
  [
    'an index that is behind',
    { indexed: [{ pk: 'SESSION#s', owner: 'task-1' }, ...TABLE.indexed] },
    ['the index has SESSION#s under task-1, the table undefined'],
  ],
  [
    'an index that lacks a row',
    { indexed: TABLE.indexed.slice(1) },
    ['the index lacks SESSION#t of RESTARTS'],
  ],
])('%s is found', (_what, change, found) => {
  expect(words(change)).toEqual(found);
});
