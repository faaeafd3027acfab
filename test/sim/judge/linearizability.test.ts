import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  writeClaim,
  writeProof,
  writeRelease,
} from '../../../shared/session-table/runner-writes.ts';
import type { RowWrite, SessionRow } from '../../../shared/session-table/session-row.ts';
import type { RowCommand, RowEvent } from '../history.ts';
import { judgeRows, searchOrder } from './linearizability.ts';
import { PlantedHistory } from './planted-history.ts';
import { rowOperations } from './row-operations.ts';

const ROW = 'SESSION#s';
const TASK = 'TASK#runner-1';

function commandOf(write: RowWrite): RowCommand {
  const { UpdateExpression: update, ConditionExpression: condition } = write;
  const { ExpressionAttributeNames: names, ExpressionAttributeValues: values } = write;
  return { update, names, values, ...(condition !== undefined && { condition }) };
}

function offered(): PlantedHistory {
  const history = new PlantedHistory();
  const update = 'SET #owner = if_not_exists(#owner, :unowned), startEventTsMs = :at';
  const given = { names: { '#owner': 'owner' }, values: { ':unowned': 'UNOWNED', ':at': 5 } };
  history
    .write('webhook-1/1', ROW, { update, ...given })
    .apply()
    .answer();
  return history;
}

const seenIn = (history: PlantedHistory) => history.row(ROW) as unknown as SessionRow;
const claimOf = (history: PlantedHistory, taskId: string) =>
  commandOf(writeClaim(seenIn(history), taskId, 9, 0));

describe('the judge of rows finds', () => {
  test('two claims of one epoch that were both told to have won', () => {
    const history = offered();
    const [a, b] = ['runner-1/1', 'runner-2/1'].map((process) =>
      history.write(process, ROW, claimOf(history, process)),
    );
    a?.apply().answer();
    b?.apply({ anyway: true }).answer();
    expect(judgeRows(history.events)).toMatchObject([
      {
        judge: 'row',
        words: 'SESSION#s: no order of its operations explains the write 3 of runner-2/1',
      },
    ]);
  });

  test('a write that was refused although its condition was met', () => {
    const history = offered();
    history.write('runner-1/1', ROW, claimOf(history, 'runner-1/1')).answer({ met: false });
    expect(judgeRows(history.events)).toHaveLength(1);
  });

  test('a consistent read of a row that had been replaced before it was asked', () => {
    const history = offered();
    const old = history.row(ROW);
    history.write('runner-1/1', ROW, claimOf(history, 'runner-1/1')).apply().answer();
    history.read('runner-2/1', ROW, { image: old });
    expect(judgeRows(history.events)).toHaveLength(1);
  });

  test('a stale read of what never stood there', () => {
    const history = offered();
    history.read('runner-2/1', ROW, { stale: true, image: { pk: ROW, owner: 'nobody' } });
    expect(judgeRows(history.events)[0]?.words).toContain('never stood there');
  });

  test('a write that was answered, and is in no later row', () => {
    const history = offered();
    const before = history.row(ROW);
    history.write('runner-1/1', ROW, claimOf(history, 'runner-1/1')).apply().answer();
    const update = 'ADD proofs :one';
    history
      .write('runner-1/1', ROW, { update, values: { ':one': 1 } })
      .apply()
      .answer();
    history.read('runner-2/1', ROW, { image: { ...before, proofs: 1 } });
    expect(judgeRows(history.events)).toHaveLength(1);
  });

  test('a read of what none of very many open writes has left, though it cannot search all their orders', () => {
    const { history, answerAll } = silentTask();
    history.read('runner-2/1', TASK, { image: { pk: TASK, beat: 'none' } });
    answerAll();
    expect(judgeRows(history.events)).toMatchObject([
      { judge: 'row', words: expect.stringContaining('too many calls are open') },
    ]);
  });

  test('a read of what a write has left that began later, though the table says it was applied before', () => {
    const history = offered();
    const write = { process: 'runner-1/1', row: ROW, call: 99, op: 'write' } as const;
    const command = {
      update: 'SET #owner = :me',
      names: { '#owner': 'owner' },
      values: { ':me': 'runner-1/1' },
    };
    history.add<RowEvent>('row', { ...write, phase: 'applied', met: true });
    history.read('runner-2/1', ROW, { image: { ...history.row(ROW), owner: 'runner-1/1' } });
    history.add<RowEvent>('row', { ...write, phase: 'invoked', command });
    history.add<RowEvent>('row', { ...write, phase: 'answered', met: true });
    expect(judgeRows(history.events)).toHaveLength(1);
  });
});

describe('the judge of rows allows', () => {
  test('a stale read of an older row, and of a row that is not there yet', () => {
    const history = offered();
    const old = history.row(ROW);
    history.write('runner-1/1', ROW, claimOf(history, 'runner-1/1')).apply().answer();
    history.read('runner-2/1', ROW, { stale: true, image: old });
    history.read('runner-2/1', ROW, { stale: true, image: undefined });
    expect(judgeRows(history.events)).toEqual([]);
  });

  test('a write without an answer that took effect, and one that did not', () => {
    const history = offered();
    history.write('runner-1/1', ROW, claimOf(history, 'runner-1/1')).fail();
    history.read('runner-2/1', ROW);
    const lost = history.write('runner-1/1', ROW, claimOf(history, 'runner-1/1'));
    history.read('runner-2/1', ROW);
    lost.apply().fail();
    history.read('runner-2/1', ROW);
    expect(judgeRows(history.events)).toEqual([]);
  });

  test('twenty writes of a runner that is told of none before the last', () => {
    const { history, answerAll } = silentTask();
    history.read('runner-2/1', TASK);
    answerAll();
    expect(judgeRows(history.events)).toEqual([]);
  });
});

/** A runner that renews its own row, and hears no answer until `answerAll`. */
function silentTask() {
  const history = new PlantedHistory();
  const names = { '#beat': 'beat' };
  const calls = Array.from({ length: 20 }, (_, beat) => {
    const write = { update: 'SET #beat = :beat', names, values: { ':beat': beat } };
    return history.write('runner-1/1', TASK, write).apply();
  });
  const answerAll = () => {
    for (const call of calls) call.answer();
  };
  return { history, answerAll };
}

interface Move {
  readonly task: number;
  readonly what: 'claim' | 'prove' | 'release' | 'read' | 'stale';
  /** How many moments of others come before the call is applied, and before it is answered. */
  readonly delays: readonly [number, number];
  readonly isLost: boolean;
}

const moves = fc.array(
  fc.record<Move>({
    task: fc.nat(2),
    what: fc.constantFrom('claim', 'prove', 'release', 'read', 'stale'),
    delays: fc.tuple(fc.nat(4), fc.nat(4)),
    isLost: fc.boolean(),
  }),
  { minLength: 1, maxLength: 25 },
);

/** Plays calls that overlap against a table that is right, or that no longer looks at the condition of claims. */
function played(list: readonly Move[], anyway: boolean): PlantedHistory {
  const history = offered();
  const later = new Map<number, (() => void)[]>();
  const after = (moment: number, act: () => void) =>
    later.set(moment, [...(later.get(moment) ?? []), act]);
  for (const [at, { task, what, delays, isLost }] of list.entries()) {
    const process = `runner-${task}/1`;
    const seen = seenIn(history);
    if (what === 'read' || what === 'stale')
      history.read(process, ROW, { stale: what === 'stale' });
    else {
      const claim = { rtmsStreamId: 's', taskId: process, epoch: seen.epoch ?? 0 };
      const write = {
        claim: () => writeClaim(seen, process, at, 0),
        prove: () => writeProof(claim),
        release: () => writeRelease(claim, at, {}),
      }[what]();
      const call = history.write(process, ROW, commandOf(write));
      after(at + delays[0], () => call.apply({ anyway: anyway && what === 'claim' }));
      after(at + delays[0] + delays[1], () => (isLost ? call.fail() : call.answer()));
    }
    for (const act of later.get(at) ?? []) act();
  }
  for (const [at, acts] of [...later].sort(([a], [b]) => a - b)) {
    if (at >= list.length) for (const act of acts) act();
  }
  return history;
}

test('finds nothing in calls that overlap in any way, with answers that get lost', () => {
  fc.assert(
    fc.property(moves, (list) => {
      expect(judgeRows(played(list, false).events)).toEqual([]);
    }),
    { numRuns: 300, seed: 7 },
  );
});

test('finds a table that takes claims without their condition, as soon as one wins that should not', () => {
  let found = 0;
  fc.assert(
    fc.property(moves, (list) => {
      const { events } = played(list, true);
      // The judge looks at the answers alone: where the wrong claim was never answered, its effect may be another's.
      found += judgeRows(events).length;
    }),
    { numRuns: 300, seed: 7 },
  );
  expect(found).toBeGreaterThan(30);
});

test('says of every history what the search of all orders says', () => {
  fc.assert(
    fc.property(moves, fc.boolean(), (list, anyway) => {
      const { events } = played(list, anyway);
      const searched = [...rowOperations(events)].flatMap((row) => searchOrder(...row));
      expect(judgeRows(events)).toEqual(searched);
    }),
    { numRuns: 300, seed: 7 },
  );
});
