import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a runner process looked like from outside over some time. */
export interface Gauges {
  readonly memoryBeforeMb: number;
  readonly memoryPeakMb: number;
  /** Longest time its health server took to answer: how long its event loop was away, ms. */
  readonly loopDelayMs: number;
}

const SAMPLE_MS = 50;

/** Watches a process until the function is done. @param healthPort of its health server */
export async function gauge(
  pid: () => number | undefined,
  healthPort: () => number,
  during: () => Promise<void>,
): Promise<Gauges> {
  const memoryBeforeMb = memoryMb(pid());
  let [memoryPeakMb, loopDelayMs, isOver] = [memoryBeforeMb, 0, false];
  const watching = (async () => {
    while (!isOver) {
      memoryPeakMb = Math.max(memoryPeakMb, memoryMb(pid()));
      const startedAtMs = performance.now();
      const isAnswered = await fetch(`http://127.0.0.1:${healthPort()}/healthz`)
        .then((response) => response.text())
        .then(() => true)
        .catch(() => false);
      if (isAnswered) loopDelayMs = Math.max(loopDelayMs, performance.now() - startedAtMs);
      await sleep(SAMPLE_MS);
    }
  })();
  await during().finally(() => {
    isOver = true;
  });
  await watching;
  return { memoryBeforeMb, memoryPeakMb, loopDelayMs: Math.round(loopDelayMs) };
}

function memoryMb(pid: number | undefined): number {
  if (pid === undefined) return 0;
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Math.round(Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024);
  } catch {
    return 0;
  }
}
