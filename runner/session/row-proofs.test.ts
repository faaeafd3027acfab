import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ServiceError } from '../../shared/errors.ts';
import { Told } from '../../test/support/session/session-parts.ts';
import type { SessionStore } from '../ownership/store.ts';
import { Tenure } from '../ownership/tenure.ts';
import type { ServedSession } from './pool-options.ts';
import { RowProofs } from './row-proofs.ts';

const AWAY = new ServiceError('session/store-failed', 'away');
const REFUSED = new ServiceError('session/store-refused', 'no');

let told: Told;
/** The heartbeat's current term. */
let term: number | undefined;
/** What rows were told, and how long after the lapse, s. */
let writes: [string, unknown, number][];
let proved: string[];
/** What the table does with a write of that number, from 1. */
let answer: (write: number) => void;
/** Is the row still this task's? */
let proof: () => boolean | Promise<boolean>;
let lapsedAtMs: number;
/** What the task's heartbeat says is written. */
let wroteUntilMs: number | undefined;
let served: ServedSession[];
let proofs: RowProofs;
beforeEach(() => {
  vi.useFakeTimers();
  [told, term, writes, proved, answer, served] = [new Told(), 1, [], [], () => {}, []];
  proof = () => true;
  wroteUntilMs = undefined;
  const store = {
    async prove({ rtmsStreamId }: ServedSession['claim']) {
      proved.push(rtmsStreamId);
      return proof();
    },
    async leaving({ rtmsStreamId }: ServedSession['claim'], since: unknown) {
      writes.push([rtmsStreamId, since, (Date.now() - lapsedAtMs) / 1_000]);
      answer(writes.length);
    },
  } as Pick<SessionStore, 'prove' | 'leaving'> as SessionStore;
  const heartbeat = {
    get term() {
      return term;
    },
    holds: (held: number) => held === term,
  };
  const options = { store, heartbeat, wroteUntilMs: () => wroteUntilMs, logger: told.logger };
  proofs = new RowProofs(options, () => served);
});
afterEach(() => vi.useRealTimers());

/** A stream that is served, and dropped as the pool does it. @param since what its row may be told */
function serve(rtmsStreamId: string, since = (atMs: number): unknown => ({ atMs })): ServedSession {
  const one = {
    session: {
      blindSince: since,
      drop() {
        served = served.filter((other) => other !== one);
        one.tenure.end();
        proofs.dropped(one);
      },
    },
    claim: { rtmsStreamId, taskId: 'me', epoch: 1 },
    tenure: new Tenure(1, () => true),
    strikes: 0,
  } as unknown as ServedSession;
  served.push(one);
  return one;
}

function lapse(): void {
  term = undefined;
  lapsedAtMs = Date.now();
  proofs.suspendAll(6_999.4);
}

const SINCE = () => ({ atMs: lapsedAtMs - 8_000 });

test('a session that was dropped says in its row since when nothing was written, when the lease is back', async () => {
  serve('a');
  lapse();
  await vi.advanceTimersByTimeAsync(50_000);
  expect([served, writes, proofs.hasUntold]).toEqual([[], [], true]);
  term = 2;
  await proofs.proveAll(2);
  expect(writes).toEqual([['a', SINCE(), 50]]);
  expect(proofs.hasUntold).toBe(false);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(writes).toHaveLength(1);
});

test('it says so at once where the lease is back already', async () => {
  const one = serve('a');
  lapse();
  term = 2;
  // Its connection is lost before it is proved.
  one.session.drop('connection lost while the table is away');
  await vi.advanceTimersByTimeAsync(500);
  expect(writes).toEqual([['a', SINCE(), 0.5]]);
  expect(proofs.hasUntold).toBe(false);
});

test.each<[string, (write: number) => void, number]>([
  [
    'until the table has it',
    (write) => {
      if (write < 4) throw AWAY;
    },
    4,
  ],
  [
    'once where the table refuses it for good',
    () => {
      throw REFUSED;
    },
    1,
  ],
])('it says so %s', async (_howLong, does, times) => {
  answer = does;
  serve('a');
  lapse();
  await vi.advanceTimersByTimeAsync(40_000);
  term = 2;
  await proofs.proveAll(2);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(writes).toHaveLength(times);
  expect(proofs.hasUntold).toBe(false);
});

test('it says so in the next term where the lease lapses again meanwhile', async () => {
  answer = (write) => {
    if (write > 1) return;
    term = undefined;
    throw AWAY;
  };
  serve('a');
  lapse();
  await vi.advanceTimersByTimeAsync(40_000);
  term = 2;
  await proofs.proveAll(2);
  await vi.advanceTimersByTimeAsync(20_000);
  expect([writes.length, proofs.hasUntold]).toEqual([1, true]);
  term = 3;
  await proofs.proveAll(3);
  expect(writes.at(-1)).toEqual(['a', SINCE(), 60]);
  expect(proofs.hasUntold).toBe(false);
});

test.each([
  ['is another’s', false],
  ['is its own', true],
])('a session that is dropped while its proof is on its way: the row %s', async (_whose, isOwn) => {
  const one = serve('a');
  lapse();
  term = 2;
  const answered = Promise.withResolvers<boolean>();
  proof = () => answered.promise;
  const proving = proofs.proveAll(2);
  await vi.advanceTimersByTimeAsync(0);
  expect(proved).toEqual(['a']);
  one.session.drop('connection lost while the table is away');
  await vi.advanceTimersByTimeAsync(2_000);
  expect([writes, proofs.hasUntold]).toEqual([[], true]);
  answered.resolve(isOwn);
  await proving;
  await vi.advanceTimersByTimeAsync(2_000);
  expect(writes.map(([, since]) => since)).toEqual(isOwn ? [SINCE()] : []);
  expect([proofs.hasUntold, vi.getTimerCount()]).toEqual([false, 0]);
});

test('many sessions that are dropped at once do not multiply the tries', async () => {
  answer = () => {
    throw AWAY;
  };
  const all = Array.from({ length: 20 }, (_, index) => serve(`s${index}`));
  lapse();
  term = 2;
  for (const one of all) one.session.drop('connection lost while the table is away');
  await vi.advanceTimersByTimeAsync(5_000);
  expect(writes).toHaveLength(20 * 10);
});

test.each<[string, ServedSession['left'], number | undefined]>([
  ['the last heartbeat that counts said', undefined, 700],
  ['was written when it began to leave', { atMs: 900, wroteUntilMs: 600, isTold: false }, 600],
  ['nobody knew when it began to leave', { atMs: 900, isTold: false }, undefined],
])('the row of a session that was dropped has what %s', async (_what, left, wrote) => {
  const one = serve('a');
  if (left !== undefined) one.left = left;
  lapse();
  await vi.advanceTimersByTimeAsync(40_000);
  [term, wroteUntilMs] = [2, 700];
  await proofs.proveAll(2);
  expect(writes.map(([, since]) => (since as { wroteUntilMs?: number }).wroteUntilMs)).toEqual([
    wrote,
  ]);
});

test('a row that has an earlier time is left as it is', async () => {
  serve('a', () => undefined);
  lapse();
  await vi.advanceTimersByTimeAsync(40_000);
  term = 2;
  await proofs.proveAll(2);
  expect([writes, proofs.hasUntold]).toEqual([[], false]);
});

test('sessions that are still held are proved, and their rows are told nothing', async () => {
  serve('dropped');
  lapse();
  await vi.advanceTimersByTimeAsync(40_000);
  term = 2;
  serve('held').tenure.suspend(Date.now());
  await proofs.proveAll(2);
  expect([proved, writes.map(([id]) => id)]).toEqual([['held'], ['dropped']]);
});
