export * from 'node:perf_hooks';

/** In virtual time no event loop is late; a process that is frozen is late by what the test of the freeze sets. */
export function monitorEventLoopDelay() {
  return {
    count: 0,
    enable: () => true,
    disable: () => true,
    percentile: () => 0,
    reset: () => {},
  };
}
