import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
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
let id: string;
let unique = 0;
beforeEach(() => {
  unique += 1;
  [id, term, served] = [`stream-${unique}`, 1, []];
});

/** @param lapses when the lease lapses, and comes back at once in the next term */
function claimsOf(lapses?: Moment): RowClaims {
  const lapse = (at: Moment) => {
    if (at === lapses) term = 2;
  };
  const { store } = table;
  const restarts: Pick<SessionRestarts, 'continuedBy'> = {
    async continuedBy() {
      lapse('what the stream continues');
      return undefined;
    },
  };
  const parts = new SessionParts();
  const context = parts.context({ taskId: 'here', restarts: restarts as SessionRestarts });
  const slow = {
    async claim(...of: Parameters<typeof store.claim>) {
      const row = await store.claim(...of);
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
    tell: () => {},
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

test('a claim that is answered when its term is over is not served, and the row is claimed anew', async () => {
  const row = await table.start(id);
  expect(await claimsOf('the answer to the claim').take(row, 'job')).toBe('later');
  expect(await table.row(id)).toMatchObject({ owner: 'here', epoch: 1 });
  expect(served).toEqual([]);
  const own = await table.store.session(id);
  expect(own && (await claimsOf().take(own, 'orphan'))).toBe('done');
  expect(served.map(({ claimed }) => claimed.epoch)).toEqual([2]);
});
