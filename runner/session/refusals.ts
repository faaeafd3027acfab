import type { Logger } from '../../shared/logger.ts';
import type { Admission, Load } from './admission.ts';

const PERIOD_MS = 60_000;

type Why = Extract<Admission, { admitted: false }>['why'];

/**
 * Says in the log, once a minute, that this task refuses sessions because it is short of memory or late: nothing else
 * shows it, and its room looks free.
 */
export class Refusals {
  readonly #logger: Logger;
  readonly #saidAtMs = new Map<Why, number>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  note(why: Why, { memoryShare, eventLoopDelayMs, slotsUsed, slotsTotal }: Load): void {
    if (why !== 'memory' && why !== 'event_loop') return;
    const nowMs = performance.now();
    if (nowMs - (this.#saidAtMs.get(why) ?? Number.NEGATIVE_INFINITY) < PERIOD_MS) return;
    this.#saidAtMs.set(why, nowMs);
    this.#logger.warn('sessions refused', {
      event: 'sessions_refused',
      why,
      memoryPercent: Math.round(memoryShare * 100),
      eventLoopDelayMs: Math.round(eventLoopDelayMs),
      slotsUsed,
      slotsTotal,
    });
  }
}
