import { running } from '../world/machine.ts';

export * from 'node:perf_hooks';

const RESOLUTION_MS = 20;

/** As late as the world says that the process is. */
export function monitorEventLoopDelay() {
  const delayMs = () => running()?.loopDelayMs ?? 0;
  return {
    get count() {
      return delayMs() > 0 ? 1 : 0;
    },
    enable: () => true,
    disable: () => true,
    /** Nanoseconds. The resolution of the measurement is part of each value. */
    percentile: () => (delayMs() + RESOLUTION_MS) * 1e6,
    reset: () => {},
  };
}
