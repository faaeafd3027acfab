/** Ends a timer. Does nothing if it has run already. */
export type Cancel = () => void;

/** Zoom's own clock. All durations are milliseconds of this clock, at whatever speed it runs. */
export interface Clock {
  /** Unix milliseconds, whole. */
  now(): number;
  /** Runs once, `delayMs` from now. */
  after(delayMs: number, run: () => void): Cancel;
  /** Runs again and again. Runs that come late are merged into one. */
  every(intervalMs: number, run: () => void): Cancel;
}

/**
 * Starts at the wall clock and runs `speed` times as fast.
 *
 * @param speed 1 = real time, 60 = a minute in a second
 */
export function scaledClock(speed = 1): Clock {
  const startedAtMs = Date.now();
  const startedAtTick = performance.now();
  return {
    now: () => Math.floor(startedAtMs + (performance.now() - startedAtTick) * speed),
    after(delayMs, run) {
      const timer = setTimeout(run, delayMs / speed);
      return () => clearTimeout(timer);
    },
    every(intervalMs, run) {
      const timer = setInterval(run, intervalMs / speed);
      return () => clearInterval(timer);
    },
  };
}

/** A clock that moves only when told to. */
export interface ManualClock extends Clock {
  /** Moves the clock, and runs every timer that becomes due, in order of time. */
  advance(byMs: number): void;
}

export function manualClock(startMs: number): ManualClock {
  let nowMs = startMs;
  const timers = new Set<{ dueMs: number; everyMs?: number; run: () => void }>();
  const add = (timer: { dueMs: number; everyMs?: number; run: () => void }): Cancel => {
    timers.add(timer);
    return () => timers.delete(timer);
  };
  return {
    now: () => nowMs,
    after: (delayMs, run) => add({ dueMs: nowMs + delayMs, run }),
    every: (everyMs, run) => add({ dueMs: nowMs + everyMs, everyMs, run }),
    advance(byMs) {
      const untilMs = nowMs + byMs;
      for (;;) {
        const due = [...timers]
          .filter((timer) => timer.dueMs <= untilMs)
          .reduce<(typeof timers extends Set<infer T> ? T : never) | undefined>(
            (first, timer) => (first === undefined || timer.dueMs < first.dueMs ? timer : first),
            undefined,
          );
        if (due === undefined) break;
        nowMs = Math.max(nowMs, due.dueMs);
        if (due.everyMs === undefined) timers.delete(due);
        else due.dueMs += due.everyMs;
        due.run();
      }
      nowMs = untilMs;
    },
  };
}
