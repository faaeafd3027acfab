import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type FollowedSocket, Standstills } from './standstills.ts';

/** All times ms, from the beginning of a test. */
let standstills: Standstills;
let startMs: number;
beforeEach(() => {
  vi.useFakeTimers();
  startMs = Date.now();
  standstills = new Standstills(() => Date.now() - startMs);
});
afterEach(() => {
  standstills.stop();
  vi.useRealTimers();
});

const nowMs = () => Date.now() - startMs;

/** A socket that has more to read until a moment. */
function socket(readAtMs = 0): { readonly followed: FollowedSocket; readAtMs: number } {
  const reading = { readAtMs };
  const followed = standstills.follow({ mayHaveMore: () => nowMs() < reading.readAtMs });
  return Object.assign(reading, { followed });
}

/** The process is at work until then: its timers come in time, and one that is late comes first. */
function work(untilMs: number): void {
  if (untilMs > nowMs()) standstills.tick();
  vi.advanceTimersByTime(untilMs - nowMs());
}
/** It stands still until then: nothing runs. */
const freeze = (untilMs: number) => vi.setSystemTime(startMs + untilMs);

test.each<[string, readonly [work: number, freeze: number][], number, number]>([
  ['the process never stood still', [[1_700, 1_700]], 1_700, 1_700],
  ['its loop is busy, and a tick comes 1 s late', [[1_000, 2_100]], 2_100, 2_100],
  [
    'it stood still for 10 s, and the end is read before the tick',
    [[1_000, 11_000]],
    11_000,
    1_000,
  ],
  ['it stood still for 10 s, and the end is read after the tick', [[1_000, 11_000]], 11_010, 1_000],
  ['the end is read within a second', [[1_000, 11_000]], 11_900, 1_000],
  ['it has been at work again for longer', [[1_000, 11_000]], 12_200, 12_200],
  [
    'it stood still again at once',
    [
      [1_000, 11_000],
      [11_500, 20_000],
    ],
    20_100,
    1_000,
  ],
  [
    'it stood still again later',
    [
      [1_000, 11_000],
      [12_500, 20_000],
    ],
    20_100,
    12_500,
  ],
  ['the end is read an hour later', [[1_000, 11_000]], 3_600_000, 3_600_000],
])(
  'a connection without more to read is known to have been there until the process stood still: %s',
  (_how, times, endMs, untilMs) => {
    const { followed } = socket();
    for (const [toMs, goesOnMs] of times) {
      work(toMs);
      freeze(goesOnMs);
    }
    work(endMs);
    const known = followed.knownUntil(endMs);
    // A timer may have come up to a tick before the standstill.
    expect(known).toBeGreaterThan(untilMs - 500);
    expect(known).toBeLessThanOrEqual(untilMs);
  },
);

test.each<[string, number, number, 'still' | 'news']>([
  ['while there is more to read', 30_000, 29_000, 'still'],
  ['when all has just been read', 30_000, 30_100, 'still'],
  ['within a second of that', 30_000, 30_900, 'still'],
  ['later', 30_000, 31_500, 'news'],
  ['where there was nothing to read', 0, 12_500, 'news'],
  ['hours later, and it could never be read to its end', 1e9, 9e6, 'still'],
])(
  'what waited in a socket is read for as long as the socket says, and its end comes %s',
  (_when, readAtMs, endMs, what) => {
    const { followed } = socket(readAtMs);
    work(1_000);
    freeze(11_000);
    work(endMs);
    expect(followed.knownUntil(endMs)).toBe(what === 'still' ? 1_000 : endMs);
  },
);

test('a socket that brings more after a pause is read to its end only then', () => {
  const one = socket();
  work(1_000);
  freeze(11_000);
  work(11_700);
  // The sender goes on, when it hears that there is room again.
  one.readAtMs = 11_900;
  work(12_700);
  expect(one.followed.knownUntil(12_700)).toBe(1_000);
  work(13_100);
  expect(one.followed.knownUntil(13_100)).toBe(13_100);
});

test('sockets are read to their ends one by one', () => {
  const [short, long] = [socket(), socket(30_000)];
  work(1_000);
  freeze(11_000);
  work(20_000);
  expect(short.followed.knownUntil(20_000)).toBe(20_000);
  expect(long.followed.knownUntil(20_000)).toBe(1_000);
});

test('another standstill before a socket was read to its end belongs to the first', () => {
  const { followed } = socket(40_000);
  work(1_000);
  freeze(11_000);
  work(20_000);
  freeze(30_000);
  work(35_000);
  expect(followed.knownUntil(35_000)).toBe(1_000);
});

test.each([
  ['before the standstill', 900, 900],
  ['while what waited was read', 25_000, 1_000],
  ['later', 33_000, 33_000],
])(
  'a silent connection is known to have been there until its last message: %s',
  (_when, ms, untilMs) => {
    const { followed } = socket(30_000);
    work(1_000);
    freeze(11_000);
    work(70_000);
    expect(followed.knownUntil(ms)).toBe(untilMs);
  },
);

test('a socket that was opened after the standstill has nothing to do with it', () => {
  socket(30_000);
  work(1_000);
  freeze(11_000);
  work(11_600);
  expect(socket().followed.knownUntil(11_700)).toBe(11_700);
});

test('nobody looks at sockets when all are read to their ends or have ended, and none is kept', () => {
  const before = vi.getTimerCount();
  const [short, long] = [socket(), socket(1e9)];
  work(1_000);
  freeze(11_000);
  work(20_000);
  expect(vi.getTimerCount()).toBe(before + 1);
  long.followed.end();
  short.followed.end();
  work(20_100);
  expect(vi.getTimerCount()).toBe(before);
});
