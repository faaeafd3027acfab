import type { EffectiveMedia } from '../../rtms/protocol/agreed-media.ts';
import type { MediaType } from '../../rtms/protocol/media-type.ts';
import { costOf } from '../../shared/slots.ts';

/** Sums of hundredths are not exact. */
const ROUNDING = 1e-9;

/** Above any of these a task refuses new sessions, however much capacity it has left. */
export const LIMITS = {
  /** p99 over the last period: keep alives and flushes are late beyond it. */
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
 * @param asked cost units of everything that was asked for
 */
export function costOfSession(asked: number, media: EffectiveMedia | undefined): number {
  return media === undefined ? asked : costOf(Object.keys(media) as MediaType[]);
}

/** How many more sessions of this cost fit, whatever else speaks against them. */
export function roomFor(
  { slotsUsed, slotsTotal }: Pick<Load, 'slotsUsed' | 'slotsTotal'>,
  cost: number,
) {
  return Math.max(0, Math.floor((slotsTotal - slotsUsed) / cost + ROUNDING));
}

/**
 * May a task under this load take a session of this cost?
 *
 * @param isOverdue its turn has passed without anybody taking it: a late event loop serves it better than nobody
 */
export function admit(load: Load, cost: number, isOverdue: boolean): Admission {
  if (load.draining) return { admitted: false, why: 'draining' };
  if (!load.mayServe) return { admitted: false, why: 'fenced' };
  if (roomFor(load, cost) < 1) return { admitted: false, why: 'capacity' };
  if (load.eventLoopDelayMs > LIMITS.eventLoopDelayMs && !isOverdue)
    return { admitted: false, why: 'event_loop' };
  if (load.memoryShare > LIMITS.memoryShare) return { admitted: false, why: 'memory' };
  return { admitted: true };
}
