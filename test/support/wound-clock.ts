import { afterEach, beforeEach, vi } from 'vitest';

/** In every test of the file, time passes only when it is wound: that of timers and of both clocks. Ticks and microtasks stay Node's own. */
export function windClocks(): void {
  beforeEach(() => {
    vi.useFakeTimers({
      toFake: [
        'setTimeout',
        'clearTimeout',
        'setImmediate',
        'clearImmediate',
        'performance',
        'Date',
      ],
    });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
}
