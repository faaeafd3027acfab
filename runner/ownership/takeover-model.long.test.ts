import fc from 'fast-check';
import { expect, test } from 'vitest';
import { holds, type Lease, leaseAt, NO_LEASE, renewed } from '../../shared/lease/lease.ts';
import { isExpired, observe, type Sighting } from '../../shared/lease/sightings.ts';
import { type SessionRow, TASKS, UNOWNED } from '../../shared/session-table/session-row.ts';
import { EXPIRE_AFTER_MS, FENCE_AFTER_MS } from './expiry.ts';
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
  /** Raised by every proof. */
  readonly proofs: number;
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
  readonly read: Read | undefined;
  /** A claim that reached the table and is not answered yet. */
  readonly claimed: Claimed | undefined;
  readonly session: Claimed | undefined;
  /** Epoch of a session that collects and does not write: its heartbeat has lapsed. */
  readonly suspended: number | undefined;
  /** A proof that reached the table and is not answered yet, and what the answer will be. */
  readonly proving: (Claimed & { readonly isOwn: boolean }) | undefined;
}

interface Read {
  readonly row: Row;
  readonly term: number;
  /** The owner's heartbeat was found to stand still, after the row was read. */
  readonly checked: boolean;
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

/** The rules that tests break one by one, to show that the search would find it. */
interface Rules {
  /** May a claim be served whose answer comes under this lease? */
  readonly mayServe: typeof holds;
  /** Does a claim fail when the row was proved since it was read? */
  readonly proofVoidsReads: boolean;
  /** Is the heartbeat of a dead owner looked at again after its row was read? */
  readonly checksDeath: boolean;
}

const RULES: Rules = {
  mayServe: holds,
  proofVoidsReads: true,
  checksDeath: true,
};

const nameOf = (index: number) => `runner-${index}`;
const indexOf = (name: string) => Number(name.slice('runner-'.length));

function leaseOf({ term, leaseAge }: Runner): Lease {
  return leaseAge === undefined
    ? { ...NO_LEASE, term }
    : { term, renewedAtMs: -leaseAge * TICK_MS };
}

/** A lapse suspends the session at once: Heartbeat looks before anything else is done, frames included. */
function withLease(runner: Runner, lease: Lease): Runner {
  const leaseAge = lease.renewedAtMs === undefined ? undefined : -lease.renewedAtMs / TICK_MS;
  const { session } = runner;
  const renewed = { ...runner, term: lease.term, leaseAge };
  if (!session || holds(lease, session.term)) return renewed;
  return { ...renewed, session: undefined, suspended: session.epoch };
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
function stepsFrom(state: State, rules: Rules = RULES): Step[] {
  const time: Step = ['a tick passes', { ...state, runners: state.runners.map(older) }];
  return [time, ...state.runners.flatMap((...at) => stepsOf(state, at[0], at[1], rules))];
}

function stepsOf(state: State, runner: Runner, index: number, rules: Rules): Step[] {
  const steps: Step[] = [];
  const add = (what: string, change: Partial<Runner>, row = state.row) => {
    const runners = state.runners.with(index, { ...runner, ...change });
    steps.push([`${nameOf(index)} ${what}`, { row, runners }]);
  };
  const lease = leaseOf(runner);
  // Once a tick at most, as the heartbeat's interval is about one.
  if (runner.renewalAge === undefined && runner.leaseAge !== 0) {
    add('renews', { renewalAge: 0 });
    const last = steps.at(-1) as Step;
    steps[steps.length - 1] = [last[0], unseen(last[1], index)];
  } else if (runner.renewalAge !== undefined) {
    add('never hears of its renewal', { renewalAge: undefined });
    const answered = renewed(lease, -runner.renewalAge * TICK_MS, 0, FENCE_AFTER_MS);
    add('hears of its renewal', { ...withLease(runner, answered), renewalAge: undefined });
  }
  if (runner.seen.some((seen, other) => other !== index && seen?.same !== true)) {
    add('looks', { seen: looked(runner, index) });
  }
  const isIdle = !runner.session && !runner.claimed && runner.suspended === undefined;
  if (isIdle && lease.renewedAtMs !== undefined) {
    add('reads', { read: { row: state.row, term: runner.term, checked: !rules.checksDeath } });
  }
  const { read, suspended, proving } = runner;
  if (read && !read.checked && isOthers(read.row, index) && wouldClaim(runner, read, index)) {
    // One that has moved on is another's to serve: the row is left alone.
    const isStill = runner.seen[indexOf(read.row.owner)]?.same === true;
    add('checks the owner', { read: isStill ? { ...read, checked: true } : undefined });
  }
  if (read && mayClaim(state.row, runner, read, index, rules)) {
    const epoch = state.row.epoch + 1;
    const claimed = { epoch, term: read.term };
    const row = { owner: nameOf(index), epoch, handedOver: false, proofs: 0 };
    add('claims', { read: undefined, claimed }, row);
  }
  if (runner.claimed) {
    add('never hears of its claim', { claimed: undefined });
    const session = rules.mayServe(lease, runner.claimed.term) ? runner.claimed : undefined;
    add('hears of its claim', { claimed: undefined, session });
  }
  if (suspended !== undefined) {
    add('waits no longer', { suspended: undefined, proving: undefined });
    if (!proving && lease.renewedAtMs !== undefined) {
      const isOwn = state.row.owner === nameOf(index) && state.row.epoch === suspended;
      const row = isOwn ? { ...state.row, proofs: state.row.proofs + 1 } : state.row;
      add('proves', { proving: { epoch: suspended, term: runner.term, isOwn } }, row);
    }
  }
  if (proving) {
    add('never hears of its proof', { proving: undefined });
    const { isOwn, ...proved } = proving;
    const isValid = isOwn && rules.mayServe(lease, proved.term);
    add('hears of its proof', {
      proving: undefined,
      session: isValid ? proved : undefined,
      suspended: isValid || !isOwn ? undefined : suspended,
    });
  }
  if (runner.session) {
    const { epoch } = runner.session;
    const verdict = judgeSession({ ...VIEW, taskId: nameOf(index), epoch }, rowOf(state.row));
    if (verdict.act === 'drop') add('drops', { session: undefined });
    else {
      const row = { owner: UNOWNED, epoch, handedOver: true, proofs: 0 };
      add('hands over', { session: undefined }, row);
    }
  }
  return steps;
}

/** The conditional write of a claim: the rules say so, the term still holds, the row has not changed. */
function mayClaim(row: Row, runner: Runner, read: Read, index: number, rules: Rules) {
  if (!wouldClaim(runner, read, index)) return false;
  if (isOthers(read.row, index) && !read.checked) return false;
  return isUnchanged(row, read.row, rules) && holds(leaseOf(runner), read.term);
}

function wouldClaim(runner: Runner, read: Read, index: number): boolean {
  // By the last look, however long ago: what it does not know yet, the check has to find out.
  const isExpiredTask = (name: string) => {
    const seen = runner.seen[indexOf(name)];
    return (
      seen !== undefined &&
      isExpired({ heartbeat: 0, sinceMs: -seen.age * TICK_MS }, 0, EXPIRE_AFTER_MS)
    );
  };
  const here = { taskId: nameOf(index), hasSession: false, nowMs: 0 };
  return judgeRow(rowOf(read.row), here, isExpiredTask).act === 'claim';
}

const isOthers = ({ owner }: Row, index: number) => owner !== UNOWNED && owner !== nameOf(index);

function isUnchanged(row: Row, seen: Row, { proofVoidsReads }: Rules): boolean {
  const isSame = row.owner === seen.owner && row.epoch === seen.epoch;
  return isSame && (!proofVoidsReads || row.proofs === seen.proofs);
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
  return withLease(aged, leaseAt(leaseOf(aged), 0, FENCE_AFTER_MS));
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
      slotsUsed: 0,
      slotsTotal: 1,
      draining: false,
    } as const;
    const after = observe(before, [{ id: 'other', heartbeat: task.heartbeat }], {
      askedAtMs: 0,
      answeredAtMs: 0,
    }).get('other');
    return { same: true, age: Math.abs((after?.sinceMs ?? 0) / TICK_MS) };
  });
}

/**
 * Two states are the same if nothing that can still happen tells them apart: how high epochs and terms are
 * does not, nor does what was read in a term that is over or before the row changed, nor which of the runners
 * is called which.
 */
function keyOf({ row, runners }: State, rules: Rules): string {
  const parts = runners.map((runner, index) => {
    const { term, leaseAge, renewalAge, seen, read, claimed, session, suspended, proving } = runner;
    const isFresh = read?.term === term && isUnchanged(row, read.row, rules);
    const behind = (claim: Claimed | undefined) =>
      claim ? `${claim.term === term ? '' : 'void'}${Math.min(row.epoch - claim.epoch, 2)}` : '';
    const sights = seen.map((sight) => (sight ? `${sight.same ? '=' : '~'}${sight.age}` : ''));
    const reading = isFresh ? `r${read.checked}` : '';
    const held = suspended === undefined ? '' : Math.min(row.epoch - suspended, 2);
    const proof = proving ? `${behind(proving)}${proving.isOwn}` : '';
    const owns = row.owner === nameOf(index);
    return `${owns} ${leaseAge} ${renewalAge} ${sights} ${reading} ${behind(claimed)} ${behind(session)} ${held} ${proof}`;
  });
  return `${row.epoch === 0} ${parts.sort().join()}`;
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
    suspended: undefined,
    proving: undefined,
  };
  return {
    row: { owner: UNOWNED, epoch: 0, handedOver: false, proofs: 0 },
    runners: Array.from({ length: count }, () => runner),
  };
}

/** Runner 0 has just claimed the row and serves it. */
function served(): State {
  const { row, runners } = startOf(2);
  const [first, second] = runners as [Runner, Runner];
  const owner = { ...first, leaseAge: 0, session: { epoch: 1, term: 0 } };
  return { row: { ...row, owner: nameOf(0), epoch: 1 }, runners: [owner, second] };
}

const writersOf = ({ runners }: State) => runners.filter(({ session }) => session !== undefined);

/** @returns how many states were reached, and the shortest way to one where two runners write */
function search(count: number, rules: Rules = RULES, start = startOf(count)) {
  const known = new Map<string, { from: string; step: string } | undefined>();
  known.set(keyOf(start, rules), undefined);
  let frontier = [start];
  while (frontier.length > 0) {
    const next: State[] = [];
    for (const state of frontier) {
      const from = keyOf(state, rules);
      for (const [step, to] of stepsFrom(state, rules)) {
        const key = keyOf(to, rules);
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
  timeout: 300_000,
}, () => {
  const { states, way } = search(2);
  expect(way).toBeUndefined();
  expect(states).toBeGreaterThan(5_000);
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

test.each<[string, Partial<Rules>, string]>([
  [
    'a claim that outlives its term',
    { mayServe: (lease) => lease.renewedAtMs !== undefined },
    'hears of its claim',
  ],
  ['a proof that leaves what others have read', { proofVoidsReads: false }, 'hears of its proof'],
  ['a death that is believed for ever', { checksDeath: false }, 'hears of its claim'],
])('would find %s', { timeout: 60_000 }, (_what, broken, step) => {
  const { way } = search(2, { ...RULES, ...broken }, served());
  expect(way?.some((taken) => taken.endsWith(step))).toBe(true);
});
