import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { ServiceError } from '../../../shared/errors.ts';
import type { RestartRegister } from '../../../shared/session-table/restart.ts';
import { RESTARTS, type SessionRow, UNOWNED } from '../../../shared/session-table/session-row.ts';
import { EXAMPLE_API } from '../../../simulator/api/api-server.ts';
import type { ScenarioInput } from '../../../simulator/scenario/scenario.ts';
import { type Simulator, startSimulator } from '../../../simulator/simulator.ts';
import { EXAMPLE_APP } from '../../../simulator/sockets/handshake.ts';
import {
  type LocalSessionTable,
  startSessionTable,
} from '../../../test/support/session/local-session-table.ts';
import { MemorySink } from '../../../test/support/session/memory-sink.ts';
import { Told } from '../../../test/support/session/session-parts.ts';
import { waitUntil } from '../../../test/support/wait.ts';
import { Restarts, type RestartsOptions } from './restarts.ts';

let table: LocalSessionTable;
let simulator: Simulator;
beforeAll(async () => {
  [table, simulator] = await Promise.all([startSessionTable(), startSimulator()]);
});
afterAll(async () => {
  await Promise.all([table[Symbol.asyncDispose](), simulator.close()]);
});

let id: string;
let entityId: string;
let events: MemorySink;
let told: Told;
let notified: string[];
let unique = 0;
beforeEach(() => {
  unique += 1;
  [id, entityId] = [`stream-${unique}`, `/meeting-${unique}==`];
  [events, told, notified] = [new MemorySink(), new Told(), []];
});

function restartsOf(taskId: string, options: Partial<RestartsOptions> = {}): Restarts {
  const { logger, metrics } = told;
  const { apiUrl, oauthUrl } = simulator;
  const credentials = async () => EXAMPLE_APP;
  return new Restarts({
    taskId,
    store: table.store,
    events,
    apiCredentials: () => EXAMPLE_API,
    credentials,
    renewedCredentials: credentials,
    addresses: { apiUrl, oauthUrl },
    notify: async (rtmsStreamId) => void notified.push(rtmsStreamId),
    logger,
    metrics,
    ...options,
  });
}

/** A row of a run that has ended, and its meeting at Zoom, which goes on. */
async function ended(
  restart: Partial<RestartRegister> = {},
  fields: Partial<SessionRow> = {},
  scenario: Partial<ScenarioInput> = {},
): Promise<void> {
  const nowMs = Date.now();
  simulator.openMeeting({ name: id, durationMs: 60_000, participants: [], ...scenario, entityId });
  await table.start(id, {
    entityId,
    owner: RESTARTS,
    epoch: 1,
    endedStartEventTsMs: 1_000,
    endedReason: 13,
    endedAtMs: nowMs,
    restart: { sinceMs: nowMs, reason: 13, tries: 0, nextAtMs: nowMs, ...restart },
    ...fields,
  });
}

const requests = () => simulator.api.requests.filter((entry) => entry.entityId === entityId);
const register = async () => (await table.row(id)).restart;
/** What is told of the test's stream; the rows of the tests before wait in the same table. */
const lines = () => events.lines.filter((line) => line.id.startsWith(`${id}/`));
const outcomes = () => lines().map(({ data }) => data);

describe('a stream that is wanted again', () => {
  test('is asked for once, whoever looks, and that is told in an epoch of its own', async () => {
    await ended();
    const tasks = ['a', 'b', 'c'].map((taskId) => restartsOf(taskId));
    await Promise.all(tasks.map((restarts) => restarts.look()));
    await Promise.all(tasks.map((restarts) => restarts.look()));
    expect(requests()).toMatchObject([{ action: 'start', status: 204 }]);
    expect(outcomes()).toEqual([{ outcome: 'requested', attempt: 1, stopReason: 13 }]);
    expect(lines()[0]).toMatchObject({ id: `${id}/2/1`, type: 'rtms.session_restart.v1' });
    expect(await table.row(id)).toMatchObject({ owner: RESTARTS, epoch: 2, restart: { tries: 1 } });
    expect((await register())?.acceptedAtMs).toBeGreaterThan(0);
    expect(told.counts).toContain('Restarts/requested');
  });

  test('is asked for at once by the task that wrote its end', async () => {
    await ended();
    restartsOf('a').wanted(id);
    await waitUntil(() => requests().length === 1, { interval: 5 });
  });

  test('is asked for again when the task that had claimed it has died', async () => {
    const nowMs = Date.now();
    await ended({ tries: 1, claimedBy: 'dead', claimedUntilMs: nowMs + 60_000 });
    await restartsOf('a').look();
    expect(requests()).toEqual([]);
    await ended({ tries: 1, claimedBy: 'dead', claimedUntilMs: nowMs });
    await restartsOf('a').look();
    expect(requests()).toHaveLength(1);
    expect(outcomes()).toMatchObject([{ outcome: 'requested', attempt: 2 }]);
  });

  test('is told by nobody who was frozen until its claim was over', async () => {
    await ended({ tries: 1, acceptedAtMs: 1 });
    const { update } = table.store;
    vi.spyOn(table.store, 'update').mockImplementation(async (write) => {
      const row = await update.call(table.store, write);
      vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 16_000);
      return row;
    });
    await restartsOf('a').look();
    vi.restoreAllMocks();
    expect(outcomes()).toEqual([]);
  });

  test('is not asked for while a new stream of its meeting waits for a runner', async () => {
    await ended();
    await table.start(`new-${id}`, { entityId, owner: UNOWNED });
    await restartsOf('a').look();
    expect(requests()).toEqual([]);
  });

  // Never before: the new stream came before its own end was known.
  test.each([
    ['again', 1],
    ['the first time', 0],
  ])('is not asked for %s when a new stream is served that nobody told of', async (_, tries) => {
    await ended({ tries });
    await table.store.renew(
      { taskId: 'other', slotsUsed: 1, slotsTotal: 9, draining: false },
      Date.now(),
      AbortSignal.timeout(60_000),
    );
    await table.start(`new-${id}`, { entityId, owner: 'other', epoch: 1 });
    await restartsOf('a').look();
    expect(requests()).toEqual([]);
    expect(await register()).toMatchObject({ outcome: 'resumed' });
  });

  test('is not asked for when it has been stopped on purpose since', async () => {
    await ended({}, { stopEventTsMs: 2_000, stopReason: 5 });
    await restartsOf('a').look();
    expect(requests()).toEqual([]);
    expect(outcomes()).toMatchObject([{ outcome: 'canceled', attempt: 0 }]);
    expect(await register()).toMatchObject({ outcome: 'canceled' });
  });

  test('is left to the runners when Zoom has started it again by itself', async () => {
    await ended({}, { startEventTsMs: 3_000 });
    await restartsOf('a').look();
    expect(requests()).toEqual([]);
    expect(notified).toEqual([id]);
    expect(await table.row(id)).toMatchObject({ owner: UNOWNED });
  });

  test('is asked for once after a refused signature, with a secret that is read again', async () => {
    await ended({ reason: 18 });
    const read = vi.fn(async () => EXAMPLE_APP);
    const restarts = restartsOf('a', {
      credentials: async () => ({ clientId: 'old', clientSecret: 'old' }),
      renewedCredentials: read,
    });
    await restarts.look();
    expect(read).toHaveBeenCalledTimes(1);
    expect(requests()).toMatchObject([{ status: 204 }]);
  });
});

describe('what Zoom says', () => {
  const answered = async (answer: NonNullable<ScenarioInput['api']>['answers'], tries = 0) => {
    await ended({ tries }, {}, { api: { answers: answer } });
    await restartsOf('a').look();
    return { data: outcomes()[0], restart: await register() };
  };

  test('2308 ends it', async () => {
    const { data, restart } = await answered([{ status: 400, code: 2308, message: 'Not allowed' }]);
    expect(data).toEqual({
      outcome: 'refused',
      attempt: 1,
      stopReason: 13,
      reason: 'not_allowed',
      status: 400,
      code: 2308,
      text: 'Not allowed',
    });
    expect(restart).toMatchObject({ outcome: 'refused' });
  });

  test('429 is honoured, for all streams of the account', async () => {
    await ended({}, {}, { api: { answers: [{ status: 429, retryAfter: '120' }] } });
    const restarts = restartsOf('a');
    const beforeMs = Date.now();
    await restarts.look();
    expect((await register())?.nextAtMs).toBeGreaterThanOrEqual(beforeMs + 120_000);
    expect(outcomes()).toMatchObject([{ outcome: 'delayed', reason: 'rate_limited' }]);
    [id, entityId] = [`other-${id}`, `other-${entityId}`];
    await ended();
    await restarts.look();
    expect(requests()).toEqual([]);
  });

  test('nothing: it may have been done, so the next request waits', async () => {
    const { data, restart } = await answered([{ status: 0, done: true }]);
    expect(data).toMatchObject({ outcome: 'delayed', reason: 'unreachable' });
    expect(restart?.nextAtMs).toBeGreaterThan(Date.now());
  });

  test('not now, for the fifth time', async () => {
    const { data } = await answered([{ status: 503 }], 4);
    expect(data).toMatchObject({ outcome: 'exhausted', attempt: 5, reason: 'unavailable' });
  });

  test('yes, but no stream comes', async () => {
    await ended({ tries: 1, acceptedAtMs: Date.now() - 20_000 });
    await restartsOf('a').look();
    expect(requests()).toEqual([]);
    expect(outcomes()).toMatchObject([{ outcome: 'unheard', attempt: 1 }]);
    expect((await register())?.acceptedAtMs).toBeUndefined();
  });

  test('the meeting is over', async () => {
    await ended();
    simulator.endMeeting(entityId);
    await restartsOf('a').look();
    expect(outcomes()).toMatchObject([{ outcome: 'refused', reason: 'meeting_over', code: 3001 }]);
  });
});

test('without credentials nothing is wanted, and nothing is asked', async () => {
  const restarts = restartsOf('a', { apiCredentials: () => undefined });
  const row = await table.start(id, { entityId });
  expect(restarts.plan(row, 13)).toMatchObject({ outcome: 'no_credentials' });
  expect(restarts.plan(row, 6)).toBeUndefined();
  await ended({ outcome: 'no_credentials' });
  await restarts.look();
  expect(requests()).toEqual([]);
  expect(lines()).toEqual([]);
});

test('credentials that are wrong are named, and no secret with them', async () => {
  await ended();
  const credentials = { ...EXAMPLE_API, clientSecret: 'hush-hush' };
  await restartsOf('a', { apiCredentials: () => credentials }).look();
  expect(outcomes()).toMatchObject([{ outcome: 'refused', reason: 'credentials_invalid' }]);
  expect(requests()).toEqual([]);
  expect(JSON.stringify([told.lines, events.lines, await table.row(id)])).not.toContain('hush');
});

test('a new stream of the meeting continues it, and ends the asking', async () => {
  await ended({ tries: 1, claimedBy: 'b', claimedUntilMs: Date.now() + 60_000 });
  const restarts = restartsOf('a');
  const started = await table.start(`new-${id}`, {
    entityId,
    owner: 'a',
    requestedAtMs: Date.now() + 1,
  });
  expect((await restarts.continuedBy(started))?.rtmsStreamId).toBe(id);
  await restarts.resumed(id);
  expect(await register()).toMatchObject({ outcome: 'resumed' });
  await restarts.look();
  expect((await table.row(id)).owner).toBeUndefined();
  expect(await restarts.continuedBy(started)).toBeUndefined();
});

test('a new stream of the meeting ends the asking when the table is back, however long that takes', async () => {
  await ended({ tries: 1, claimedBy: 'b', claimedUntilMs: Date.now() + 60_000 });
  let failures = 20;
  const store: RestartsOptions['store'] = {
    session: (rtmsStreamId) => table.store.session(rtmsStreamId),
    sessionsOf: (owner) => table.store.sessionsOf(owner),
    tasks: () => table.store.tasks(),
    update: (write) => {
      failures -= 1;
      if (failures < 0) return table.store.update(write);
      return Promise.reject(new ServiceError('session/store-failed', 'away'));
    },
  };
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const resuming = restartsOf('a', { store }).resumed(id);
    while ((await register())?.outcome === undefined) await vi.advanceTimersByTimeAsync(300);
    await resuming;
  } finally {
    vi.useRealTimers();
  }
  expect(await register()).toMatchObject({ outcome: 'resumed' });
  expect(told.events).toEqual(['resumed_untold']);
});

test('a row that cannot be asked for leaves the others alone', async () => {
  await ended();
  await table.documents.send(
    new PutCommand({
      TableName: table.name,
      Item: { pk: `SESSION#odd-${id}`, rtmsStreamId: `odd-${id}`, owner: RESTARTS, restart: 'odd' },
    }),
  );
  await restartsOf('a').look();
  expect(requests()).toHaveLength(1);
});
