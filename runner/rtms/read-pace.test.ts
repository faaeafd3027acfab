import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { REST_MS, ReadPace } from './read-pace.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function pacedSocket() {
  let wakings = 0;
  const pace = new ReadPace({
    resume: () => {
      wakings += 1;
    },
  } as unknown as Socket);
  /** One message in one read of its own. @returns whether the socket goes on reading */
  const read = (bytes = 1_000) => {
    pace.message();
    return pace.goesOn(bytes);
  };
  const hear = (messagesPerSecond: number) => {
    let last = true;
    for (let count = 0; count < messagesPerSecond; count++) {
      vi.advanceTimersByTime(1_000 / messagesPerSecond);
      last = read();
    }
    return last;
  };
  return { pace, read, hear, wakings: () => wakings };
}

describe('a socket', () => {
  it('with 50 messages a second rests after a read, and wakes up', () => {
    const { hear, wakings } = pacedSocket();
    expect(hear(50)).toBe(false);
    const before = wakings();
    vi.advanceTimersByTime(REST_MS);
    expect(wakings()).toBeGreaterThan(before);
    vi.advanceTimersByTime(REST_MS);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([1, 10, 25])('with %i messages a second is read at once', (messagesPerSecond) => {
    expect(pacedSocket().hear(messagesPerSecond)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('goes on reading in the middle of something large', () => {
    const { hear, read } = pacedSocket();
    hear(50);
    expect(read(16_384)).toBe(true);
    expect(read(1_000)).toBe(false);
    vi.advanceTimersByTime(2 * REST_MS);
  });

  it('that has become quiet is read at once again', () => {
    const { hear } = pacedSocket();
    hear(50);
    hear(2);
    expect(hear(2)).toBe(true);
  });
});

it('sockets that lie down one after another wake up one after another', () => {
  const sockets = [pacedSocket(), pacedSocket()] as const;
  for (let count = 0; count < 50; count++) {
    vi.advanceTimersByTime(20);
    for (const { read } of sockets) read();
  }
  vi.advanceTimersByTime(2 * REST_MS);
  const before = sockets.map(({ wakings }) => wakings());
  const woken = () => sockets.map(({ wakings }, index) => wakings() - (before[index] ?? 0));
  sockets[0].read();
  vi.advanceTimersByTime(REST_MS / 2);
  sockets[1].read();
  const seen: number[][] = [];
  for (let ms = 0; ms < 2 * REST_MS; ms++) {
    vi.advanceTimersByTime(1);
    seen.push(woken());
  }
  expect(seen).toContainEqual([1, 0]);
  expect(seen.at(-1)).toEqual([1, 1]);
});
