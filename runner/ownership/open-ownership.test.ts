import type { ECSClient } from '@aws-sdk/client-ecs';
import type { DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Told } from '../../test/support/session/session-parts.ts';
import { type OwnedSessions, openOwnership, type TaskOwnership } from './open-ownership.ts';
import { FENCE_AFTER_MS } from './tenure.ts';

/** A table that takes every write, and may answer none. */
class Table {
  hears = true;
  writes = 0;
  renewedAtMs = 0;
  aliveAtMs = 0;
  startedAtMs = 0;

  async send({ input }: UpdateCommand) {
    const values = input.ExpressionAttributeValues ?? {};
    const { ':served': renewedAtMs, ':now': aliveAtMs, ':started': startedAtMs } = values;
    this.writes += 1;
    Object.assign(this, { renewedAtMs, aliveAtMs, startedAtMs });
    if (!this.hears) await new Promise(() => {});
    return {};
  }
}

let table: Table;
let sessions: { -readonly [Key in keyof OwnedSessions]: OwnedSessions[Key] };
let ownership: TaskOwnership;
beforeEach(async () => {
  vi.useFakeTimers();
  table = new Table();
  sessions = {
    slotsUsed: 1,
    isDraining: false,
    isStrained: false,
    vouches: true,
    fence() {},
    async proveAll() {},
    async takeAll() {},
    nextToMove: () => undefined,
    nextToPack: () => undefined,
    async giveAway() {},
    async takeBack() {},
  };
  const { logger, metrics } = new Told();
  ownership = await openOwnership({
    config: { sessionTable: 'sessions', capacity: 2, packing: undefined },
    aws: { table: table as unknown as DynamoDBDocumentClient, ecs: {} as ECSClient },
    taskId: 'me',
    ecsTask: undefined,
    sessionSlots: 1,
    sessions: () => sessions,
    revisionIntervalMs: 60_000,
    wroteUntilMs: () => Date.now(),
    clock: () => Date.now(),
    logger,
    metrics,
  });
});
afterEach(() => {
  ownership.stop();
  vi.useRealTimers();
});

/** How old the newest heartbeat that counts is, ms. */
const ageMs = () => Date.now() - table.renewedAtMs;

const hear = (hears: boolean) => {
  table.hears = hears;
};
const vouch = (vouches: boolean) => {
  sessions.vouches = vouches;
};

test.each([
  ['the lease has lapsed', hear, FENCE_AFTER_MS],
  ['the sessions cannot stand for all streams', vouch, 3_000],
])('heartbeats count again when it is over that %s', async (_what, set, countsForMs) => {
  await ownership.start();
  expect(ageMs()).toBe(0);
  set(false);
  await vi.advanceTimersByTimeAsync(30_000);
  // They go on to arrive and say that the process lives, and none of them counts.
  expect(table.writes).toBeGreaterThan(8);
  expect(Date.now() - table.aliveAtMs).toBeLessThanOrEqual(3_000);
  expect(ageMs()).toBeGreaterThanOrEqual(30_000 - countsForMs);
  set(true);
  await vi.advanceTimersByTimeAsync(6_000);
  expect(ageMs()).toBeLessThanOrEqual(3_000);
});

test('what a row can say is written stands still while heartbeats do not count for every stream', async () => {
  await ownership.start();
  await vi.advanceTimersByTimeAsync(9_000);
  const { renewedAtMs } = table;
  expect(ownership.wroteUntilMs).toBe(renewedAtMs);
  vouch(false);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(ownership.wroteUntilMs).toBe(renewedAtMs);
  vouch(true);
  await vi.advanceTimersByTimeAsync(6_000);
  expect(ownership.wroteUntilMs).toBe(table.renewedAtMs);
});

test('heartbeats count while the lease holds', async () => {
  await ownership.start();
  for (let beat = 0; beat < 5; beat++) {
    await vi.advanceTimersByTimeAsync(3_000);
    expect(ageMs()).toBeLessThanOrEqual(3_000);
  }
});

test('heartbeats say when the process began, before any claim of its', async () => {
  const beganAtMs = Date.now();
  await vi.advanceTimersByTimeAsync(1_000);
  await ownership.start();
  expect(table.startedAtMs).toBe(beganAtMs);
  await vi.advanceTimersByTimeAsync(9_000);
  expect(table.startedAtMs).toBe(beganAtMs);
});
