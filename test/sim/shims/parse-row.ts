import {
  parseSessionRow as readSessionRow,
  parseTaskRow as readTaskRow,
} from '../../../shared/session-table/parse-row.ts';

export * from '../../../shared/session-table/parse-row.ts';

/** What a function makes of an item that never changes is made once. Every runner reads all its rows every two seconds. */
function once<Row extends object>(read: (item: Readonly<Record<string, unknown>>) => Row) {
  const known = new WeakMap<object, Row>();
  return (item: Readonly<Record<string, unknown>>): Row => {
    if (!Object.isFrozen(item)) return read(item);
    let row = known.get(item);
    if (row === undefined) {
      row = Object.freeze(read(item));
      known.set(item, row);
    }
    return row;
  };
}

export const parseSessionRow = once(readSessionRow);
export const parseTaskRow = once(readTaskRow);
