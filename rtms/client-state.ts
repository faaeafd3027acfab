import type { Closure, Trouble } from './connection/connection-state.ts';
import type { EndReason } from './events.ts';
import { isRestartable } from './protocol/stop-reason.ts';

/**
 * What a client is doing, as its owner sees it.
 *
 * - `idle`: before `join`
 * - `connecting`: until media may flow for the first time
 * - `streaming`, `paused`: media may flow, or Zoom has paused it
 * - `reconnecting`: the signaling connection is down. The loss of one media connection is told by the event
 *   `interrupted` and changes no state
 * - `leaving`: the sockets close and the last frames come in
 * - `ended`: nothing follows
 */
export type ClientState =
  | { readonly name: 'idle' | 'connecting' | 'streaming' | 'paused' }
  | {
      readonly name: 'reconnecting';
      readonly resumeTo: 'streaming' | 'paused';
      readonly trouble: Trouble;
    }
  | { readonly name: 'leaving' | 'ended'; readonly reason: EndReason };

export type ClientInput =
  | { readonly name: 'join' | 'ready' | 'paused' | 'resumed' | 'closed' }
  | { readonly name: 'interrupted'; readonly trouble: Trouble }
  | { readonly name: 'end'; readonly reason: EndReason };

/** The state after `input`; the same object when the input comes too late or means nothing in this state. */
export function nextClientState(from: ClientState, input: ClientInput): ClientState {
  if (from.name === 'ended') return from;
  switch (input.name) {
    case 'join':
      return from.name === 'idle' ? { name: 'connecting' } : from;
    case 'ready':
      if (from.name === 'connecting') return { name: 'streaming' };
      return from.name === 'reconnecting' ? { name: from.resumeTo } : from;
    case 'interrupted':
      if (from.name !== 'streaming' && from.name !== 'paused') return from;
      return { name: 'reconnecting', resumeTo: from.name, trouble: input.trouble };
    case 'paused':
      return setPaused(from, 'paused');
    case 'resumed':
      return setPaused(from, 'streaming');
    case 'end':
      return { name: 'leaving', reason: endReason(from, input.reason) };
    case 'closed':
      return from.name === 'leaving' ? { name: 'ended', reason: from.reason } : from;
  }
}

function setPaused(from: ClientState, to: 'paused' | 'streaming'): ClientState {
  switch (from.name) {
    case 'streaming':
    case 'paused':
      return from.name === to ? from : { name: to };
    case 'reconnecting':
      return from.resumeTo === to ? from : { ...from, resumeTo: to };
    default:
      return from;
  }
}

/** The first reason stands, unless Zoom tells its own reason while we leave. */
function endReason(from: ClientState, reason: EndReason): EndReason {
  if (from.name !== 'leaving') return reason;
  if (reason.cause !== 'stopped') return from.reason;
  return from.reason.cause === 'closed' ? { ...reason, cause: 'closed' } : reason;
}

/** Zoom ended the stream. @param stopReason STOP_REASON */
export function stopped(stopReason: number): EndReason {
  return { cause: 'stopped', stopReason, restartable: isRestartable(stopReason) };
}

/** A connection without which the client cannot go on is closed for good. */
export function endOfConnection(closure: Exclude<Closure, { name: 'left' }>): EndReason {
  if (closure.name === 'expired') return { cause: 'lost', restartable: true };
  const { status } = closure;
  return { cause: 'refused', restartable: false, ...(status !== undefined && { status }) };
}
