import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type SessionRow, TASKS, UNOWNED } from '../../shared/session-row.ts';
import { EXPIRE_AFTER_MS, FENCE_AFTER_MS, isExpired, observe, type Sighting } from './expiry.ts';
import { holds, type Lease, leaseAt, NO_LEASE, renewed } from './lease.ts';
import { judgeRow, judgeSession, type SessionView } from './rules.ts';

/**
 * One stream, several runners, and every interleaving of their steps: exhaustive search over the very
 * rules the runners follow. The table is the only thing shared; a conditional write is atomic, and its
 * answer comes any time later or never. A frozen or dead runner is one that takes no more steps. Clocks
 * run at one rate and have no common zero, so the model knows ages only.
 *
 * A tick is short enough to tell the fence (2 ticks) from the expiry (3 ticks) and no shorter, so that the
 * search ends.
 */
const TICK_MS = FENCE_AFTER_MS / 2;
/** Ages from here on are all the same to the rules. */
const OLD = Math.ceil(EXPIRE_AFTER_MS / TICK_MS);

interface Row {
  readonly owner: string;
  readonly epoch: number;
  readonly handedOver: boolean;
}

interface Claimed {
  readonly epoch: number;
  readonly term: number;
}

interface Runner {
  readonly term: number;
  /** Ticks since the renewal that the lease rests on was sent; undefined without a right to serve. */
  readonly leaseAge: number | undefined;
  /** Ticks since a renewal was sent that reached the table and is not answered yet. */
  readonly renewalAge: number | undefined;
  /** What it saw last of each other runner: does the counter still stand there, and since how long? */
  readonly seen: readonly (Seen | undefined)[];
  /** The row as it has read it and may act upon, and the term it read it in. */
  readonly read: { readonly row: Row; readonly term: number } | undefined;
  /** A claim that reached the table and is not answered yet. */
  readonly claimed: Claimed | undefined;
  readonly session: Claimed | undefined;
}

interface Seen {
  readonly same: boolean;
  readonly age: number;
}

interface State {
  readonly row: Row;
  readonly runners: readonly Runner[];
}

type Step = readonly [what: string, to: State];

/** May a claim be served whose answer comes under this lease? A test breaks this rule. */
type ClaimRule = typeof holds;

const nameOf = (index: number) => `runner-${index}`;
const indexOf = (name: string) => Number(name.slice('runner-'.length));

function leaseOf({ term, leaseAge }: Runner): Lease {
  return leaseAge === undefined
    ? { ...NO_LEASE, term }
    : { term, renewedAtMs: -leaseAge * TICK_MS };
}

/** A lapse ends the session at once: Heartbeat looks before anything else is done, frames included. */
function withLease(runner: Runner, lease: Lease): Runner {
  const leaseAge = lease.renewedAtMs === undefined ? undefined : -lease.renewedAtMs / TICK_MS;
  const { session } = runner;
  const kept = session && holds(lease, session.term) ? session : undefined;
  return { ...runner, term: lease.term, leaseAge, session: kept };
}

function rowOf({ owner, epoch, handedOver }: Row): SessionRow {
  return {
    pk: 'SESSION#s',
    rtmsStreamId: 's',
    owner,
    ...(epoch > 0 && { epoch }),
    ...(handedOver && { handedOverBy: 'somebody' }),
    startEventTsMs: 1,
    serverUrls: [],
    product: 'meeting',
    entityId: 'e',
    requestedAtMs: 1,
  };
}

const VIEW: Omit<SessionView, 'taskId' | 'epoch'> = {
  startEventTsMs: 1,
  serverUrls: [],
  handledInterruptTsMs: 0,
  lastHandshakeAtMs: 0,
};

/** Everything that may happen next. */
function stepsFrom(state: State, claimRule: ClaimRule = holds): Step[] {
  const time: Step = ['a tick passes', { ...state, runners: state.runners.map(older) }];
  return [time, ...state.runners.flatMap((...at) => stepsOf(state, at[0], at[1], claimRule))];
}

function stepsOf(state: State, runner: Runner, index: number, claimRule: ClaimRule): Step[] {
  const steps: Step[] = [];
  const add = (what: string, change: Partial<Runner>, row = state.row) => {
    const runners = state.runners.with(index, { ...runner, ...change });
    steps.push([`${nameOf(index)} ${what}`, { row, runners }]);
  };
  const lease = leaseOf(runner);
  if (runner.renewalAge === undefined) {
    add('renews', { renewalAge: 0 });
    const last = steps.at(-1) as Step;
    steps[steps.length - 1] = [last[0], unseen(last[1], index)];
  } else {
    add('never hears of its renewal', { renewalAge: undefined });
    const answered = renewed(lease, -runner.renewalAge * TICK_MS, 0);
    add('hears of its renewal', { ...withLease(runner, answered), renewalAge: undefined });
  }
  add('looks', { seen: looked(runner, index) });
  const isIdle = !runner.session && !runner.claimed;
  if (isIdle && lease.renewedAtMs !== undefined) {
    add('reads', { read: { row: state.row, term: runner.term } });
  }
  if (runner.read && mayClaim(state.row, runner, runner.read, index)) {
    const epoch = state.row.epoch + 1;
    const claimed = { epoch, term: runner.read.term };
    const row = { owner: nameOf(index), epoch, handedOver: false };
    add('claims', { read: undefined, claimed }, row);
  }
  if (runner.claimed) {
    add('never hears of its claim', { claimed: undefined });
    const session = claimRule(lease, runner.claimed.term) ? runner.claimed : undefined;
    add('hears of its claim', { claimed: undefined, session });
  }
  if (runner.session) {
    const { epoch } = runner.session;
    const verdict = judgeSession({ ...VIEW, taskId: nameOf(index), epoch }, rowOf(state.row));
    if (verdict.act === 'drop') add('drops', { session: undefined });
    else add('hands over', { session: undefined }, { owner: UNOWNED, epoch, handedOver: true });
  }
  return steps;
}

/** The conditional write of a claim: the rules say so, the term still holds, the row has not changed. */
function mayClaim(row: Row, runner: Runner, read: NonNullable<Runner['read']>, index: number) {
  const isExpiredTask = (name: string) => {
    const seen = runner.seen[indexOf(name)];
    return seen?.same === true && isExpired({ heartbeat: 0, sinceMs: -seen.age * TICK_MS }, 0);
  };
  const here = { taskId: nameOf(index), hasSession: false };
  const { act } = judgeRow(rowOf(read.row), here, isExpiredTask);
  const isUnchanged = row.owner === read.row.owner && row.epoch === read.row.epoch;
  return act === 'claim' && isUnchanged && holds(leaseOf(runner), read.term);
}

function older(runner: Runner): Runner {
  const age = (ticks: number) => Math.min(ticks + 1, OLD);
  const { leaseAge, renewalAge } = runner;
  const aged = {
    ...runner,
    leaseAge: leaseAge === undefined ? undefined : age(leaseAge),
    // A renewal answered later than the fence gives no right: it may as well be lost.
    renewalAge:
      renewalAge === undefined || age(renewalAge) * TICK_MS >= FENCE_AFTER_MS
        ? undefined
        : age(renewalAge),
    seen: runner.seen.map((seen) => seen && { ...seen, age: age(seen.age) }),
  };
  return withLease(aged, leaseAt(leaseOf(aged), 0));
}

/** The counter of one runner has moved on: the others have not seen its value. */
function unseen({ row, runners }: State, index: number): State {
  return {
    row,
    runners: runners.map((runner) => {
      const seen = runner.seen[index];
      return seen ? { ...runner, seen: runner.seen.with(index, { ...seen, same: false }) } : runner;
    }),
  };
}

/** Looks at all other heartbeats, as OrphanWatch does. */
function looked(runner: Runner, index: number): Runner['seen'] {
  return runner.seen.map((seen, other) => {
    if (other === index) return undefined;
    const before = new Map<string, Sighting>();
    if (seen) before.set('other', { heartbeat: 0, sinceMs: -seen.age * TICK_MS });
    const task = {
      pk: '',
      owner: TASKS,
      taskId: 'other',
      heartbeat: seen?.same === false ? 1 : 0,
      costUsed: 0,
      costTotal: 1,
      draining: false,
    } as const;
    const after = observe(before, [task], { askedAtMs: 0, answeredAtMs: 0 }).get('other');
    return { same: true, age: Math.abs((after?.sinceMs ?? 0) / TICK_MS) };
  });
}

/**
 * Two states are the same if nothing that can still happen tells them apart: how high epochs and terms are
 * does not, nor does what was read in a term that is over or before the row changed.
 */
function keyOf({ row, runners }: State): string {
  const parts = runners.map((runner) => {
    const { term, leaseAge, renewalAge, seen, read, claimed, session } = runner;
    const isFresh =
      read?.term === term && read.row.owner === row.owner && read.row.epoch === row.epoch;
    const behind = (claim: Claimed | undefined) =>
      claim && `${claim.term === term ? '' : 'void'}${Math.min(row.epoch - claim.epoch, 2)}`;
    const sights = seen.map((sight) => (sight ? `${sight.same ? '=' : '~'}${sight.age}` : ''));
    return [leaseAge, renewalAge, sights, isFresh ? 'r' : '', behind(claimed), behind(session)];
  });
  return `${row.owner} ${row.handedOver} ${row.epoch === 0} ${parts.join(' ')}`;
}

function startOf(count: number): State {
  const runner: Runner = {
    term: 0,
    leaseAge: undefined,
    renewalAge: undefined,
    seen: Array.from({ length: count }, () => undefined),
    read: undefined,
    claimed: undefined,
    session: undefined,
  };
  return {
    row: { owner: UNOWNED, epoch: 0, handedOver: false },
    runners: Array.from({ length: count }, () => runner),
  };
}

const writersOf = ({ runners }: State) => runners.filter(({ session }) => session !== undefined);

/** @returns how many states were reached, and the shortest way to one where two runners write */
function search(count: number, claimRule?: ClaimRule) {
  const start = startOf(count);
  const known = new Map<string, { from: string; step: string } | undefined>();
  known.set(keyOf(start), undefined);
  let frontier = [start];
  while (frontier.length > 0) {
    const next: State[] = [];
    for (const state of frontier) {
      const from = keyOf(state);
      for (const [step, to] of stepsFrom(state, claimRule)) {
        const key = keyOf(to);
        if (known.has(key)) continue;
        known.set(key, { from, step });
        if (writersOf(to).length > 1) return { states: known.size, way: wayTo(key, known) };
        next.push(to);
      }
    }
    frontier = next;
  }
  return { states: known.size, way: undefined };
}

function wayTo(key: string, known: Map<string, { from: string; step: string } | undefined>) {
  const way: string[] = [];
  for (let at = known.get(key); at !== undefined; at = known.get(at.from)) way.unshift(at.step);
  return way;
}

test('never lets two runners write one stream, in any order of their steps', {
  timeout: 60_000,
}, () => {
  const { states, way } = search(2);
  expect(way).toBeUndefined();
  expect(states).toBeGreaterThan(10_000);
});

test('never lets two of three runners write one stream, in random orders', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { minLength: 20, maxLength: 80 }), (choices) => {
      let state = startOf(3);
      const epochs = new Set<number>();
      for (const choice of choices) {
        const before = state.row.epoch;
        const steps = stepsFrom(state);
        state = (steps[choice % steps.length] as Step)[1];
        expect(writersOf(state).length).toBeLessThan(2);
        if (state.row.epoch === before) continue;
        expect(epochs.has(state.row.epoch)).toBe(false);
        epochs.add(state.row.epoch);
      }
    }),
    { numRuns: 300, seed: 20_261_122 },
  );
});

test('would find a claim that outlives its term', { timeout: 60_000 }, () => {
  const { way } = search(2, (lease) => lease.renewedAtMs !== undefined);
  expect(way).toContain('runner-1 hears of its claim');
});
