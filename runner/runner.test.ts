import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { type LocalAws, startLocalAws } from '../local/aws/local-aws.ts';
import { SILENT_LOGGER } from '../shared/logger.ts';
import { MemoryPool } from '../shared/memory-pool.ts';
import type { CounterMetrics, MetricName } from '../shared/metrics.ts';
import { type SessionRow, sessionKey, UNOWNED } from '../shared/session-table/session-row.ts';
import { zoomSecret } from '../test/support/front-door.ts';
import { createRunnerAws, type RunnerAws } from './aws.ts';
import { type RunnerConfig, readRunnerConfig } from './config.ts';
import { openProducers, type Producers } from './kinesis/open-producers.ts';
import {
  type OwnedSessions,
  openOwnership,
  type TaskOwnership,
} from './ownership/open-ownership.ts';
import { openSessions } from './session/open-sessions.ts';
import { DrainDeadline } from './task/drain-deadline.ts';
import { Loops } from './task/loop.ts';
import { StartUp } from './task/start-up.ts';

let local: LocalAws;
let aws: RunnerAws;
let config: RunnerConfig;
let producers: Producers;
let loops: Loops;
let taskId = 'task-0';

/** What was told as a level, by name. */
let levels: Map<MetricName, number>;
const metrics: CounterMetrics = {
  count() {},
  observe: (name, value) => void levels.set(name, value),
  counter: () => ({ add() {} }),
};

beforeAll(async () => {
  local = await startLocalAws({ zoomSecret: zoomSecret() });
  for (const [name, value] of Object.entries(local.env())) vi.stubEnv(name, value);
  config = readRunnerConfig({
    ...process.env,
    ALLOWED_HOSTS: '127.0.0.1',
    CAPACITY: '10',
    HEALTH_PORT: '0',
    SPOOL_DIR: await mkdtemp(join(tmpdir(), 'rtms-wiring-')),
    SPOOL_MAX_BYTES: '0',
  });
  aws = createRunnerAws(config.region);
  const startUp = new StartUp(SILENT_LOGGER);
  producers = await openProducers({
    config,
    aws,
    attempt: (what, call) => startUp.attempt(what, call),
    memory: new MemoryPool(),
    logger: SILENT_LOGGER,
    metrics,
  });
});
afterAll(async () => {
  await producers.drain(AbortSignal.abort());
  for (const client of Object.values(aws)) client.destroy();
  await local.close();
  vi.unstubAllEnvs();
});
beforeEach(() => {
  taskId = `task-${Number(taskId.slice('task-'.length)) + 1}`;
  loops = new Loops(SILENT_LOGGER);
  levels = new Map();
});
let ownership: TaskOwnership;
afterEach(async () => {
  ownership.stop();
  await loops.stop();
});

const open = (sessions: () => OwnedSessions) =>
  openOwnership({
    config,
    aws,
    taskId,
    ecsTask: undefined,
    sessionSlots: 1,
    sessions,
    revisionIntervalMs: 60_000,
    logger: SILENT_LOGGER,
    metrics,
  });

/** Sessions that weigh 2.5 slots and note what they are told. */
function sessionsOfTest() {
  const taken = Promise.withResolvers<readonly SessionRow[]>();
  const terms: number[] = [];
  const sessions: OwnedSessions = {
    slotsUsed: 2.5,
    isDraining: false,
    isStrained: false,
    vouches: true,
    fence() {},
    async proveAll(term) {
      terms.push(term);
    },
    async takeAll(rows) {
      if (rows.length > 0) taken.resolve(rows);
    },
    nextToMove: () => undefined,
    nextToPack: () => undefined,
    async giveAway() {},
    async takeBack() {},
  };
  return { sessions, terms, taken: taken.promise };
}

test('the first heartbeat says what the sessions weigh and makes them prove their rows', async () => {
  const { sessions, terms } = sessionsOfTest();
  ownership = await open(() => sessions);
  expect(ownership.heartbeat.term).toBeUndefined();
  await ownership.start();
  expect(await ownership.store.task(taskId)).toMatchObject({
    slotsUsed: 2.5,
    slotsTotal: 10,
    draining: false,
  });
  expect(terms).toEqual([ownership.heartbeat.term]);
});

test('a stream that nobody took comes to the sessions, and the fleet is counted', async () => {
  const { sessions, taken } = sessionsOfTest();
  ownership = await open(() => sessions);
  await ownership.start();
  const row: SessionRow = {
    pk: sessionKey('orphan'),
    rtmsStreamId: 'orphan',
    owner: UNOWNED,
    startEventTsMs: 1000,
    serverUrls: ['wss://127.0.0.1'],
    product: 'meeting',
    entityId: 'e',
    app: 'default',
    requestedAtMs: Date.now() - 60_000,
  };
  await aws.table.send(new PutCommand({ TableName: config.sessionTable, Item: row }));
  ownership.run(loops);
  expect((await taken).map(({ rtmsStreamId }) => rtmsStreamId)).toEqual(['orphan']);
  ownership.observeLevels();
  expect(levels.get('Tasks')).toBeGreaterThanOrEqual(1);
  expect(levels.get('OldestWaiting')).toBeGreaterThanOrEqual(60_000);
});

test('outside ECS no revision is followed and nothing yields to another', async () => {
  const { sessions } = sessionsOfTest();
  ownership = await open(() => sessions);
  ownership.busy(true);
  expect(ownership.yields).toBe(false);
});

test('a drained task takes no more sessions and ends its long poll', async () => {
  ownership = await open(() => sessions.pool);
  const deadline = new DrainDeadline();
  const sessions: ReturnType<typeof openSessions> = openSessions({
    config,
    aws,
    taskId,
    producers,
    ownership,
    sessionSlots: 1,
    memory: new MemoryPool(),
    pressure: () => ({ eventLoopDelayMs: 0, memoryShare: 0 }),
    deadline,
    logger: SILENT_LOGGER,
    metrics,
  });
  await sessions.readSecret();
  await ownership.start();
  expect(sessions.pool.room).toBe(10);
  sessions.run(loops);
  sessions.observeLevels();
  expect(Object.fromEntries(levels)).toMatchObject({ SlotsUsed: 0, SlotsTotal: 10 });
  await sessions.drain();
  expect(sessions.pool.room).toBe(0);
  // Would take the 20 s of a long poll otherwise.
  await loops.stop();
});
