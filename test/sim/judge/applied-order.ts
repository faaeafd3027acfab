import { type Item, textOf } from './expressions.ts';
import { effectOn } from './row-effects.ts';
import type { RowOperation } from './row-operations.ts';

/**
 * Does the order in which the table says that it applied the operations explain every answer? The table is believed in
 * nothing but that order: conditions, updates and answers are held against each other here. `false` says only that another
 * order has to be looked for.
 */
export function isExplainedAsApplied(row: string, operations: readonly RowOperation[]): boolean {
  let item: Item | undefined;
  let text = textOf(item);
  const everSeen = new Set([text]);
  for (const operation of [...operations].sort((a, b) => momentOf(a) - momentOf(b))) {
    const { op, isStale, answer } = operation;
    if (isStale) {
      if (!everSeen.has(textOf(answer?.image))) return false;
      continue;
    }
    if (!isWithinCall(operation)) return false;
    if (op === 'read') {
      if (textOf(answer?.image) !== text) return false;
      continue;
    }
    const after = effectOn(item, row, operation);
    if (after === undefined) return false;
    if (after.item === item) continue;
    item = after.item;
    text = textOf(item);
    everSeen.add(text);
  }
  return true;
}

/** A stale read has to have been true at any time until it was answered. */
const momentOf = ({ isStale, overAt, appliedAt, invokedAt }: RowOperation) =>
  (isStale ? overAt : appliedAt) ?? invokedAt;

/** An effect outside of its call would be one that no order of the calls may have. */
const isWithinCall = ({ invokedAt, overAt, appliedAt }: RowOperation) =>
  appliedAt !== undefined && invokedAt <= appliedAt && appliedAt <= (overAt ?? appliedAt);
