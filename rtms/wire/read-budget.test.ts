import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ReadBudget, type Reader } from './read-budget.ts';

const RECORD_BYTES = 16 * 1024;
const MEBIBYTE = 1024 * 1024;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A socket whose kernel buffer holds records, read as libuv does: on and on, until it is paused. */
class FullSocket implements Reader {
  readonly #budget: ReadBudget;
  #waitingBytes: number;
  readBytes = 0;

  constructor(budget: ReadBudget, waitingBytes: number) {
    this.#budget = budget;
    this.#waitingBytes = waitingBytes;
  }

  readOn(): void {
    let mayRead = true;
    while (mayRead && this.#waitingBytes > 0) {
      this.#waitingBytes -= RECORD_BYTES;
      this.readBytes += RECORD_BYTES;
      mayRead = this.#budget.spend(RECORD_BYTES, this);
    }
  }
}

function totalOf(sockets: readonly FullSocket[]): number {
  return sockets.reduce((sum, { readBytes }) => sum + readBytes, 0);
}

test('timers run after a bounded amount was read, however much there is to read', () => {
  const budget = new ReadBudget();
  const sockets = Array.from({ length: 200 }, () => new FullSocket(budget, MEBIBYTE));
  for (const socket of sockets) socket.readOn();
  let cycles = 0;
  for (let before = 0; totalOf(sockets) < 200 * MEBIBYTE; cycles += 1) {
    // The first read of each socket that is ready cannot be held back, only the next.
    const bound = cycles === 0 ? 200 * RECORD_BYTES + 2 * MEBIBYTE : 3 * MEBIBYTE + RECORD_BYTES;
    expect(totalOf(sockets) - before).toBeLessThanOrEqual(bound);
    before = totalOf(sockets);
    vi.advanceTimersToNextTimer();
    expect(totalOf(sockets)).toBeGreaterThan(before);
  }
  expect(cycles).toBeGreaterThan(60);
  expect(sockets.every(({ readBytes }) => readBytes === MEBIBYTE)).toBe(true);
});

test('sockets read on in the order in which they were held back', () => {
  const budget = new ReadBudget();
  const sockets = Array.from({ length: 300 }, () => new FullSocket(budget, 2 * MEBIBYTE));
  for (const socket of sockets) socket.readOn();
  const firstReads = totalOf(sockets);
  for (let cycle = 0; cycle < 5; cycle++) vi.advanceTimersToNextTimer();
  expect(totalOf(sockets)).toBeGreaterThan(firstReads);
  const starved = sockets.filter(({ readBytes }) => readBytes <= RECORD_BYTES);
  expect(starved).toEqual([]);
});

test('under a light load no socket is held back', () => {
  const budget = new ReadBudget();
  for (let cycle = 0; cycle < 10; cycle++) {
    const socket = new FullSocket(budget, MEBIBYTE);
    socket.readOn();
    expect(socket.readBytes).toBe(MEBIBYTE);
    vi.runAllTimers();
  }
});

test('timers run after a bounded time, however little was read', () => {
  const budget = new ReadBudget();
  let [tookMs, isHeld] = [0, false];
  const reader = { readOn: () => (isHeld = false) };
  while (!isHeld) {
    tookMs += 10;
    isHeld = !budget.spend(1_000, reader, 10);
  }
  expect(tookMs).toBe(50);
  vi.advanceTimersToNextTimer();
  expect(isHeld).toBe(false);
});
