import { RESTARTS, TASKS } from '../../../shared/session-table/session-row.ts';
import type { HistoryEvent, Problem, RowImage, TableEvent } from '../history.ts';

/**
 * Has the table come to rest when all meetings have ended? Its index holds what the table says, no stream has an owner, nothing
 * is left untold, and a task that runs has a row. A restart may be open still: Zoom is asked for ten minutes.
 */
export function judgeRest(history: readonly HistoryEvent[]): Problem[] {
  return history.flatMap((event) => {
    if (event.kind !== 'table') return [];
    const words = [...indexWords(event), ...event.rows.flatMap(rowWords), ...taskWords(event)];
    return words.map((each) => ({ judge: 'rest', step: event.step, words: each }));
  });
}

function indexWords({ rows, indexed }: TableEvent): string[] {
  const owners = new Map(rows.map((row) => [row?.['pk'], row?.['owner']]));
  const known = new Map(indexed.map(({ pk, owner }) => [pk, owner]));
  const wrong = indexed
    .filter(({ pk, owner }) => owners.get(pk) !== owner)
    .map(({ pk, owner }) => `the index has ${pk} under ${owner}, the table ${owners.get(pk)}`);
  const missing = [...owners]
    .filter(([pk, owner]) => owner !== undefined && !known.has(String(pk)))
    .map(([pk, owner]) => `the index lacks ${pk} of ${owner}`);
  return [...wrong, ...missing];
}

function taskWords({ rows, tasks }: TableEvent): string[] {
  const known = new Set(rows.map((row) => row?.['taskId']));
  return tasks.filter((task) => !known.has(task)).map((task) => `the task ${task} has no row`);
}

function rowWords(row: RowImage): string[] {
  const { pk, owner, untold } = (row ?? {}) as Record<string, unknown>;
  if (owner === TASKS) return [];
  const words: string[] = [];
  if (owner !== undefined && owner !== RESTARTS) words.push(`${pk} still has the owner ${owner}`);
  if (untold === true) words.push(`${pk} has events that nobody has told`);
  return words;
}
