import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SILENT_LOGGER } from '../../shared/logger.ts';
import { closeServer } from '../../simulator/sockets/listen.ts';
import { EventLoopDelay, memoryLimitBytes, memoryShare, startHealthServer } from './health.ts';
import { Loops } from './loop.ts';

let loops: Loops;
let delay: EventLoopDelay;
let health: Awaited<ReturnType<typeof startHealthServer>>;
let isReady: boolean;

beforeEach(async () => {
  [loops, delay, isReady] = [new Loops(SILENT_LOGGER), new EventLoopDelay(), true];
  health = await startHealthServer({ port: 0, loops, delay, isReady: () => isReady });
});
afterEach(async () => {
  vi.restoreAllMocks();
  delay.stop();
  await closeServer(health.server);
});

const get = async (path: string) => {
  const response = await fetch(`http://127.0.0.1:${health.port}${path}`);
  return { status: response.status, body: await response.json() };
};

test('a task is alive while its loops give their beats', async () => {
  loops.beat('poller', 0);
  expect(await get('/healthz')).toMatchObject({ status: 200, body: { alive: true, stuck: [] } });
});

test('a task is not alive when a loop hangs', async () => {
  loops.beat('poller', 0);
  loops.beat('reconcile', 0);
  vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 60_001);
  loops.beat('reconcile', 0);
  expect(await get('/healthz')).toMatchObject({ status: 503, body: { stuck: ['poller'] } });
});

test('a loop with a long pause counts as hung later', async () => {
  loops.beat('revision', 60_000);
  vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 100_000);
  expect((await get('/healthz')).status).toBe(200);
});

test('a loop that has ended does not count as hung', async () => {
  loops.beat('poller', 0);
  const ended = Promise.resolve();
  loops.follow('poller', ended);
  await loops.stop();
  vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 60_001);
  expect((await get('/healthz')).status).toBe(200);
});

test('a task is ready while it accepts sessions', async () => {
  expect(await get('/readyz')).toEqual({ status: 200, body: { ready: true } });
  isReady = false;
  expect(await get('/readyz')).toEqual({ status: 503, body: { ready: false } });
});

test('the health server answers 404 on any other path', async () => {
  expect((await get('/')).status).toBe(404);
});

test('a port that is taken is named in the error', async () => {
  const taken = startHealthServer({ port: health.port, loops, delay, isReady: () => true });
  await expect(taken).rejects.toMatchObject({ code: 'local/port-in-use' });
});

test('the delay of the event loop and the memory of this process are measured', () => {
  expect(delay.p99Ms).toBeGreaterThanOrEqual(0);
  const limit = memoryLimitBytes(undefined);
  expect(memoryShare(limit)).toBeGreaterThan(0);
  expect(memoryShare(limit)).toBeLessThan(1);
});

const GIB = 1024 ** 3;
const NO_LIMIT = 2 ** 64;

test.each<[string, number | undefined, number, number, number | undefined]>([
  ['Fargate with a limit of the task alone', 2048, NO_LIMIT, 8 * GIB, 2 * GIB],
  ['a container with a limit of its own', undefined, GIB, 8 * GIB, GIB],
  ['a container with less than the task', 2048, GIB, 8 * GIB, GIB],
  ['a machine without any limit', undefined, NO_LIMIT, 8 * GIB, 8 * GIB],
  ['macOS, where Node cannot find out', undefined, 0, 8 * GIB, 8 * GIB],
  ['a configuration larger than the machine', 65_536, 0, 8 * GIB, 8 * GIB],
  ['nothing known at all', undefined, 0, 0, undefined],
])('the memory limit of %s', (_what, memoryMib, constrained, machine, limit) => {
  expect(memoryLimitBytes(memoryMib, constrained, machine)).toBe(limit);
});

test('without a known limit no memory is in use, so that no meeting is refused', () => {
  expect(memoryShare(undefined)).toBe(0);
});
