import type { Closure } from './connection/connection-state.ts';
import { isRestartable } from './connection/verdict.ts';
import type { EndReason } from './events.ts';

/** Zoom ended the stream. */
export function stopped(stopReason: number): EndReason {
  return { cause: 'stopped', stopReason, restartable: isRestartable(stopReason) };
}

/** A connection that everything depends on is closed for good. */
export function endOfConnection(closure: Exclude<Closure, { name: 'left' }>): EndReason {
  if (closure.name === 'expired') return { cause: 'lost', restartable: true };
  const { status } = closure;
  return { cause: 'refused', restartable: false, ...(status !== undefined && { status }) };
}
