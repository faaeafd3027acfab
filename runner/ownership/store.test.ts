import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { writeOperatorRequest } from '../../shared/session-table/operator-writes.ts';
import { type SessionRow, sessionKey, UNOWNED } from '../../shared/session-table/session-row.ts';
import { fillRow } from '../../test/hostile/full-row.ts';
import {
  type LocalSessionTable,
  startSessionTable,
} from '../../test/support/session/local-session-table.ts';
import { OrphanWatch, type OrphanWatchOptions } from './orphans.ts';
import { placeInLine } from './placement.ts';
import { reconcile } from './reconcile.ts';
import { SessionStore } from './store.ts';

const NOW_MS = 1_738_392_033_000;

let table: LocalSessionTable;

let client: DynamoDBClient;
let documents: DynamoDBDocumentClient;
let store: SessionStore;
let unique = 0;

beforeAll(async () => {
  table = await startSessionTable();
  ({ client, documents, store } = table);
});
afterAll(() => table[Symbol.asyncDispose]());

let id: string;
let me: string;
let other: string;
beforeEach(() => {
  unique += 1;
  [id, me, other] = [`stream-${unique}`, `me-${unique}`, `other-${unique}`];
});

/** Writes a row as the webhook function would. */
async function started(fields: Partial<SessionRow> = {}): Promise<SessionRow> {
  const row: SessionRow = {
    pk: sessionKey(id),
    rtmsStreamId: id,
    owner: UNOWNED,
    startEventTsMs: 1000,
    serverUrls: ['wss://a'],
    product: 'meeting',
    entityId: 'e',
    app: 'default',
    requestedAtMs: NOW_MS,
    ...fields,
  };
  await documents.send(new PutCommand({ TableName: table.name, Item: row }));
  return row;
}

async function claimed(taskId: string): Promise<SessionRow> {
  const seen = await store.session(id);
  const row = seen && (await store.claim(seen, taskId, NOW_MS));
  if (row === undefined) throw new Error('not claimed');
  return row;
}

describe('a claim', () => {
  test('raises the epoch and takes the row', async () => {
    const seen = await started({ handedOverBy: 'somebody', endedReason: 6 });
    const row = await store.claim(seen, me, NOW_MS);
    expect(row).toMatchObject({ owner: me, epoch: 1, claimedAtMs: NOW_MS });
    expect(row?.handedOverBy).toBeUndefined();
    expect(row?.endedReason).toBeUndefined();
    expect(await store.session(id)).toEqual(row);
  });

  test('is won by one of many', async () => {
    const seen = await started();
    const tasks = Array.from({ length: 8 }, (_, index) => `${me}-${index}`);
    const rows = await Promise.all(tasks.map((taskId) => store.claim(seen, taskId, NOW_MS)));
    expect(rows.filter((row) => row !== undefined)).toHaveLength(1);
    expect((await store.session(id))?.epoch).toBe(1);
  });

  test('fails when the row has been claimed and given away since it was read', async () => {
    const seen = await started();
    const { epoch = 0 } = await claimed(other);
    await store.release({ rtmsStreamId: id, taskId: other, epoch }, NOW_MS);
    expect(await store.claim(seen, me, NOW_MS)).toBeUndefined();
  });

  test('works on a row without owner and epoch', async () => {
    const { owner: _, ...row } = await started();
    await documents.send(new PutCommand({ TableName: table.name, Item: row }));
    expect(await store.claim(row, me, NOW_MS)).toMatchObject({ owner: me, epoch: 1 });
  });

  test('fails on a row that is gone', async () => {
    const row = { pk: sessionKey('gone'), rtmsStreamId: 'gone' };
    expect(await store.claim(row, me, NOW_MS)).toBeUndefined();
  });
});

describe('a release', () => {
  test('offers the stream to the others and says who gave it', async () => {
    await started();
    const seen = await claimed(me);
    const request = writeOperatorRequest(seen, 'handover');
    await documents.send(new UpdateCommand({ TableName: table.name, ...request }));
    expect((await store.session(id))?.operatorRequest).toBe('handover');
    expect(await store.release({ rtmsStreamId: id, taskId: me, epoch: 1 }, NOW_MS)).toBe(true);
    const row = await store.session(id);
    expect(row).toMatchObject({
      owner: UNOWNED,
      epoch: 1,
      handedOverBy: me,
      handedOverAtMs: NOW_MS,
    });
    expect(row?.operatorRequest).toBeUndefined();
  });

  test.each([
    ['another epoch', () => ({ rtmsStreamId: id, taskId: me, epoch: 2 })],
    ['another owner', () => ({ rtmsStreamId: id, taskId: other, epoch: 1 })],
  ])('does nothing for %s', async (_title, claim) => {
    await started();
    await claimed(me);
    expect(await store.release(claim(), NOW_MS)).toBe(false);
    expect((await store.session(id))?.owner).toBe(me);
  });
});

describe('a proof', () => {
  test('keeps the row and voids a claim that was decided before it', async () => {
    await started();
    const seen = await claimed(other);
    expect(await store.prove({ rtmsStreamId: id, taskId: other, epoch: 1 })).toBe(true);
    expect(await store.claim(seen, me, NOW_MS)).toBeUndefined();
    const row = await store.session(id);
    expect(row).toMatchObject({ owner: other, epoch: 1, proofs: 1 });
    expect(await store.claim(row as SessionRow, me, NOW_MS)).toMatchObject({ owner: me, epoch: 2 });
    expect((await store.session(id))?.proofs).toBeUndefined();
  });

  test('is refused for a row that another has taken', async () => {
    await started();
    await claimed(me);
    expect(await store.prove({ rtmsStreamId: id, taskId: other, epoch: 1 })).toBe(false);
    expect(await store.prove({ rtmsStreamId: id, taskId: me, epoch: 2 })).toBe(false);
  });
});

describe('a stream that ends its owners', () => {
  const untilMs = NOW_MS + 600_000;

  test('carries its strikes from owner to owner, until one hands it over', async () => {
    await started();
    await claimed(me);
    const first = { rtmsStreamId: id, taskId: me, epoch: 1 };
    await store.release(first, NOW_MS, { penalty: { strikes: 1 } });
    const seen = (await store.session(id)) as SessionRow;
    expect(seen).toMatchObject({ owner: UNOWNED, strikes: 1 });
    expect(await store.claim(seen, other, NOW_MS, 1)).toMatchObject({ epoch: 2, strikes: 1 });
    await store.release({ rtmsStreamId: id, taskId: other, epoch: 2 }, NOW_MS);
    expect((await store.session(id))?.strikes).toBeUndefined();
  });

  test('is taken from a dead owner and given to nobody', async () => {
    await started();
    const seen = await claimed(other);
    const penalty = { strikes: 2, quarantinedUntilMs: untilMs };
    expect(await store.quarantine(seen, penalty)).toBe(true);
    expect(await store.quarantine(seen, penalty)).toBe(false);
    const row = (await store.session(id)) as SessionRow;
    expect(row).toMatchObject({ owner: UNOWNED, epoch: 1, ...penalty });
    const again = await store.claim(row, me, untilMs, 1);
    expect(again).toMatchObject({ epoch: 2, strikes: 1 });
    expect(again?.quarantinedUntilMs).toBeUndefined();
  });
});

describe('an end', () => {
  const run = { startEventTsMs: 1000, reason: 6, atMs: NOW_MS } as const;

  test('leaves the row at rest', async () => {
    await started();
    await claimed(me);
    const claim = { rtmsStreamId: id, taskId: me, epoch: 1 };
    expect(await store.end(claim, run, NOW_MS)).toBe('ended');
    const row = await store.session(id);
    expect(row).toMatchObject({
      epoch: 1,
      endedStartEventTsMs: 1000,
      endedReason: 6,
      endedAtMs: NOW_MS,
    });
    expect(row?.owner).toBeUndefined();
    expect(await store.sessionsOf(me)).toEqual([]);
  });

  test('offers a newer run to the runners', async () => {
    await started();
    const row = await claimed(me);
    await documents.send(
      new PutCommand({ TableName: table.name, Item: { ...row, startEventTsMs: 2000 } }),
    );
    const claim = { rtmsStreamId: id, taskId: me, epoch: 1 };
    expect(await store.end(claim, run, NOW_MS)).toBe('restarted');
    expect(await store.session(id)).toMatchObject({ owner: UNOWNED, endedStartEventTsMs: 1000 });
  });

  test('does nothing for an owner that lost the row', async () => {
    await started();
    await claimed(me);
    const claim = { rtmsStreamId: id, taskId: me, epoch: 1 };
    await store.claim((await store.session(id)) as SessionRow, other, NOW_MS);
    expect(await store.end(claim, run, NOW_MS)).toBe('not_owner');
    expect(await store.session(id)).toMatchObject({ owner: other, epoch: 2 });
  });

  const missed = { reason: 'no_room', atMs: NOW_MS, epoch: 1, sequence: 1, ledger: [] };

  test('of a run nobody served is decided once, and at rest when it is told', async () => {
    const seen = await started({ stopEventTsMs: 2000 });
    const row = await store.miss(seen, missed, me, NOW_MS);
    expect(row).toMatchObject({ owner: me, epoch: 1, endedReason: 'missed', untold: true, missed });
    expect(await store.miss(seen, missed, other, NOW_MS)).toBeUndefined();
    expect(await store.told(row as SessionRow)).toBe('told');
    expect(await store.told(row as SessionRow)).toBe('changed');
    const told = await store.session(id);
    expect(told).toMatchObject({ endedStartEventTsMs: 1000, missed });
    expect(told?.owner).toBeUndefined();
    expect(told?.untold).toBeUndefined();
  });

  test('of a run that its owner missed keeps the row until it is told, and offers a newer run then', async () => {
    await started();
    const row = await claimed(me);
    const claim = { rtmsStreamId: id, taskId: me, epoch: 1 };
    const untold = await store.missServed(claim, missed, 1000, NOW_MS);
    expect(untold).toMatchObject({ owner: me, epoch: 1, runEpoch: 1, untold: true });
    expect(await store.missServed({ ...claim, epoch: 2 }, missed, 1000, NOW_MS)).toBeUndefined();
    const newer = { ...untold, startEventTsMs: 2000 };
    await documents.send(new PutCommand({ TableName: table.name, Item: newer }));
    expect(await store.told(untold as SessionRow)).toBe('restarted');
    expect(await store.session(id)).toMatchObject({ owner: UNOWNED, startEventTsMs: 2000 });
    expect(row).toBeDefined();
  });
});

const BUSY = { slotsUsed: 0, slotsTotal: 10, draining: false };
const renew = (taskId: string, fields = {}) =>
  store.renew({ taskId, ...BUSY, ...fields }, NOW_MS, AbortSignal.timeout(60_000));

describe('a heartbeat', () => {
  test('rises with every renewal', async () => {
    await renew(me);
    await renew(me, { draining: true });
    expect(await store.task(me)).toMatchObject({ taskId: me, heartbeat: 2, draining: true });
    expect((await store.tasks()).some(({ taskId }) => taskId === me)).toBe(true);
  });

  test('is deleted only as it was seen', async () => {
    await renew(me);
    await renew(me);
    await store.deleteTask({ taskId: me, heartbeat: 1 });
    expect(await store.task(me)).toBeDefined();
    await store.deleteTask({ taskId: me, heartbeat: 2 });
    expect(await store.task(me)).toBeUndefined();
  });
});

describe('OrphanWatch', () => {
  function watch() {
    const clock = { nowMs: 0 };
    const orphans = new OrphanWatch({
      store,
      taskId: me,
      sessionSlots: 1,
      clock: () => clock.nowMs,
    });
    return {
      orphans,
      async due(atMs: number, wallMs = NOW_MS) {
        clock.nowMs = atMs;
        const rows = await orphans.look(wallMs);
        return rows.some(({ rtmsStreamId }) => rtmsStreamId === id);
      },
    };
  }

  /** Leaves this test's runners alone in the table. */
  async function onlyTasks(...tasks: string[]): Promise<void> {
    for (const task of await store.tasks())
      if (!tasks.includes(task.taskId)) await store.deleteTask(task);
  }

  test('takes the sessions of a task that stopped renewing', async () => {
    await onlyTasks();
    await renew(me);
    await renew(other);
    await started();
    await claimed(other);
    const { orphans, due } = watch();
    expect(await due(0)).toBe(false);
    await renew(other);
    expect(await due(9_000)).toBe(false);
    await renew(me);
    expect(await due(18_999)).toBe(false);
    expect(orphans.isExpired(other)).toBe(false);
    await renew(me);
    expect(await due(19_000)).toBe(true);
    expect(orphans.isExpired(other)).toBe(true);
    expect(orphans.isExpired(me)).toBe(false);
  });

  test('takes a start that nobody took for 15 s', async () => {
    await onlyTasks();
    await renew(me);
    await started();
    const { due } = watch();
    expect(await due(0)).toBe(false);
    await renew(me);
    expect(await due(9_000)).toBe(false);
    await renew(me);
    expect(await due(15_000)).toBe(true);
  });

  test('takes at once a start that has been waiting since before it looked', async () => {
    await onlyTasks();
    await renew(me);
    await started();
    const { orphans, due } = watch();
    expect(await due(0, NOW_MS + 15_000)).toBe(true);
    expect(orphans.oldestWaitingMs).toBeGreaterThanOrEqual(15_000);
  });

  test('counts live tasks, and the free slots of those that do not drain', async () => {
    await onlyTasks();
    const signal = AbortSignal.timeout(60_000);
    const beat = (taskId: string, slotsUsed: number, draining = false) =>
      store.renew({ taskId, slotsUsed, slotsTotal: 30, draining }, 0, signal);
    await beat(me, 12);
    await beat(other, 31);
    await beat(`${other}-leaving`, 5, true);
    const { orphans, due } = watch();
    expect(orphans.fleet).toBeUndefined();
    await due(0);
    expect(orphans.fleet).toEqual({ tasks: 3, freeSlots: 18, caughtSlots: 0 });
    await onlyTasks();
  });

  test('takes a stream given away whose message is lost', async () => {
    await onlyTasks();
    await renew(me);
    await started({ epoch: 4, handedOverBy: other });
    const { due } = watch();
    expect(await due(0, NOW_MS + 60_000)).toBe(false);
    expect(await due(5_000, NOW_MS + 65_000)).toBe(true);
  });

  test('leaves everything to the others while it is full', async () => {
    await onlyTasks();
    await renew(me, { slotsUsed: 10 });
    await started();
    expect(await watch().due(0, NOW_MS + 60_000)).toBe(false);
  });

  test('believes the heartbeat itself rather than the index', async () => {
    await onlyTasks();
    await renew(me);
    await renew(other);
    await started();
    await claimed(other);
    // An index that lags: it never shows that the other has renewed.
    const stale = await store.tasks();
    const lagging = {
      tasks: async () => stale,
      task: store.task.bind(store),
      sessionsOf: store.sessionsOf.bind(store),
      deleteTask: store.deleteTask.bind(store),
    };
    let nowMs = 0;
    const orphans = new OrphanWatch({
      store: lagging,
      taskId: me,
      sessionSlots: 1,
      clock: () => nowMs,
    });
    await orphans.look(NOW_MS);
    await renew(other);
    nowMs = 10_000;
    const rows = await orphans.look(NOW_MS);
    expect(rows.some(({ rtmsStreamId }) => rtmsStreamId === id)).toBe(false);
    expect(orphans.isExpired(other)).toBe(false);
  });

  test('reads the sessions of several dead tasks side by side: a slow table makes no look as long as there are dead', async () => {
    const dead = [1, 2, 3].map((number) => `${other}-${number}`);
    await onlyTasks();
    for (const taskId of [me, ...dead]) await renew(taskId);
    const asked: string[] = [];
    const { promise: all, resolve } = Promise.withResolvers<void>();
    const slow: OrphanWatchOptions['store'] = {
      tasks: store.tasks.bind(store),
      sessionsOf: store.sessionsOf.bind(store),
      deleteTask: store.deleteTask.bind(store),
      // No answer before all are asked for.
      async task(taskId) {
        asked.push(taskId);
        if (asked.length === dead.length) resolve();
        await all;
        return store.task(taskId);
      },
    };
    let nowMs = 0;
    const clock = () => nowMs;
    const orphans = new OrphanWatch({ store: slow, taskId: me, sessionSlots: 1, clock });
    await orphans.look(NOW_MS);
    nowMs = 10_000;
    await orphans.look(NOW_MS);
    expect(asked.toSorted()).toEqual(dead);
  });

  test('does not leave the sessions of a dead task to one that cannot know yet', async () => {
    await onlyTasks();
    const idle = { slotsUsed: 0, slotsTotal: 10, draining: false };
    const isFirst = (taskId: string) =>
      placeInLine(
        id,
        taskId,
        [
          { taskId, ...idle },
          { taskId: me, ...idle },
        ],
        1,
      ) === 0;
    const names = Array.from({ length: 50 }, (_, index) => `newcomer-${unique}-${index}`);
    const newcomer = names.find(isFirst) ?? '';
    await renew(other);
    await started();
    await claimed(other);
    const { orphans, due } = watch();
    await renew(me);
    await due(0);
    await renew(newcomer);
    await due(9_000);
    expect(await due(10_000)).toBe(true);
    expect(orphans.isOverdue(id)).toBe(false);
    expect(await due(11_900)).toBe(true);
    expect(orphans.isOverdue(id)).toBe(false);
    await due(12_000);
    expect(orphans.isOverdue(id)).toBe(true);
  });

  test('deletes the row of a dead task that owns nothing', async () => {
    await onlyTasks();
    await renew(me);
    await renew(other);
    const { due } = watch();
    for (const atMs of [0, 30_000, 61_000]) {
      await renew(me);
      await due(atMs);
    }
    expect(await store.task(other)).toBeUndefined();
  });
});

describe('reconcile', () => {
  const view = (epoch: number) => ({
    taskId: me,
    epoch,
    startEventTsMs: 1000,
    serverUrls: ['wss://a'],
    handledInterruptTsMs: 0,
    lastHandshakeAtMs: 0,
  });

  test('has no verdict for sessions that go on', async () => {
    await started();
    await claimed(me);
    const findings = await reconcile(store, me, new Map([[id, view(1)]]));
    expect(findings).toEqual({ verdicts: new Map(), unserved: [] });
  });

  test('drops what another took', async () => {
    await started();
    await claimed(me);
    await store.claim((await store.session(id)) as SessionRow, other, NOW_MS);
    const { verdicts } = await reconcile(store, me, new Map([[id, view(1)]]));
    expect(verdicts.get(id)).toEqual({ act: 'drop' });
  });

  test('drops nothing because the index does not show it yet', async () => {
    await started();
    await claimed(me);
    const blind = {
      read: store.read.bind(store),
      session: store.session.bind(store),
      sessionsOf: async () => [],
    };
    const { verdicts } = await reconcile(blind, me, new Map([[id, view(1)]]));
    expect(verdicts.size).toBe(0);
  });

  test('keeps what it serves although the row cannot be read any more', async () => {
    await started();
    const row = await claimed(me);
    await documents.send(
      new PutCommand({ TableName: table.name, Item: { ...row, stopReason: 'x' } }),
    );
    const { verdicts, unserved } = await reconcile(store, me, new Map([[id, view(1)]]));
    expect(verdicts.size).toBe(0);
    expect(unserved).toEqual([]);
    await documents.send(
      new PutCommand({ TableName: table.name, Item: { ...row, owner: other, stopReason: 'x' } }),
    );
    const { verdicts: after } = await reconcile(store, me, new Map([[id, view(1)]]));
    expect(after.get(id)).toEqual({ act: 'drop' });
  });

  test('finds its own rows that no session serves', async () => {
    await started();
    await claimed(me);
    const { unserved } = await reconcile(store, me, new Map());
    expect(unserved.map(({ rtmsStreamId }) => rtmsStreamId)).toEqual([id]);
  });
});

test('an unreachable table is a retryable error', async () => {
  const nowhere = DynamoDBDocumentClient.from(
    new DynamoDBClient({
      region: 'us-east-1',
      endpoint: `http://127.0.0.1:${await freePort()}`,
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      maxAttempts: 1,
    }),
  );
  await expect(new SessionStore(nowhere, table.name).session(id)).rejects.toMatchObject({
    code: 'session/store-failed',
    retryable: true,
  });
});

test('a row that cannot be read spoils no other, and is reported by its key', async () => {
  const reported: string[] = [];
  const watching = new SessionStore(documents, table.name, ({ pk }) => reported.push(pk));
  await started({ owner: me });
  // As a text in the request: JavaScript cannot hold these numbers.
  const spoilt = ['9007199254740993.5', '1E+125', '123456789012345678901'];
  for (const [index, N] of spoilt.entries()) {
    const Item = {
      ...{ pk: { S: `SESSION#${id}-${index}` }, rtmsStreamId: { S: `${id}-${index}` } },
      ...{ owner: { S: me }, epoch: { N } },
    };
    await client.send(new PutItemCommand({ TableName: table.name, Item }));
  }
  expect((await watching.sessionsOf(me)).map(({ rtmsStreamId }) => rtmsStreamId)).toEqual([id]);
  expect(reported.sort()).toEqual(spoilt.map((_, index) => `SESSION#${id}-${index}`));
  expect(await watching.session(`${id}-0`)).toBeUndefined();
});

test('a row that is full can be read and not be written, and trying again is no use', async () => {
  const { region, endpoint, credentials } = client.config;
  const { port = 0 } = (await endpoint?.()) ?? {};
  const endpoints = { dynamodb: `http://127.0.0.1:${port}` };
  const aws = {
    region: await region(),
    credentials: await credentials(),
    endpoints,
    table: table.name,
  };
  await started();
  const { epoch = 0 } = await claimed(me);
  await fillRow(aws, id);
  const claim = { rtmsStreamId: id, taskId: me, epoch };
  const run = { startEventTsMs: 1000, reason: 6, atMs: NOW_MS } as const;
  const refused = { code: 'session/store-refused', retryable: false };
  await expect(store.end(claim, run, NOW_MS)).rejects.toMatchObject(refused);
  await expect(store.release(claim, NOW_MS)).rejects.toMatchObject(refused);
  expect(await store.session(id)).toMatchObject({ owner: me, epoch });
});

test('a call that the table refuses is not retryable', async () => {
  await started({ epoch: 'x' as unknown as number });
  const missing = new SessionStore(documents, 'no-such-table');
  await expect(missing.session(id)).rejects.toMatchObject({
    code: 'session/store-refused',
    retryable: false,
    detail: { name: 'ResourceNotFoundException' },
  });
  const tooLong = 'x'.repeat(3_000);
  await expect(store.session(tooLong)).rejects.toMatchObject({ code: 'session/store-refused' });
});

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
