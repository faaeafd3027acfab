/** Kept back from the 15 minutes of a function for the hand-over: `DRAIN_TIMES.exitMs` of it are used at most. */
export const LEAVE_BEFORE_MS = 120_000;
/** Above this share of the function's memory everything is given away: Lambda kills an execution that goes over. */
const LEAVE_MEMORY_SHARE = 0.92;
/** An event loop this late serves nobody well. New sessions are refused far sooner (`LIMITS`). */
const LEAVE_LOOP_DELAY_MS = 2_000;

export interface Holding {
  /** Of this invocation, ms. */
  readonly remainingMs: number;
  readonly memoryShare: number;
  readonly eventLoopDelayMs: number;
  /** Sessions and claims under way. */
  readonly slotsUsed: number;
  /** A session is on its way to a task, and may have to be taken back. */
  readonly isMoving: boolean;
}

/** Why an invocation ends now; undefined while it goes on. It does not end while it holds a session, but for a limit. */
export function leavesFor(holding: Holding): 'time' | 'memory' | 'event_loop' | 'idle' | undefined {
  if (holding.slotsUsed === 0 && !holding.isMoving) return 'idle';
  if (holding.remainingMs < LEAVE_BEFORE_MS) return 'time';
  if (holding.memoryShare > LEAVE_MEMORY_SHARE) return 'memory';
  if (holding.eventLoopDelayMs > LEAVE_LOOP_DELAY_MS) return 'event_loop';
  return undefined;
}
