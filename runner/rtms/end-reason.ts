import type { Closure } from './connection-state.ts';
import type { EndReason } from './events.ts';
import { isRestartable } from './verdict.ts';

/** Zoom ended the stream. */
export function stopped(stopReason: number): EndReason {
  return { cause: 'stopped', stopReason, restartable: isRestartable(stopReason) };
}

/**
 * A connection that everything depends on is closed for good.
 *
 * @param hadJoined whether media ever flowed
 */
export function endOfConnection(
  closure: Exclude<Closure, { name: 'left' }>,
  hadJoined: boolean,
): EndReason {
  if (closure.name === 'expired')
    return { cause: hadJoined ? 'lost' : 'failed', restartable: true };
  const { status } = closure;
  return { cause: 'refused', restartable: false, ...(status !== undefined && { status }) };
}
