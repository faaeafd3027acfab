import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ServiceError } from '../errors.ts';
import { Heartbeat } from './heartbeat.ts';

const TIMES = {
  intervalMs: 3_000,
  slowAfterMs: 2_000,
  retryMs: 500,
  watchMs: 250,
  fenceAfterMs: 7_000,
};

/** A table that answers at once, not at all, or with an error. */
class Table {
  answer: 'ok' | 'fail' | 'silence' | 'slow' = 'ok';
  renewals = 0;
  /** Of each renewal: had the lease lapsed? */
  lapsed: boolean[] = [];
  asked = 0;

  async renew(signal: AbortSignal, hasLapsed: boolean): Promise<void> {
    this.asked += 1;
    this.lapsed.push(hasLapsed);
    if (this.answer === 'fail') throw new ServiceError('session/store-failed', 'down');
    if (this.answer === 'silence') {
      const { promise, reject } = Promise.withResolvers<void>();
      setTimeout(() => reject(new ServiceError('session/store-failed', 'timed out')), 7_000);
      await promise;
    }
    if (this.answer === 'slow') {
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      signal.throwIfAborted();
    }
    this.renewals += 1;
  }
}

let table: Table;
let heartbeat: Heartbeat;
let fenced: number;
let sinceRenewalMs: number;
let renewedIn: number[];

beforeEach(async () => {
  vi.useFakeTimers();
  table = new Table();
  fenced = 0;
  renewedIn = [];
  heartbeat = new Heartbeat({
    times: TIMES,
    renew: (signal, hasLapsed) => table.renew(signal, hasLapsed),
    onFenced: (ms) => {
      fenced += 1;
      sinceRenewalMs = ms;
    },
    onRenewed: (term) => renewedIn.push(term),
    onFailed: () => {},
    clock: () => Date.now(),
  });
});
afterEach(() => {
  heartbeat.stop();
  vi.useRealTimers();
});

test('a heartbeat gives no right to serve before it is in the table', async () => {
  expect(heartbeat.term).toBeUndefined();
  await heartbeat.start();
  expect(heartbeat.term).toBe(0);
});

test('a heartbeat is renewed every 3 s', async () => {
  await heartbeat.start();
  await vi.advanceTimersByTimeAsync(9_000);
  expect(table.renewals).toBe(4);
  expect(heartbeat.holds(0)).toBe(true);
});

test.each(['fail', 'silence'] as const)('fences after 7 s of %s', async (answer) => {
  await heartbeat.start();
  table.answer = answer;
  await vi.advanceTimersByTimeAsync(6_900);
  expect(heartbeat.holds(0)).toBe(true);
  await vi.advanceTimersByTimeAsync(200);
  expect(heartbeat.holds(0)).toBe(false);
  expect(fenced).toBe(1);
});

test('a table that answers late does not fence a member, one that does not answer does', async () => {
  await heartbeat.start();
  table.answer = 'slow';
  await vi.advanceTimersByTimeAsync(60_000);
  expect(heartbeat.holds(0)).toBe(true);
  expect(fenced).toBe(0);
  // At most one every 2 s.
  expect(table.asked).toBeLessThanOrEqual(31);
});

test('a short outage of the table does not fence a member', async () => {
  await heartbeat.start();
  table.answer = 'fail';
  await vi.advanceTimersByTimeAsync(5_000);
  table.answer = 'ok';
  await vi.advanceTimersByTimeAsync(20_000);
  expect(heartbeat.holds(0)).toBe(true);
  expect(fenced).toBe(0);
});

test('a member serves again after a lapse, but nothing that it claimed before', async () => {
  await heartbeat.start();
  table.answer = 'fail';
  await vi.advanceTimersByTimeAsync(8_000);
  table.answer = 'ok';
  await vi.advanceTimersByTimeAsync(1_000);
  expect(heartbeat.term).toBe(1);
  expect(heartbeat.holds(0)).toBe(false);
  expect(fenced).toBe(1);
  expect(renewedIn).toEqual([0, 1]);
});

test.each<[string, Table['answer'], number, boolean]>([
  ['first', 'ok', 0, false],
  ['in a term', 'ok', 20_000, false],
  ['while one fails after the other, before the lease lapses', 'fail', 6_900, false],
  ['after it has lapsed', 'fail', 8_000, true],
  ['after it has lapsed, and no answer is heard', 'silence', 30_000, true],
])(
  'a renewal knows whether the lease has lapsed: %s',
  async (_when, answer, afterMs, hasLapsed) => {
    await heartbeat.start();
    table.answer = answer;
    await vi.advanceTimersByTimeAsync(afterMs);
    expect(table.lapsed.at(-1)).toBe(hasLapsed);
    table.answer = 'ok';
    await vi.advanceTimersByTimeAsync(20_000);
    expect(table.lapsed.at(-1)).toBe(false);
  },
);

test('of a member that was frozen the first renewal knows that the lease has lapsed', async () => {
  await heartbeat.start();
  vi.setSystemTime(Date.now() + 20_000);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(table.lapsed).toEqual([false, true]);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(table.lapsed).toEqual([false, true, false]);
});

test('a member that was frozen notices the lapse before it does anything else', async () => {
  await heartbeat.start();
  vi.setSystemTime(Date.now() + 20_000);
  expect(heartbeat.holds(0)).toBe(false);
  expect(fenced).toBe(1);
  expect(sinceRenewalMs).toBe(20_000);
});

test('a heartbeat does not start without a table', async () => {
  table.answer = 'fail';
  await expect(heartbeat.start()).rejects.toMatchObject({ code: 'session/store-failed' });
});
