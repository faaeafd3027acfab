import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ReadPace } from './read-pace.ts';

const REST_MS = 180;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  // Who rests wakes up; the next test's clock is another.
  vi.advanceTimersByTime(2 * REST_MS);
  vi.useRealTimers();
});

/** A socket with its kernel buffer, and what its reader sees. */
class PacedSocket {
  /** Messages of each read, from when this was last emptied. */
  reads: number[] = [];
  /** `heldMs` at each message. */
  held: number[] = [];
  readonly #pace: ReadPace;
  #isReading = true;
  #waiting: number[] = [];

  close(): void {
    this.#pace.stop();
  }

  constructor(restMs = REST_MS) {
    const resume = () => {
      this.#isReading = true;
      this.#read();
    };
    this.#pace = new ReadPace({ resume } as unknown as Socket, restMs);
  }

  get isReading(): boolean {
    return this.#isReading;
  }

  /** One message, in a TLS record of its own. */
  arrive(bytes = 1_000): void {
    this.#waiting.push(bytes);
    if (this.#isReading) this.#read();
  }

  /** A second in which so many messages come. */
  hear(messages: number, bytes?: number): void {
    this.reads = [];
    this.held = [];
    for (let count = 0; count < messages; count++) {
      vi.advanceTimersByTime(1_000 / messages);
      this.arrive(bytes);
    }
  }

  #read(): void {
    const records = this.#waiting.splice(0);
    if (records.length > 0) this.reads.push(records.length);
    // What TLS has decrypted is told to the end, whatever the reader answers.
    for (const bytes of records) {
      this.held.push(this.#pace.heldMs);
      this.#pace.message();
      if (!this.#pace.goesOn(bytes)) this.#isReading = false;
    }
  }
}

it.each([
  [50, 9],
  [25, 4],
])('with %i messages a second waits for %i, and knows that they have waited', (rate, few) => {
  const socket = new PacedSocket();
  socket.hear(rate);
  socket.hear(rate);
  expect(socket.reads.length).toBeLessThanOrEqual(7);
  expect(Math.max(...socket.reads)).toBeGreaterThanOrEqual(few);
  expect(socket.held).toContain(REST_MS);
  expect(socket.held).not.toContain(0);
});

it.each([1, 8])('with %i messages a second is read at once', (rate) => {
  const socket = new PacedSocket();
  socket.hear(rate);
  socket.hear(rate);
  expect(socket.reads).toEqual(new Array(rate).fill(1));
  expect(socket.held).not.toContain(REST_MS);
  expect(vi.getTimerCount()).toBe(0);
});

it('is read at once when it is not to rest', () => {
  const socket = new PacedSocket(0);
  socket.hear(100);
  expect(socket.reads).toHaveLength(100);
});

it('goes on reading in the middle of something large', () => {
  const socket = new PacedSocket();
  socket.hear(50, 16_384);
  expect(socket.reads).toHaveLength(50);
  expect(socket.held).not.toContain(REST_MS);
});

it('that has become quiet is read at once again', () => {
  const socket = new PacedSocket();
  socket.hear(50);
  for (let second = 0; second < 3; second++) socket.hear(2);
  expect(socket.reads).toEqual([1, 1]);
  expect(socket.held).toEqual([0, 0]);
});

it('nothing is left behind when the last message came during a rest', () => {
  const socket = new PacedSocket();
  socket.hear(50);
  socket.arrive();
  expect(socket.isReading).toBe(false);
  vi.advanceTimersByTime(2 * REST_MS);
  expect(socket.isReading).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

/** So many busy sockets, all read in the same moment. @returns how many wake up in each of the next 10 ms */
function wakings(count: number): number[] {
  const sockets = Array.from({ length: count }, () => new PacedSocket());
  for (let frame = 0; frame < 100; frame++) {
    vi.advanceTimersByTime(20);
    for (const socket of sockets) socket.arrive();
  }
  const awake = () => sockets.filter(({ isReading }) => isReading).length;
  while (awake() < count) vi.advanceTimersByTime(10);
  for (const socket of sockets) socket.arrive();
  const woken = Array.from({ length: REST_MS / 10 }, () => {
    const before = awake();
    vi.advanceTimersByTime(10);
    return awake() - before;
  }).filter((woken) => woken > 0);
  for (const socket of sockets) socket.close();
  return woken;
}

it('a few sockets wake up together', () => {
  expect(wakings(60)).toEqual([60]);
});

it('many sockets that are read together wake up in turns', () => {
  const woken = wakings(300);
  expect(woken).toEqual([75, 75, 75, 75]);
});
