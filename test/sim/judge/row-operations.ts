import type { HistoryEvent, RowCommand, RowEvent, RowImage } from '../history.ts';

/** One operation on one row, from what its process and the table have seen of it. */
export interface RowOperation {
  readonly call: number;
  readonly process: string;
  readonly op: RowEvent['op'];
  readonly command: RowCommand;
  readonly isStale: boolean;
  readonly invokedAt: number;
  /**
   * The step at which it was over: answered, or, where no answer came, applied by the table. Undefined: it may take effect
   * at any later time, or never.
   */
  readonly overAt: number | undefined;
  /** The step at which the table says that it took effect; undefined: the history does not say. */
  readonly appliedAt: number | undefined;
  /** What the process was told; undefined: nothing, or an error, so that it may or may not have been applied. */
  readonly answer: { readonly met: boolean; readonly image: RowImage } | undefined;
}

/** All operations of a history by row, each list in the order of invocation. */
export function rowOperations(
  history: readonly HistoryEvent[],
): ReadonlyMap<string, readonly RowOperation[]> {
  const calls = new Map<number, RowEvent[]>();
  for (const event of history) {
    if (event.kind !== 'row') continue;
    // A query is one call of many rows.
    const events = calls.get(event.call);
    if (events === undefined) calls.set(event.call, [event]);
    else events.push(event);
  }
  const all = [...calls.values()];
  const tableTells = all.some((events) => events.some(({ phase }) => phase === 'applied'));
  const rows = new Map<string, RowOperation[]>();
  for (const events of all) {
    for (const operation of operationsOf(events, tableTells)) {
      const { row, ...rest } = operation;
      const list = rows.get(row);
      if (list === undefined) rows.set(row, [rest]);
      else list.push(rest);
    }
  }
  return rows;
}

function operationsOf(
  events: readonly RowEvent[],
  tableTells: boolean,
): (RowOperation & { readonly row: string })[] {
  const rows = new Set(events.map(({ row }) => row));
  return [...rows].flatMap((row) => {
    const own = events.filter((event) => event.row === row);
    const of = (phase: RowEvent['phase']) => own.find((event) => event.phase === phase);
    const [invoked, applied, answered] = [
      of('invoked') ?? events[0],
      of('applied'),
      of('answered'),
    ];
    if (invoked === undefined) return [];
    const { call, process, op, stale = false } = invoked;
    // A call that never reached the table has no effect, and a read without an answer has told nothing.
    if (answered === undefined && (op === 'read' || (tableTells && applied === undefined)))
      return [];
    const operation = {
      row,
      call,
      process,
      op,
      command: invoked.command ?? {},
      isStale: stale || answered?.stale === true,
      invokedAt: invoked.step,
      overAt: answered?.step ?? applied?.step,
      appliedAt: applied?.step,
      answer: answered && { met: answered.met ?? true, image: answered.image },
    };
    return [operation];
  });
}
