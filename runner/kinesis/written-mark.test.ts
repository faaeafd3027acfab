import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { MARK_INTERVAL_MS, WrittenMark } from './written-mark.ts';

const START_MS = 1_800_000_000_000;

let waiting: (() => void)[];
let dropped: number;
let oldestAgeMs: number;
let mark: WrittenMark;

beforeEach(() => {
  vi.useFakeTimers({ now: START_MS });
  waiting = [];
  dropped = 0;
  oldestAgeMs = 0;
  mark = new WrittenMark({
    done: () => new Promise((resolve) => waiting.push(resolve)),
    dropped: () => dropped,
    oldestAgeMs: () => oldestAgeMs,
  });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Lets a second pass, then steps. @param takes whether Kinesis takes what was put before */
async function second(takes: boolean) {
  vi.setSystemTime(Date.now() + MARK_INTERVAL_MS);
  mark.step();
  if (takes) for (const done of waiting.splice(0)) done();
  await Promise.resolve();
  await Promise.resolve();
}

const agoMs = () => Date.now() - mark.untilMs;

test('moves on while Kinesis takes everything, stays when it takes nothing, and moves on again', async () => {
  expect(agoMs()).toBe(1_000);
  for (let index = 0; index < 5; index++) await second(true);
  expect(agoMs()).toBe(1_000);
  for (let index = 0; index < 60; index++) await second(false);
  expect(agoMs()).toBe(60_000);
  await second(true);
  await second(true);
  expect(agoMs()).toBe(1_000);
});

test('stays before a unit that is tried again while others of its key are dropped', async () => {
  await second(true);
  oldestAgeMs = 30_000;
  expect(agoMs()).toBe(30_000);
});

test('stays where units are dropped, until the event about them is written too', async () => {
  await second(true);
  await second(false);
  dropped += 3;
  // The units that were put before are done: they were dropped.
  for (const done of waiting.splice(0)) done();
  const agos: number[] = [];
  for (let index = 0; index < 3; index++) {
    await second(true);
    agos.push(agoMs());
  }
  // The event is put within two seconds, and the first step behind it waits for it.
  expect(agos).toEqual([2_000, 3_000, 1_000]);
});

test('stays where the process stood still, until what lay in its sockets is read and written', async () => {
  for (let index = 0; index < 3; index++) await second(true);
  vi.setSystemTime(Date.now() + 20_000);
  const agos: number[] = [];
  for (let index = 0; index < 3; index++) {
    await second(true);
    agos.push(agoMs());
  }
  expect(agos).toEqual([21_000, 22_000, 1_000]);
});
