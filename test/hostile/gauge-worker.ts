import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';

/**
 * Watches a runner process from a thread of its own: the main thread of the arena is a Zoom, an AWS and two readers, and its own delays
 * must not be taken for the runner's. Answers the first message it gets with what it has seen, and ends.
 */

const SAMPLE_MS = 25;
const { pid, healthPort } = workerData as { readonly pid: number; readonly healthPort: number };
const memoryBeforeMb = memoryMb();
let [memoryPeakMb, loopDelayMs, isOver] = [memoryBeforeMb, 0, false];
parentPort?.once('message', () => {
  isOver = true;
});
while (!isOver) {
  memoryPeakMb = Math.max(memoryPeakMb, memoryMb());
  const startedAtMs = performance.now();
  const isAnswered = await fetch(`http://127.0.0.1:${healthPort}/healthz`)
    .then((response) => response.text())
    .then(() => true)
    .catch(() => false);
  if (isAnswered) loopDelayMs = Math.max(loopDelayMs, performance.now() - startedAtMs);
  await sleep(SAMPLE_MS);
}
parentPort?.postMessage({ memoryBeforeMb, memoryPeakMb, loopDelayMs: Math.round(loopDelayMs) });

function memoryMb(): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Math.round(Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024);
  } catch {
    return 0;
  }
}
