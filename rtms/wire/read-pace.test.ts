import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ReadPace } from './read-pace.ts';
import type { ReadRest } from './wire.ts';

const REST_MS = 180;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  // Nobody rests on into the next test, whose clock is another.
  for (const socket of opened.splice(0)) socket.close();
  vi.advanceTimersByTime(2 * REST_MS);
  vi.useRealTimers();
});

const opened: PacedSocket[] = [];

/** A socket with its kernel buffer, and what its reader sees. */
class PacedSocket {
  /** Messages of each read, from when this was last emptied. */
  reads: number[] = [];
  /** `heldMs` at each message. */
  held: number[] = [];
  isReading = true;
  wakings = 0;
  readonly #pace: ReadPace;
  readonly #rest: ReadRest;
  #waiting: number[] = [];

  constructor(restMs = REST_MS) {
    const resume = () => {
      this.wakings += 1;
      this.isReading = true;
      this.#read();
    };
    const pause = () => {
      this.isReading = false;
    };
    this.#rest = { maxMs: restMs, heldMs: 0 };
    this.#pace = new ReadPace({ resume, pause } as unknown as Socket, this.#rest);
    opened.push(this);
  }

  /** One message, in a TLS record of its own. */
  arrive(bytes = 1_000): void {
    this.#waiting.push(bytes);
    if (this.isReading) this.#read();
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

  /** As of `ReadPace`. */
  mayHaveMore(): boolean {
    return this.#pace.mayHaveMore();
  }

  /** Reads nothing for this long. */
  hold(forMs: number): void {
    this.#pace.hold(forMs);
  }

  close(): void {
    this.#pace.stop();
  }

  #read(): void {
    const records = this.#waiting.splice(0);
    if (records.length > 0) this.reads.push(records.length);
    for (const bytes of records) {
      this.#pace.begin();
      this.held.push(this.#rest.heldMs);
      this.#pace.message();
      this.#pace.read(bytes);
    }
  }
}

test.each([
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

test.each([1, 8])('a socket with %i messages a second is read at once', (rate) => {
  const socket = new PacedSocket();
  socket.hear(rate);
  socket.hear(rate);
  expect(socket.reads).toEqual(new Array(rate).fill(1));
  expect(socket.held).not.toContain(REST_MS);
  vi.advanceTimersByTime(1);
  expect(vi.getTimerCount()).toBe(0);
});

test('a socket without rests is read at once', () => {
  const socket = new PacedSocket(0);
  socket.hear(100);
  expect(socket.reads).toHaveLength(100);
});

test('a socket goes on reading while very much comes', () => {
  const socket = new PacedSocket();
  socket.hear(50);
  socket.arrive(100_000);
  socket.reads = [];
  while (socket.reads.length === 0) vi.advanceTimersToNextTimer();
  // The loop has been through once, and the socket has brought much: it may have more.
  vi.advanceTimersToNextTimer();
  expect(socket.isReading).toBe(true);
  vi.advanceTimersToNextTimer();
  expect(socket.isReading).toBe(false);
});

describe('more may wait in a socket than was read', () => {
  let socket: PacedSocket;
  beforeEach(() => {
    socket = new PacedSocket();
  });

  test.each<[string, boolean, () => void]>([
    ['it brought nothing', false, () => {}],
    ['it brought little', false, () => socket.arrive()],
    ['it brought as much as a buffer holds', true, () => socket.arrive(64 * 1024)],
    [
      'it brought that much bit by bit',
      true,
      () => {
        for (let count = 0; count < 64; count++) socket.arrive(1_024);
      },
    ],
    ['all sockets have read what they may in this cycle', true, () => socket.arrive(3_000_000)],
    ['its session is held back', true, () => socket.hold(100)],
    [
      'its session was held back, and is no more',
      true,
      () => {
        socket.hold(100);
        vi.advanceTimersByTime(100);
      },
    ],
    [
      'it became busy in the middle of a read, and rests',
      true,
      () => {
        for (let count = 0; count < 50; count++) socket.arrive(10);
        vi.advanceTimersByTime(600);
        socket.arrive(10);
      },
    ],
  ])('when %s: %s', (_what, mayHaveMore, happens) => {
    socket.mayHaveMore();
    happens();
    expect(socket.mayHaveMore()).toBe(mayHaveMore);
    vi.advanceTimersByTime(1_000);
    socket.mayHaveMore();
    expect(socket.mayHaveMore()).toBe(false);
  });

  test('a busy socket that rests between its reads has read all', () => {
    socket.hear(50);
    socket.hear(50);
    expect(socket.reads.length).toBeLessThanOrEqual(7);
    socket.mayHaveMore();
    for (let look = 0; look < 50; look++) {
      vi.advanceTimersByTime(20);
      socket.arrive();
      expect(socket.mayHaveMore()).toBe(false);
    }
  });
});

test('a closing socket is read to its end', () => {
  const socket = new PacedSocket();
  socket.hear(50);
  socket.arrive();
  expect(socket.isReading).toBe(false);
  socket.close();
  expect(socket.isReading).toBe(true);
  socket.reads = [];
  for (let count = 0; count < 20; count++) {
    vi.advanceTimersByTime(20);
    socket.arrive();
  }
  expect(socket.reads).toHaveLength(20);
});

test('a socket that has become quiet is read at once again', () => {
  const socket = new PacedSocket();
  socket.hear(50);
  for (let second = 0; second < 3; second++) socket.hear(2);
  expect(socket.reads).toEqual([1, 1]);
  expect(socket.held).toEqual([0, 0]);
});

test('what comes during a rest is read in the next phase', () => {
  const socket = new PacedSocket();
  socket.hear(50);
  expect(socket.isReading).toBe(false);
  socket.reads = [];
  socket.arrive();
  expect(socket.reads).toEqual([]);
  vi.advanceTimersByTime(REST_MS);
  expect(socket.reads).toEqual([expect.any(Number)]);
});

/** So many busy sockets. @returns how many wake up in each of the next 10 ms in which any does */
function wakings(count: number): number[] {
  const sockets = Array.from({ length: count }, () => new PacedSocket());
  for (let frame = 0; frame < 100; frame++) {
    vi.advanceTimersByTime(20);
    for (const socket of sockets) socket.arrive();
  }
  const total = () => sockets.reduce((sum, socket) => sum + socket.wakings, 0);
  const woken = Array.from({ length: REST_MS / 10 }, () => {
    const before = total();
    vi.advanceTimersByTime(10);
    return total() - before;
  }).filter((wakes) => wakes > 0);
  return woken;
}

test('a few sockets wake up in one phase', () => {
  expect(wakings(60)).toEqual([60]);
});

test('many sockets wake up in several phases', () => {
  const woken = wakings(600);
  expect(woken).toEqual([150, 150, 150, 150]);
});

test('a closing socket is read no faster than the limits of its session and of the task allow', () => {
  const calls: string[] = [];
  const socket = { pause: () => calls.push('pause'), resume: () => calls.push('resume') };
  const pace = new ReadPace(socket as unknown as Socket, { maxMs: REST_MS, heldMs: 0 });
  pace.stop();
  pace.hold(100);
  vi.advanceTimersByTime(99);
  expect(calls).toEqual(['resume', 'pause']);
  vi.advanceTimersByTime(1);
  expect(calls).toEqual(['resume', 'pause', 'resume']);
  // More than all sockets together may read in one cycle of the loop.
  pace.read(1_000, 1_000);
  expect(calls.at(-1)).toBe('pause');
  vi.advanceTimersToNextTimer();
  expect(calls.at(-1)).toBe('resume');
});
