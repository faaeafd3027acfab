import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { MediaFrame } from '../../rtms/events.ts';
import { writeOperatorRequest } from '../../shared/session-table/operator-writes.ts';
import {
  hasFlowed,
  type SessionRow,
  type TaskRow,
} from '../../shared/session-table/session-row.ts';
import {
  type LocalSessionTable,
  startSessionTable,
} from '../../test/support/session/local-session-table.ts';
import { SessionParts } from '../../test/support/session/session-parts.ts';
import { waitUntil } from '../../test/support/wait.ts';
import type { SessionContext } from './context.ts';
import { SessionPool } from './pool.ts';
import type { SessionPoolOptions } from './pool-options.ts';
import { previousOwner } from './recording/blind-time.ts';

const MEDIA = {
  audio: { contentType: 2, codec: 1, sampleRate: 1, channel: 1, dataOpt: 2, sendRateMs: 20 },
};

const TASK: TaskRow = {
  pk: 'TASK#t',
  owner: 'TASKS',
  taskId: 't',
  heartbeat: 9,
  slotsUsed: 1,
  slotsTotal: 2,
  draining: false,
};

let table: LocalSessionTable;
beforeAll(async () => {
  table = await startSessionTable();
});
afterAll(() => table[Symbol.asyncDispose]());

let parts: SessionParts;
/** The stream of a test, and this task. */
let id: string;
let taskId: string;
/** The heartbeat's current term. */
let term: number | undefined;
let yields: boolean;
let notified: string[];
let busy: boolean[];
let unique = 0;
beforeEach(() => {
  unique += 1;
  [id, taskId, parts] = [`stream-${unique}`, `task-${unique}`, new SessionParts()];
  [term, yields, notified, busy] = [1, false, [], []];
});

function poolOf(
  options: Partial<SessionPoolOptions> = {},
  context: Partial<SessionContext> = {},
): SessionPool {
  const { logger, metrics } = parts.told;
  return new SessionPool({
    context: parts.context({ taskId, ...context }),
    store: table.store,
    heartbeat: {
      get term() {
        return term;
      },
      holds: (held) => held === term,
    },
    isExpired: (owner) => owner === 'dead',
    confirmDeath: async () => ({}),
    isOverdue: () => false,
    capacity: 2,
    sessionSlots: 1,
    yields: () => yields,
    pressure: () => ({ eventLoopDelayMs: 1, memoryShare: 0.1 }),
    notify: async (rtmsStreamId) => void notified.push(rtmsStreamId),
    onBusy: (isBusy) => busy.push(isBusy),
    logger,
    metrics,
    ...options,
  });
}

/** The session of the test's stream in a pool, connected. */
async function served(pool: SessionPool) {
  expect(await pool.offer(id)).toBe('done');
  const client = await waitUntil(() => parts.clients.at(-1), { interval: 1 });
  client.emit('joined', MEDIA, []);
  await pool.connected(id);
  // Its row says so a moment later, which must be over before the table is closed.
  const isSaid = async () => {
    const { connectedEpoch, epoch } = await table.row(id);
    return connectedEpoch === epoch;
  };
  await waitUntil(isSaid, { interval: 1 });
  return client;
}

const gone = (pool: SessionPool) => waitUntil(() => pool.sessions.length === 0, { interval: 1 });

describe('a stream that is offered', () => {
  test('and unknown needs nobody', async () => {
    expect(await poolOf().offer(id)).toBe('done');
  });

  test('is claimed, served to its end, and its row says so', async () => {
    await table.start(id);
    const pool = poolOf();
    const client = await served(pool);
    expect(await table.row(id)).toMatchObject({ owner: taskId, epoch: 1 });
    expect(pool.sessions.map(({ state }) => state)).toEqual(['streaming']);
    client.emit('ended', { cause: 'stopped', stopReason: 6, restartable: false });
    await gone(pool);
    expect(await table.row(id)).toMatchObject({ endedReason: 6, endedStartEventTsMs: 1_000 });
    expect((await table.row(id)).owner).toBeUndefined();
    expect([busy[0], busy.at(-1)]).toEqual([true, false]);
    expect(notified).toEqual([]);
  });

  test('and served here already is not claimed again', async () => {
    await table.start(id);
    const pool = poolOf();
    await served(pool);
    expect(await pool.offer(id)).toBe('done');
    expect((await table.row(id)).epoch).toBe(1);
  });

  test('twice at once is claimed once', async () => {
    const row = await table.start(id);
    const pool = poolOf();
    expect(await Promise.all([pool.take(row), pool.take(row)])).toEqual(['done', 'later']);
  });

  test('is refused by a task that is full', async () => {
    await table.start(id);
    const pool = poolOf({ capacity: 0.5 });
    expect(pool.room).toBe(0);
    expect(await pool.offer(id)).toBe('refused');
  });

  test('is offered again by its owner when the answer to the claim was lost and there is no room now', async () => {
    const claimedAtMs = Date.now() - 3_000;
    await table.start(id, { owner: taskId, epoch: 3, claimedAtMs });
    const pool = poolOf({ capacity: 0.5 });
    await waitUntil(async () => {
      await pool.reconcile();
      return notified.length > 0;
    });
    const row = await table.row(id);
    expect(row).toMatchObject({ owner: 'UNOWNED', epoch: 3, claimedAtMs });
    expect(row.handedOverBy).toBeUndefined();
    expect(notified).toEqual([id]);
  });

  test('is refused by a task without a heartbeat', async () => {
    await table.start(id);
    term = undefined;
    expect(await poolOf().offer(id)).toBe('refused');
  });

  test('is left to a newer revision as a job, and taken as an orphan', async () => {
    const row = await table.start(id);
    yields = true;
    const pool = poolOf();
    expect(pool.room).toBe(0);
    expect(await pool.offer(id)).toBe('refused');
    expect(await pool.take(row)).toBe('done');
  });

  test('weighs what Zoom agreed to send once that is known', async () => {
    await table.start(id);
    const pool = poolOf();
    expect(pool.room).toBe(2);
    await served(pool);
    expect(pool.slotsUsed).toBeLessThan(0.5);
  });

  test('and stopped before anybody served it is told as missed, by a task without room too', async () => {
    const row = await table.start(id, { stopEventTsMs: 2_000, stopReason: 6 });
    const pool = poolOf({ capacity: 0.5 });
    expect(await pool.take(row)).toBe('done');
    expect(pool.sessions).toEqual([]);
    await waitUntil(async () => (await table.row(id)).owner === undefined, { interval: 2 });
    expect(await table.row(id)).toMatchObject({ endedReason: 'missed', missed: { epoch: 1 } });
    expect(parts.eventNames).toEqual(['session_missed']);
  });

  test('and refused by Zoom is told as missed, once its row says so', async () => {
    await table.start(id, { startEventTsMs: Date.now() });
    const pool = poolOf();
    await pool.offer(id);
    const client = await waitUntil(() => parts.clients[0], { interval: 1 });
    client.emit('ended', { cause: 'stopped', stopReason: 6, restartable: false });
    await waitUntil(async () => (await table.row(id)).owner === undefined, { interval: 2 });
    expect(await table.row(id)).toMatchObject({ missed: { reason: 'stopped_first', epoch: 1 } });
    expect(parts.eventNames).toEqual(['session_missed']);
    expect(parts.told.counts).toContain('SessionsMissed/stopped_first');
  });

  test('and missed by a task that died before it told so is told by another, the same', async () => {
    const seen = await table.start(id, { stopEventTsMs: 2_000, stopReason: 6 });
    const missed = { reason: 'no_room', atMs: 9, epoch: 1, sequence: 1, ledger: [] };
    const row = await table.store.miss(seen, missed, 'dead', 9);
    expect(await poolOf().take(row as SessionRow)).toBe('done');
    await waitUntil(async () => (await table.row(id)).owner === undefined, { interval: 2 });
    expect(parts.events.lines).toMatchObject([{ sequence: 1, data: { reason: 'no_room' } }]);
  });
});

describe('a stream of an owner that is dead', () => {
  const seen = { owner: 'dead', epoch: 3, claimedAtMs: 10_000 };
  const deadAt = (renewedAtMs: number, aliveAtMs = renewedAtMs) => ({
    confirmDeath: async () => ({ task: { renewedAtMs, aliveAtMs } as never }),
  });

  test('is claimed with the next epoch, and its row says when media flows', async () => {
    const row = await table.start(id, seen);
    const pool = poolOf();
    expect(await pool.take(row)).toBe('done');
    (await waitUntil(() => parts.clients[0], { interval: 1 })).emit('joined', MEDIA, []);
    await waitUntil(async () => (await table.row(id)).connectedEpoch === 4, { interval: 2 });
    expect(parts.eventNames[0]).toBe('session_taken_over');
  });

  test('after another that was dead too: the time of both is told, and then no more of it stands in the row', async () => {
    const row = await table.start(id, { ...seen, runEpoch: 1, connectedEpoch: 3 });
    expect(await poolOf(deadAt(100_000)).take(row)).toBe('done');
    const left = { epoch: 4, atMs: 99_000 };
    const silent = (await table.row(id)) as SessionRow;
    expect(silent).toMatchObject({ epoch: 4, blindSince: left });
    // That task has recorded nothing, and its heart went on for a while.
    const isExpired = (owner: string) => owner === taskId;
    const next = poolOf({ ...deadAt(130_000), isExpired }, { taskId: `next-${taskId}` });
    expect(await next.take(silent)).toBe('done');
    const told = async () => (await table.row(id)).blindSince;
    expect(await told()).toEqual({ ...left, epoch: 5 });
    (await waitUntil(() => parts.clients[1], { interval: 1 })).emit('joined', MEDIA, []);
    await waitUntil(async () => (await table.row(id)).connectedEpoch === 5, { interval: 2 });
    expect(await told(), 'not in Kinesis yet').toBeDefined();
    const [takenOver] = parts.events.lines;
    expect(takenOver?.data).toMatchObject({ previousEpoch: 4, ownerSeenAtMs: 99_000 });
    parts.events.finish('written');
    await waitUntil(async () => (await told()) === undefined, { interval: 2 });
  });

  test('that lives after all is left alone', async () => {
    const row = await table.start(id, seen);
    expect(await poolOf({ confirmDeath: async () => undefined }).take(row)).toBe('later');
    expect((await table.row(id)).owner).toBe('dead');
  });

  test('that died of its claim gives the stream a strike', async () => {
    const row = await table.start(id, seen);
    expect(await poolOf(deadAt(11_000)).take(row)).toBe('done');
    expect(await table.row(id)).toMatchObject({ owner: taskId, strikes: 1 });
  });

  test('that lived on gives it none, although its heartbeats stood for nothing since', async () => {
    const row = await table.start(id, { ...seen, strikes: 1 });
    expect(await poolOf(deadAt(9_000, 13_000)).take(row)).toBe('done');
    const claimed = (await table.row(id)) as SessionRow;
    expect([claimed.owner, claimed.strikes]).toEqual([taskId, undefined]);
  });

  test('that is the second to die of it puts the stream in quarantine', async () => {
    const row = await table.start(id, { ...seen, strikes: 1 });
    const pool = poolOf(deadAt(11_000));
    expect(await pool.take(row)).toBe('done');
    expect(pool.sessions).toEqual([]);
    const { quarantinedUntilMs = 0, owner } = await table.row(id);
    expect(quarantinedUntilMs).toBeGreaterThan(Date.now());
    expect(owner).toBe('UNOWNED');
    expect(parts.told.counts).toContain('StreamsQuarantined');
  });
});

describe('a look at the rows', () => {
  test('has a session do what its row asks for', async () => {
    await table.start(id);
    const pool = poolOf();
    await served(pool);
    await table.start(id, { ...(await table.row(id)), stopEventTsMs: 2_000, stopReason: 13 });
    await pool.reconcile();
    await gone(pool);
    expect(await table.row(id)).toMatchObject({ endedReason: 13 });
  });

  test('hands a session over when an operator asks for it, and no records wait for Kinesis', async () => {
    await table.start(id);
    let backlogMs = 3_000;
    const pool = poolOf({ backlogMs: () => backlogMs });
    await served(pool);
    const row = (await table.row(id)) as SessionRow;
    await table.store.tryWrite(writeOperatorRequest(row, 'handover'));
    await pool.reconcile();
    expect(pool.sessions[0]?.state).toBe('streaming');
    backlogMs = 0;
    await pool.reconcile();
    await gone(pool);
    expect(await table.row(id)).toMatchObject({ owner: 'UNOWNED', handedOverBy: taskId });
  });

  test('has a session give way to another owner', async () => {
    await table.start(id);
    const pool = poolOf();
    await served(pool);
    await table.start(id, { ...(await table.row(id)), owner: 'other', epoch: 2 });
    await pool.reconcile();
    await gone(pool);
    expect(await table.row(id)).toMatchObject({ owner: 'other', epoch: 2 });
    expect(parts.told.events).toContain('dropped');
  });

  test('claims a row of this task that no session serves', async () => {
    await table.start(id, { owner: taskId, epoch: 1 });
    const pool = poolOf();
    await pool.reconcile();
    expect(pool.sessions).toHaveLength(1);
    expect(await table.row(id)).toMatchObject({ owner: taskId, epoch: 2 });
  });
});

describe('a session that is given away', () => {
  test('leaves a row for others, and this task does not take it for a while', async () => {
    await table.start(id);
    const pool = poolOf();
    await served(pool);
    const session = pool.nextToMove();
    expect(session?.rtmsStreamId).toBe(id);
    await pool.giveAway({ rtmsStreamId: id }, 'revision');
    const row = await table.row(id);
    expect(row).toMatchObject({ owner: 'UNOWNED', handedOverBy: taskId, epoch: 1 });
    expect(notified).toEqual([id]);
    expect(await pool.offer(id)).toBe('later');
    expect(await pool.takeBack(row as never)).toBe('done');
    expect((await table.row(id)).epoch).toBe(2);
  });

  test('goes back when it cannot be connected here, marked so that it goes back once', async () => {
    const row = await table.start(id, { epoch: 1, handedOverBy: 'other', handedOverAtMs: 1 });
    const pool = poolOf({}, { credentials: () => Promise.reject(new Error('none')) });
    expect(await pool.take(row)).toBe('done');
    await gone(pool);
    expect(await table.row(id)).toMatchObject({ owner: 'UNOWNED', handedBack: true });
    expect(await pool.offer(id)).toBe('later');
  });

  test('by a defect has a strike, and goes into quarantine at the second', async () => {
    const frame = { mediaType: 'audio', userId: 7, payload: Buffer.alloc(1) } as MediaFrame;
    parts.media.put = () => {
      throw new TypeError('a defect of ours');
    };
    await table.start(id);
    (await served(poolOf())).emit('frame', frame);
    await waitUntil(async () => (await table.row(id)).owner === 'UNOWNED', { interval: 2 });
    expect(await table.row(id)).toMatchObject({ strikes: 1, handedOverBy: taskId });
    taskId = `${taskId}-next`;
    (await served(poolOf())).emit('frame', frame);
    await waitUntil(async () => (await table.row(id)).owner === 'UNOWNED', { interval: 2 });
    const { strikes, quarantinedUntilMs = 0 } = await table.row(id);
    expect(strikes).toBe(2);
    expect(quarantinedUntilMs).toBeGreaterThan(Date.now());
  });
});

describe('a drain', () => {
  test('gives all sessions to other runners and takes no more', async () => {
    await table.start(id);
    const pool = poolOf();
    await served(pool);
    pool.close('shutdown');
    await pool.handOverAll();
    expect(pool.sessions).toEqual([]);
    expect(await table.row(id)).toMatchObject({ owner: 'UNOWNED', handedOverBy: taskId });
    expect(notified).toEqual([id]);
    expect(await pool.offer(id)).toBe('refused');
  });

  test('leaves the stop that an operator asked for meanwhile to the next owner', async () => {
    await table.start(id);
    const pool = poolOf();
    const client = await served(pool);
    const row = (await table.row(id)) as SessionRow;
    client.lastWords = async () =>
      void (await table.store.tryWrite(writeOperatorRequest(row, 'stop')));
    pool.close('shutdown');
    await pool.handOverAll();
    taskId = `${taskId}-next`;
    const next = poolOf();
    const again = await served(next);
    await next.reconcile();
    expect(again.leaves[0]).toEqual({ closeStream: true });
    await gone(next);
    expect(await table.row(id)).toMatchObject({ endedReason: 20 });
  });

  test('hands over what was being claimed when it began', async () => {
    const row = await table.start(id);
    const pool = poolOf();
    const taking = pool.take(row);
    pool.close('shutdown');
    await pool.handOverAll();
    expect(await taking).toBe('done');
    expect(await table.row(id)).toMatchObject({ owner: 'UNOWNED', handedOverBy: taskId });
  });
});

describe('a stream whose row could not say that media flows', () => {
  beforeEach(() => {
    table.documents.middlewareStack.add(
      (next) => async (args) => {
        const { UpdateExpression } = args.input as { readonly UpdateExpression?: string };
        if (UpdateExpression === 'SET connectedEpoch = :epoch') throw new Error('no answer');
        return next(args);
      },
      { step: 'initialize', name: 'outage' },
    );
  });
  afterEach(() => table.documents.middlewareStack.remove('outage'));

  /** The session of the test's stream in a pool, connected; the row does not say so. */
  async function servedUntold(pool: SessionPool) {
    expect(await pool.offer(id)).toBe('done');
    const client = await waitUntil(() => parts.clients.at(-1), { interval: 1 });
    client.emit('joined', MEDIA, []);
    await waitUntil(() => parts.told.events.includes('connected_untold'), { interval: 1 });
    return client;
  }

  test('says it when the stream is handed over, so that the next owner does not call it missed', async () => {
    await table.start(id);
    const pool = poolOf();
    await servedUntold(pool);
    pool.close('shutdown');
    await pool.handOverAll();
    expect(hasFlowed((await table.row(id)) as SessionRow)).toBe(true);
  });

  test('says it when the stream ends, so that a revocation is told', async () => {
    await table.start(id);
    const pool = poolOf();
    const client = await servedUntold(pool);
    client.emit('ended', { cause: 'stopped', stopReason: 6, restartable: false });
    await gone(pool);
    expect(hasFlowed((await table.row(id)) as SessionRow)).toBe(true);
  });
});

describe('how a meeting ended is counted', () => {
  const counting = () => {
    const sums: Record<string, number> = {};
    const count = (name: string, value = 1) => {
      if (name.startsWith('Meetings')) sums[name] = (sums[name] ?? 0) + value;
    };
    return { sums, metrics: { count, observe() {} } };
  };
  const outcome = (whole: number, inPart: number, missed: number) => ({
    MeetingsWhole: whole,
    MeetingsInPart: inPart,
    MeetingsMissed: missed,
  });

  test.each<[string, Partial<SessionRow>, number, number, object]>([
    ['whole', {}, 1, 6, { MeetingsWanted: 1, ...outcome(1, 0, 0) }],
    ['cut short by Zoom', {}, 1, 13, { MeetingsWanted: 1, ...outcome(0, 1, 0) }],
    ['after its owner was lost', { owner: 'dead', epoch: 1 }, 2, 6, outcome(0, 1, 0)],
    [
      'after a change of its owner',
      { epoch: 1, handedOverBy: 'a', handedOverAtMs: Date.now() },
      2,
      6,
      outcome(1, 0, 0),
    ],
    [
      'with a loss of an owner before',
      { epoch: 1, handedOverBy: 'a', inPart: true },
      2,
      6,
      outcome(0, 1, 0),
    ],
  ])('%s', async (_how, fields, epoch, stopReason, expected) => {
    await table.start(id, { ...fields, requestedAtMs: Date.now(), startEventTsMs: Date.now() });
    const { sums, metrics } = counting();
    const pool = poolOf({ metrics });
    const client = await served(pool);
    client.emit('ended', { cause: 'stopped', stopReason, restartable: false });
    await gone(pool);
    expect((await table.row(id)).epoch).toBe(epoch);
    expect(sums).toEqual(expected);
  });

  test('missed, once wanted and never claimed', async () => {
    const row = await table.start(id, { stopEventTsMs: 2_000, stopReason: 6 });
    const { sums, metrics } = counting();
    const pool = poolOf({ metrics });
    await pool.take(row);
    expect(sums).toEqual({ MeetingsWanted: 1, ...outcome(0, 0, 1) });
    await waitUntil(async () => (await table.row(id)).owner === undefined, { interval: 2 });
  });

  test('what an owner has lost goes with the row to the next', async () => {
    await table.start(id);
    const pool = poolOf();
    const client = await served(pool);
    client.emit('malformed', {
      scope: 'audio',
      mediaType: 'audio',
      userId: 7,
      error: new Error('x'),
    });
    pool.close('shutdown');
    await pool.handOverAll();
    expect(await table.row(id)).toMatchObject({ owner: 'UNOWNED', inPart: true });
  });
});

describe('while the table is away', () => {
  test('nothing may be written until every row is proved', async () => {
    await table.start(id);
    const pool = poolOf();
    await served(pool);
    term = undefined;
    pool.fence(7_000);
    expect([pool.mayWrite, pool.vouches]).toEqual([false, false]);
    expect(pool.nextToMove()).toBeUndefined();
    term = 2;
    await pool.proveAll(term);
    expect([pool.mayWrite, pool.vouches]).toEqual([true, true]);
    expect(await table.row(id)).toMatchObject({ owner: taskId, epoch: 1, proofs: 1 });
  });

  test('a row that another task has taken meanwhile is dropped', async () => {
    await table.start(id);
    const pool = poolOf();
    await served(pool);
    pool.fence(7_000);
    await table.start(id, { ...(await table.row(id)), owner: 'other', epoch: 2 });
    await pool.proveAll(1);
    await gone(pool);
    expect([pool.mayWrite, pool.vouches]).toEqual([true, true]);
    expect(await table.row(id)).toMatchObject({ owner: 'other', epoch: 2 });
  });

  test('sessions are dropped when it has lasted too long', async () => {
    await table.start(id);
    const pool = poolOf();
    await served(pool);
    term = undefined;
    pool.fence(60_000);
    await gone(pool);
    expect(await table.row(id)).toMatchObject({ owner: taskId });
    expect(pool.vouches).toBe(false);
  });

  test('what was dropped is told in its row before heartbeats count again, and its next owner goes by that', async () => {
    await table.start(id);
    const pool = poolOf();
    await served(pool);
    term = undefined;
    const atMs = Date.now() - 61_001;
    pool.fence(60_000.4);
    await gone(pool);
    term = 2;
    await pool.proveAll(term);
    expect(pool.vouches).toBe(true);
    const row = (await table.store.session(id)) as SessionRow;
    expect(row.blindSince).toMatchObject({ epoch: 1 });
    const { seenAtMs = 0 } = previousOwner(row, { ...TASK, taskId, renewedAtMs: Date.now() });
    expect(seenAtMs).toBeGreaterThanOrEqual(atMs);
    expect(seenAtMs).toBeLessThan(atMs + 5_000);
  });

  test('a session whose last event is lost has written nothing since the last renewal', async () => {
    await table.start(id);
    const pool = poolOf();
    await served(pool);
    parts.events.fate = 'write_failed';
    const atMs = Date.now() - 8_001;
    pool.fence(7_000);
    pool.close('shutdown');
    await pool.handOverAll();
    const { owner, blindSince } = (await table.row(id)) as SessionRow;
    expect([owner, blindSince?.epoch]).toEqual(['UNOWNED', 1]);
    expect(blindSince?.atMs).toBeGreaterThanOrEqual(atMs);
    expect(blindSince?.atMs).toBeLessThan(atMs + 5_000);
  });
});
