import type { MediaType } from '../shared/rtms/media-type.ts';

/**
 * What one session costs per media type it asks for, in cost units: 1 is a session with everything, about
 * 1.6 % of one vCPU. Measured with three audio sources at 20 ms, 720p H.264 at 25 fps, a slide a second;
 * see docs/scaling.md.
 */
export const COST_UNITS = {
  audio: 0.5,
  video: 0.35,
  deskshare: 0.1,
  transcript: 0.03,
  chat: 0.02,
} as const satisfies Record<MediaType, number>;

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
  readonly costUsed: number;
  readonly costTotal: number;
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

/** Cost units of a session with these media types, to the hundredth. */
export function costOf(mediaTypes: Iterable<MediaType>): number {
  let cost = 0;
  for (const mediaType of mediaTypes) cost += COST_UNITS[mediaType];
  return Math.round(cost * 100) / 100;
}

/** How many more sessions of this cost fit, whatever else speaks against them. */
export function roomFor(
  { costUsed, costTotal }: Pick<Load, 'costUsed' | 'costTotal'>,
  cost: number,
) {
  return Math.max(0, Math.floor((costTotal - costUsed) / cost + ROUNDING));
}

/** May a task under this load take a session of this cost? */
export function admit(load: Load, cost: number): Admission {
  if (load.draining) return { admitted: false, why: 'draining' };
  if (!load.mayServe) return { admitted: false, why: 'fenced' };
  if (roomFor(load, cost) < 1) return { admitted: false, why: 'capacity' };
  if (load.eventLoopDelayMs > LIMITS.eventLoopDelayMs)
    return { admitted: false, why: 'event_loop' };
  if (load.memoryShare > LIMITS.memoryShare) return { admitted: false, why: 'memory' };
  return { admitted: true };
}
