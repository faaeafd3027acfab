import type { Trouble } from './connection/connection-state.ts';
import type { EndReason } from './events.ts';

/**
 * What a client is doing, as its owner sees it.
 *
 * `connecting` until media may flow for the first time; `reconnecting` while the signaling connection is
 * down (one lost media connection is told by `interrupted` alone); `leaving` while the sockets close and
 * the last frames come in. Nothing follows `ended`.
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

/** The state after `input`; the same object when the input is late or does not matter here. */
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

/** The first reason stands, but what Zoom says while we leave is the better one. */
function endReason(from: ClientState, reason: EndReason): EndReason {
  if (from.name !== 'leaving') return reason;
  if (reason.cause !== 'stopped') return from.reason;
  return from.reason.cause === 'closed' ? { ...reason, cause: 'closed' } : reason;
}
