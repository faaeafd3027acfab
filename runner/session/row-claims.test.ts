import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ServiceError } from '../../shared/errors.ts';
import { newCatcherId } from '../../shared/session-job.ts';
import type { SessionRow } from '../../shared/session-table/session-row.ts';
import {
  type LocalSessionTable,
  startSessionTable,
} from '../../test/support/session/local-session-table.ts';
import { SessionParts } from '../../test/support/session/session-parts.ts';
import type { SessionRestarts } from './context.ts';
import { AvoidedStreams } from './pool-options.ts';
import { type FreshClaim, RowClaims } from './row-claims.ts';

/** The moments at which a claim has waited for the table. */
type Moment = 'the owner is dead' | 'what the stream continues' | 'the answer to the claim';

let table: LocalSessionTable;
beforeAll(async () => {
  table = await startSessionTable();
});
afterAll(() => table[Symbol.asyncDispose]());

/** The heartbeat's current term. */
let term: number | undefined;
let served: FreshClaim[];
/** Rows whose events are to be written. */
let toldRows: SessionRow[];
/** What becomes of the answer to a claim, and of a read. */
let answers: (claim: () => Promise<SessionRow | undefined>) => Promise<SessionRow | undefined>;
let reads: (rtmsStreamId: string) => Promise<SessionRow | undefined>;
let taskId: string;
let id: string;
let unique = 0;
beforeEach(() => {
  unique += 1;
  [id, term, served, taskId] = [`stream-${unique}`, 1, [], 'here'];
  toldRows = [];
  answers = (claim) => claim();
  reads = (rtmsStreamId) => table.store.session(rtmsStreamId);
});

/** @param lapses when the lease lapses, and comes back at once in the next term */
function claimsOf(lapses?: Moment): RowClaims {
  const lapse = (at: Moment) => {
    if (at === lapses) term = 2;
  };
  const { store } = table;
  const restarts: Pick<SessionRestarts, 'continuedBy' | 'plan'> = {
    plan: () => undefined,
    async continuedBy() {
      lapse('what the stream continues');
      return undefined;
    },
  };
  const parts = new SessionParts();
  const context = parts.context({ taskId, restarts: restarts as SessionRestarts });
  const slow = {
    session: (rtmsStreamId: string) => reads(rtmsStreamId),
    miss: (...of: Parameters<typeof store.miss>) => answers(() => store.miss(...of)),
    async claim(...of: Parameters<typeof store.claim>) {
      const row = await answers(() => store.claim(...of));
      lapse('the answer to the claim');
      return row;
    },
  };
  const heartbeat = {
    get term() {
      return term;
    },
    holds: (held: number) => held === term,
  };
  const options = {
    context,
    store: slow as typeof store,
    heartbeat,
    isExpired: (owner: string) => owner === 'dead',
    async confirmDeath() {
      lapse('the owner is dead');
      return {};
    },
    isOverdue: () => false,
    capacity: 2,
    sessionSlots: 1,
    yields: () => false,
    pressure: () => ({ eventLoopDelayMs: 1, memoryShare: 0.1 }),
    notify: async () => {},
    onBusy: () => {},
    logger: parts.told.logger,
    metrics: parts.told.metrics,
  };
  return new RowClaims(options, new AvoidedStreams(), {
    hasSession: () => served.length > 0,
    admits: () => true,
    serve: (claim) => served.push(claim),
    tell: (row) => toldRows.push(row),
    changed: () => {},
  });
}

test.each<[Moment, { readonly owner?: string; readonly epoch?: number }]>([
  ['the owner is dead', { owner: 'dead', epoch: 3 }],
  ['what the stream continues', {}],
  ['what the stream continues', { owner: 'dead' }],
])(
  'a claim does not leave when its term has ended with the wait for "%s" of %j',
  async (moment, of) => {
    const row = await table.start(id, of);
    expect(await claimsOf(moment).take(row, 'orphan')).toBe('later');
    expect(await table.row(id)).toEqual(row);
    expect(served).toEqual([]);
    // In the next term nothing is in the way.
    expect(await claimsOf().take(row, 'orphan')).toBe('done');
    expect(served).toHaveLength(1);
  },
);

test('a claim that is answered when its term is over is not served: the row is claimed anew', async () => {
  const row = await table.start(id);
  expect(await claimsOf('the answer to the claim').take(row, 'job')).toBe('done');
  expect(await table.row(id)).toMatchObject({ owner: 'here', epoch: 2 });
  expect(served.map(({ claimed }) => claimed.epoch)).toEqual([2]);
});

/** The first claim happens, and its answer is lost. */
const lostAnswer = (told: () => undefined) => {
  let isFirst = true;
  return async (claim: () => Promise<SessionRow | undefined>) => {
    const row = await claim();
    if (!isFirst) return row;
    isFirst = false;
    return told();
  };
};
const noAnswer = () => {
  throw new ServiceError('session/store-failed', 'no answer');
};

test.each([
  ['the SDK sends it again, and it is refused', () => undefined],
  ['the SDK fails', noAnswer],
])('a stream whose claim happened is served though its answer was lost: %s', async (_how, told) => {
  answers = lostAnswer(told);
  const claims = claimsOf();
  expect(await claims.take(await table.start(id), 'job')).toBe('done');
  expect(await table.row(id)).toMatchObject({ owner: 'here', epoch: 2 });
  expect(served.map(({ claimed }) => claimed.epoch)).toEqual([2]);
  expect(claims.hasUnclear).toBe(false);
});

test('a stream that was missed is told though the answer to that write was lost', async () => {
  answers = lostAnswer(() => undefined);
  const row = await table.start(id, { stopEventTsMs: Date.now(), stopReason: 6 });
  const claims = claimsOf();
  expect(await claims.take(row, 'orphan')).toBe('done');
  expect(toldRows).toMatchObject([{ owner: 'here', epoch: 1, untold: true }]);
  expect(claims.hasUnclear).toBe(false);
});

test('nothing is unclear where somebody else was faster, nor after a claim without an answer once another has the row', async () => {
  const row = await table.start(id);
  await table.store.claim(row, 'other', Date.now());
  taskId = newCatcherId();
  const claims = claimsOf();
  expect(await claims.take(row, 'job')).toBe('later');
  answers = async () => noAnswer();
  await expect(claims.take(row, 'job')).rejects.toThrow('no answer');
  expect(claims.hasUnclear).toBe(false);
});

test.each([
  ['the row cannot be read either', async () => noAnswer()],
  ['the row is as it was, and the claim may still arrive', (of: string) => table.store.session(of)],
])('an execution of the catcher knows that it may own a row: %s', async (_when, read) => {
  const row = await table.start(id);
  taskId = newCatcherId();
  [answers, reads] = [async () => noAnswer(), read];
  const claims = claimsOf();
  await expect(claims.take(row, 'job')).rejects.toThrow('no answer');
  expect(claims.hasUnclear).toBe(true);
});
