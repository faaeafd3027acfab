import { expect, test } from 'vitest';
import { manualClock, scaledClock } from './clock.ts';

test('a scaled clock runs faster than the wall clock', async () => {
  const clock = scaledClock(1_000);
  const before = clock.now();
  await new Promise<void>((resolve) => clock.after(5_000, resolve));
  expect(clock.now() - before).toBeGreaterThanOrEqual(4_000);
});

test('a scaled timer that was cancelled does not run', async () => {
  const clock = scaledClock(1_000);
  let ran = 0;
  clock.after(1_000, () => {
    ran += 100;
  })();
  await new Promise<void>((resolve) => {
    const cancel = clock.every(1_000, () => {
      ran += 1;
      if (ran < 2) return;
      cancel();
      // A busy machine merges runs, so the time in which no third one comes begins here, and not at the start.
      clock.after(20_000, resolve);
    });
  });
  expect(ran).toBe(2);
});

test('a manual clock runs due timers in order of time, repeated ones each time', () => {
  const clock = manualClock(1_000);
  const ran: string[] = [];
  clock.after(25, () => ran.push(`after ${clock.now()}`));
  const cancel = clock.every(10, () => ran.push(`every ${clock.now()}`));
  clock.advance(30);
  expect(ran).toEqual(['every 1010', 'every 1020', 'after 1025', 'every 1030']);
  cancel();
  clock.advance(100);
  expect(ran).toHaveLength(4);
  expect(clock.now()).toBe(1_130);
});

test('a manual clock runs a timer that a timer made', () => {
  const clock = manualClock(0);
  let at = 0;
  clock.after(10, () =>
    clock.after(10, () => {
      at = clock.now();
    }),
  );
  clock.advance(50);
  expect(at).toBe(20);
});
