import type { AgreedMedia } from '../../rtms/protocol/agreed-media.ts';
import type { MediaType } from '../../rtms/protocol/media-type.ts';
import type { Logger } from '../../shared/logger.ts';
import { roomFor, slotsOf } from '../../shared/session-table/slots.ts';

const LOG_PERIOD_MS = 60_000;

/** Above any of these a task refuses new sessions, however many slots are free. */
export const LIMITS = {
  /** p99 over the last metrics period. Above it keep-alive answers and flushes come late. */
  eventLoopDelayMs: 200,
  /** Share of the memory the task may use. */
  memoryShare: 0.85,
} as const;

export interface Load {
  readonly slotsUsed: number;
  readonly slotsTotal: number;
  readonly eventLoopDelayMs: number;
  /** Memory in use over memory allowed, 0 to 1. */
  readonly memoryShare: number;
  /** Is this task giving its sessions away? */
  readonly draining: boolean;
  /** May this task own anything at the moment (heartbeat)? */
  readonly mayServe: boolean;
}

export type Admission =
  | { readonly admitted: true }
  | {
      readonly admitted: false;
      readonly why: 'capacity' | 'event_loop' | 'memory' | 'draining' | 'fenced';
    };

/**
 * What a session weighs: as much as was asked for, until the handshakes have shown what Zoom sends.
 *
 * @param asked slots of everything that was asked for
 */
export function slotsOfSession(asked: number, media: AgreedMedia | undefined): number {
  return media === undefined ? asked : slotsOf(Object.keys(media) as MediaType[]);
}

/**
 * May a task under this load take a session of this weight?
 *
 * @param isOverdue its window has passed and nobody took it: a late event loop serves it better than nobody
 */
export function admit(load: Load, sessionSlots: number, isOverdue: boolean): Admission {
  if (load.draining) return { admitted: false, why: 'draining' };
  if (!load.mayServe) return { admitted: false, why: 'fenced' };
  if (roomFor(load, sessionSlots) < 1) return { admitted: false, why: 'capacity' };
  if (load.eventLoopDelayMs > LIMITS.eventLoopDelayMs && !isOverdue)
    return { admitted: false, why: 'event_loop' };
  if (load.memoryShare > LIMITS.memoryShare) return { admitted: false, why: 'memory' };
  return { admitted: true };
}

/** Does a task under this load refuse sessions, however many slots are free? */
export function isStrained(load: Pick<Load, 'eventLoopDelayMs' | 'memoryShare'>): boolean {
  return load.eventLoopDelayMs > LIMITS.eventLoopDelayMs || load.memoryShare > LIMITS.memoryShare;
}

type Why = Extract<Admission, { admitted: false }>['why'];

/**
 * Logs, at most once a minute for each reason, that this task refuses sessions because memory is short or its event
 * loop late. Nothing else shows that: the task's row has free slots.
 */
export class Refusals {
  readonly #logger: Logger;
  readonly #loggedAtMs = new Map<Why, number>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  note(why: Why, { memoryShare, eventLoopDelayMs, slotsUsed, slotsTotal }: Load): void {
    if (why !== 'memory' && why !== 'event_loop') return;
    const nowMs = performance.now();
    if (nowMs - (this.#loggedAtMs.get(why) ?? Number.NEGATIVE_INFINITY) < LOG_PERIOD_MS) return;
    this.#loggedAtMs.set(why, nowMs);
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
