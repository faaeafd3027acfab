import { afterEach, expect, test } from 'vitest';
import { Standstills } from './standstills.ts';

/** Ticks come every 500 ms. All times ms. */

let standstills: Standstills;
afterEach(() => standstills.stop());

/** @param ticks when the timer comes; then something is asked at `nowMs` */
function asked(ticks: readonly number[], nowMs: number, noticedMs = nowMs): number {
  let clockMs = 0;
  standstills = new Standstills(() => clockMs);
  for (const tickMs of ticks) {
    clockMs = tickMs;
    standstills.tick();
  }
  clockMs = nowMs;
  return standstills.atWorkUntil(noticedMs);
}

/** A tick every 500 ms. */
const ticks = (fromMs: number, toMs: number) =>
  Array.from({ length: (toMs - fromMs) / 500 + 1 }, (_, index) => fromMs + index * 500);
const still = [500, 1_000, 11_000];

test.each<[string, readonly number[], number, number, number?]>([
  ['the process never stood still', ticks(500, 1_500), 1_700, 1_700],
  ['its loop is busy, and a tick comes 1 s late', [500, 2_000], 2_100, 2_100],
  ['it stood still for 10 s, and the end is read before the tick', [500, 1_000], 11_000, 1_000],
  ['it stood still for 10 s, and the end is read after the tick', still, 11_000, 1_000],
  ['the end is read within a second', [...still, 11_500], 11_900, 1_000],
  ['it has been at work again for longer', [...still, ...ticks(11_500, 12_000)], 12_200, 12_200],
  ['it stood still again at once', [...still, 11_500, 20_000], 20_100, 1_000],
  ['it stood still again later', [...still, ...ticks(11_500, 12_500), 20_000], 20_100, 12_500],
  ['the last message came before', [...still, ...ticks(11_500, 46_000)], 46_000, 900, 900],
  ['the last message was read then', [...still, ...ticks(11_500, 46_000)], 46_000, 1_000, 11_000],
  ['the last message was read later', [...still, ...ticks(11_500, 46_000)], 46_000, 13_000, 13_000],
])(
  'a connection is known to have been there until the process stood still: %s',
  (_how, at, nowMs, untilMs, noticedMs = nowMs) => {
    expect(asked(at, nowMs, noticedMs)).toBe(untilMs);
  },
);
