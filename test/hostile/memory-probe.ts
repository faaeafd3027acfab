/**
 * Loaded into the runner of the arena: on SIGUSR2 the process collects all garbage and says what is left. Resident memory alone
 * cannot tell a leak from what the allocator keeps for the next peak.
 */
process.on('SIGUSR2', () => {
  // Twice: what a finalizer of the first lets go is collected by the second.
  globalThis.gc?.();
  globalThis.gc?.();
  const mb = (bytes: number) => Math.round(bytes / 1024 / 1024);
  const { rss, heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage();
  const said = {
    event: 'memory_held',
    rssMb: mb(rss),
    heapTotalMb: mb(heapTotal),
    heapUsedMb: mb(heapUsed),
    externalMb: mb(external),
    arrayBuffersMb: mb(arrayBuffers),
  };
  process.stdout.write(`${JSON.stringify(said)}\n`);
});

export {};
