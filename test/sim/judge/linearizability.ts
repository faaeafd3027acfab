import type { HistoryEvent, Problem } from '../history.ts';
import { isExplainedAsApplied } from './applied-order.ts';
import { type Item, textOf } from './expressions.ts';
import { effectOn } from './row-effects.ts';
import { type RowOperation, rowOperations } from './row-operations.ts';

/**
 * Is there one order of the operations on a row that explains every answer? Each operation takes effect at one moment
 * between its invocation and its end, against the row as the operations before it left it. An operation whose answer was
 * lost may have taken effect or not.
 *
 * The order in which the table says that it applied them is tried first: it is one of those that are searched, so where it
 * explains every answer there is nothing left to search. A runner that hears no answers for a while leaves so many calls
 * open that a search of all their orders has no end.
 *
 * The search goes along the history and keeps every state in which the row may be (Wing and Gong 1993, with the memo of
 * Lowe 2017: two ways that end in the same row with the same open operations done are one). Operations are ordered only
 * when one of them ends, because nothing can be told before.
 */
export function judgeRows(history: readonly HistoryEvent[]): Problem[] {
  return [...rowOperations(history)].flatMap(([row, operations]) =>
    isExplainedAsApplied(row, operations) ? [] : searchOrder(row, operations),
  );
}

/** One possible past: the row as it stands, and the open operations that have taken effect. */
interface Past {
  readonly item: Item | undefined;
  /** `item` as a text. */
  readonly text: string;
  readonly done: readonly RowOperation[];
}

interface Moment {
  readonly at: number;
  readonly operation: RowOperation;
  readonly begins: boolean;
}

/**
 * So many pasts at once mean that the history has more open calls than this search was made for. That counts as a problem:
 * the order of the table has not explained the answers, and a row that nobody can judge must not pass for a sound one.
 */
const MAX_PASTS = 20_000;

/** Searches all orders, and asks the table about none. */
export function searchOrder(row: string, operations: readonly RowOperation[]): Problem[] {
  let pasts: Past[] = [{ item: undefined, text: textOf(undefined), done: [] }];
  const open = new Set<RowOperation>();
  const everSeen = new Set(pasts.map(({ text }) => text));
  const problem = (step: number, words: string): Problem => ({ judge: 'row', step, words });
  for (const { at, operation, begins } of momentsOf(operations)) {
    if (operation.isStale) {
      // It may be old, but it was true once. The open writes may have made it true just now.
      if (begins) continue;
      const { image } = operation.answer ?? {};
      const text = textOf(image);
      const isSearched = everSeen.has(text) || explore(row, pasts, open, everSeen) !== undefined;
      if (everSeen.has(text)) continue;
      if (!isSearched) return [problem(at, tooMany(row, operation))];
      return [problem(at, `${row}: ${nameOf(operation)} has read what never stood there`)];
    }
    if (begins) {
      open.add(operation);
      continue;
    }
    const all = pasts.every(({ done }) => done.includes(operation))
      ? pasts
      : explore(row, pasts, open, everSeen);
    if (all === undefined) return [problem(at, tooMany(row, operation))];
    open.delete(operation);
    const explained = all.filter(({ done }) => done.includes(operation));
    const left = explained.map((past) => ({
      ...past,
      done: past.done.filter((o) => o !== operation),
    }));
    pasts = [...new Map(left.map((past) => [keyOf(past), past])).values()];
    if (pasts.length > 0) continue;
    return [problem(at, `${row}: no order of its operations explains ${nameOf(operation)}`)];
  }
  return [];
}

function momentsOf(operations: readonly RowOperation[]): Moment[] {
  const moments = operations.flatMap((operation): Moment[] => {
    const { invokedAt, overAt } = operation;
    const begin = { at: invokedAt, operation, begins: true };
    return overAt === undefined ? [begin] : [begin, { at: overAt, operation, begins: false }];
  });
  return moments.sort((a, b) => a.at - b.at || Number(b.begins) - Number(a.begins));
}

/** Every past that can come of these when open operations take effect in any order; undefined: they are too many. */
function explore(
  row: string,
  pasts: readonly Past[],
  open: ReadonlySet<RowOperation>,
  everSeen: Set<string>,
): Past[] | undefined {
  const read = pasts.map((past) => withReads(past, open));
  const known = new Map(read.map((past) => [keyOf(past), past]));
  const todo = [...known.values()];
  for (let past = todo.pop(); past !== undefined; past = todo.pop()) {
    for (const operation of open) {
      if (operation.op === 'read' || past.done.includes(operation)) continue;
      const after = effectOn(past.item, row, operation);
      if (after === undefined) continue;
      const text = after.item === past.item ? past.text : textOf(after.item);
      const done = [...past.done, operation];
      const next = withReads({ item: after.item, text, done }, open);
      if (known.has(keyOf(next))) continue;
      everSeen.add(text);
      known.set(keyOf(next), next);
      todo.push(next);
      if (known.size > MAX_PASTS) return undefined;
    }
  }
  return [...known.values()];
}

/** A read changes nothing: one that is explained by the row as it stands may as well take effect now. */
function withReads(past: Past, open: ReadonlySet<RowOperation>): Past {
  const done = [...past.done];
  for (const operation of open) {
    const isNow = operation.op === 'read' && textOf(operation.answer?.image) === past.text;
    if (isNow && !past.done.includes(operation)) done.push(operation);
  }
  return done.length === past.done.length ? past : { ...past, done };
}

const keyOf = ({ text, done }: Past) =>
  `${text} ${done
    .map(({ call }) => call)
    .sort((a, b) => a - b)
    .join()}`;

const nameOf = ({ op, call, process }: RowOperation) => `the ${op} ${call} of ${process}`;

const tooMany = (row: string, operation: RowOperation) =>
  `${row}: the order of the table does not explain its operations, and too many calls are open to search another for ${nameOf(operation)}`;
