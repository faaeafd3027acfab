import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** What a runner process looked like from outside over some time. */
export interface Gauges {
  readonly memoryBeforeMb: number;
  readonly memoryPeakMb: number;
  /** Longest time its health server took to answer: how long its event loop was away, ms. */
  readonly loopDelayMs: number;
}

/** Watches a process until the function is done. @param healthPort of its health server */
export async function gauge(
  pid: number,
  healthPort: number,
  during: () => Promise<void>,
): Promise<Gauges> {
  const entry = new URL('./gauge-worker.ts', import.meta.url);
  const watcher = new Worker(entry, { workerData: { pid, healthPort } });
  await once(watcher, 'online');
  await during().finally(() => watcher.postMessage('over'));
  const [gauges] = (await once(watcher, 'message')) as [Gauges];
  return gauges;
}
