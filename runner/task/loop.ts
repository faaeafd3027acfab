import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../shared/logger.ts';
import type { LoopTurns } from './health.ts';

export interface LoopOptions {
  /** Names the loop in logs and in `/healthz`. */
  readonly name: string;
  /** Pause between the end of one turn and the start of the next. */
  readonly intervalMs: number;
  readonly turns: LoopTurns;
  readonly logger: Logger;
}

/** Runs one step after another until aborted; a step that fails is logged and tried again at its next turn. */
export async function runLoop(
  step: () => Promise<void>,
  { name, intervalMs, turns, logger }: LoopOptions,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    turns.turned(name, intervalMs);
    try {
      await step();
    } catch (error) {
      logger.warn('loop step failed', { event: 'step_failed', loop: name, error });
    }
    await sleep(intervalMs, undefined, { signal }).catch(() => {});
  }
  turns.ended(name);
}
