import { type Item, meets, textOf, updated } from './expressions.ts';
import type { RowOperation } from './row-operations.ts';

/** @returns the row after the write or delete; undefined when its answer would have been another one */
export function effectOn(
  item: Item | undefined,
  row: string,
  { op, command, answer }: RowOperation,
): { readonly item: Item | undefined } | undefined {
  const isMet = meets(item, command.condition, command);
  if (answer !== undefined && answer.met !== isMet) return undefined;
  if (!isMet) return { item };
  if (op === 'delete' || command.update === undefined) return { item: undefined };
  const after = updated(item ?? { pk: row }, command.update, command);
  const isAsTold = answer?.image === undefined || textOf(answer.image) === textOf(after);
  return isAsTold ? { item: after } : undefined;
}
