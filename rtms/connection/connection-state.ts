import { STATUS_CODE } from '../protocol/constants.ts';
import type { Pace } from './delays.ts';
import type { StatusVerdict } from './verdict.ts';

/** Why a connection is not up, and since when. */
export interface Trouble {
  readonly cause: string;
  /** The first sign, monotonic ms: reconnect windows count from here. */
  readonly sinceMs: number;
  /** Until when the connection is known to have been there, monotonic ms, where that was well before its trouble was noticed. */
  readonly goneMs?: number;
}

/** @returns since when nothing may have been received, monotonic ms. The reconnect window counts from `sinceMs` all the same */
export function goneSince({ sinceMs, goneMs }: Trouble): number {
  return Math.min(sinceMs, goneMs ?? sinceMs);
}

/**
 * Why a connection is closed for good.
 *
 * - `left`: the client closed it
 * - `expired`: the reconnect window passed
 * - `refused`: Zoom will never grant this request
 * - `fatal`: for Zoom the stream does not exist or is not ours
 */
export type Closure =
  | { readonly name: 'left' }
  | { readonly name: 'expired'; readonly cause: string }
  | {
      readonly name: 'refused' | 'fatal';
      /** STATUS_CODE of the handshake answer. */
      readonly status: number | undefined;
      readonly cause: string;
    };

/**
 * The states of one connection to Zoom, signaling or media, that is kept up by redialling.
 *
 *     idle ──dial──▶ dialing ──accepted──▶ up
 *                    ▲    │                │
 *                retry  failed           lost, or dial after a flap
 *                    │    ▼                │
 *                    waiting ◀─────────────┘        from any state: close, refused, fatal, expired ──▶ closed
 *
 * `attempt` counts the dials of one trouble from 1. `flaps` counts the connections in a row that did not last 10 s,
 * whoever ended them. A dial goes out at once only after a connection that lasted: without this rule a fault at Zoom
 * that accepts a connection and calls it back at once would cause hundreds of handshakes a second.
 */
export type ConnectionState =
  /** Never dialled. */
  | { readonly name: 'idle' }
  /** An attempt is under way, from opening the socket until the handshake answer. */
  | {
      readonly name: 'dialing';
      readonly attempt: number;
      readonly flaps: number;
      readonly trouble: Trouble;
    }
  /** Zoom accepted the handshake, `atMs` on the monotonic clock. */
  | {
      readonly name: 'up';
      readonly attempt: number;
      readonly flaps: number;
      readonly atMs: number;
      /** The trouble that this connection ended. */
      readonly after: Trouble;
    }
  /** Lost, or the last attempt failed; the next attempt comes after a delay, or with another signature. */
  | {
      readonly name: 'waiting';
      /** Attempts so far; 0 right after a loss. */
      readonly attempt: number;
      readonly flaps: number;
      readonly trouble: Trouble;
      /** How long to wait; `signature`: until there is another signature than the one that Zoom refused. */
      readonly pace: Pace | 'signature';
    }
  /** The last state: no input changes it. */
  | { readonly name: 'closed'; readonly closure: Closure };

export type ConnectionInput =
  /**
   * Connect anew: at once if the last connection lasted, otherwise after a delay that grows with every flap. Changes
   * nothing while an attempt is under way or waits. `fresh`: to a new address, so that an attempt under way and an
   * earlier trouble do not count.
   */
  | {
      readonly name: 'dial';
      readonly cause: string;
      readonly atMs: number;
      readonly fresh: boolean;
      /** See `Trouble`. */
      readonly goneMs?: number | undefined;
    }
  /** Zoom accepted the handshake. */
  | { readonly name: 'accepted'; readonly atMs: number }
  /** The attempt failed: no connection, no answer in time, or an answer with this verdict. */
  | {
      readonly name: 'failed';
      readonly verdict: Exclude<StatusVerdict, 'accepted'>;
      readonly cause: string;
      readonly status: number | undefined;
    }
  /** The connection that was up has ended. `sinceMs`: the first sign, for a silent socket its last message. */
  | {
      readonly name: 'lost';
      readonly cause: string;
      readonly sinceMs: number;
      readonly atMs: number;
      /** See `Trouble`. */
      readonly goneMs?: number | undefined;
    }
  /** The wait is over. */
  | { readonly name: 'retry' }
  /** The reconnect window has passed. */
  | { readonly name: 'expired' }
  /** The client closes the connection. */
  | { readonly name: 'close' };

/** A connection that lasted this long was no flap. */
const STABLE_MS = 10_000;

const PACE = {
  retry: 'normal',
  retry_duplicate: 'duplicate',
  retry_signature: 'signature',
} as const;

/** No other signature came while Zoom's window was open, so Zoom's refusal is final. */
const SIGNATURE_REFUSED: Closure = {
  name: 'fatal',
  status: STATUS_CODE.INVALID_SIGNATURE,
  cause: `status_${STATUS_CODE.INVALID_SIGNATURE}`,
};

/** The state after `input`; the same object when the input comes too late or means nothing in this state. */
export function nextState(from: ConnectionState, input: ConnectionInput): ConnectionState {
  if (from.name === 'closed') return from;
  switch (input.name) {
    case 'dial':
      return redialled(from, input);
    case 'accepted':
      if (from.name !== 'dialing') return from;
      return {
        name: 'up',
        attempt: from.attempt,
        flaps: from.flaps,
        atMs: input.atMs,
        after: from.trouble,
      };
    case 'failed': {
      if (from.name !== 'dialing') return from;
      const { cause, status, verdict } = input;
      if (verdict === 'refused' || verdict === 'fatal') {
        return { name: 'closed', closure: { name: verdict, status, cause } };
      }
      return { ...from, name: 'waiting', pace: PACE[verdict] };
    }
    case 'lost':
      if (from.name !== 'up') return from;
      return {
        name: 'waiting',
        attempt: 0,
        flaps: flapsAfter(from, input.atMs),
        trouble: troubleOf(input.cause, input.sinceMs, input.goneMs),
        pace: 'normal',
      };
    case 'retry': {
      if (from.name !== 'waiting') return from;
      const { attempt, flaps, trouble } = from;
      return { name: 'dialing', attempt: attempt + 1, flaps, trouble };
    }
    case 'expired':
      if (from.name !== 'dialing' && from.name !== 'waiting') return from;
      if (from.name === 'waiting' && from.pace === 'signature') {
        return { name: 'closed', closure: SIGNATURE_REFUSED };
      }
      return { name: 'closed', closure: { name: 'expired', cause: from.trouble.cause } };
    case 'close':
      return { name: 'closed', closure: { name: 'left' } };
  }
}

type Open = Exclude<ConnectionState, { name: 'closed' }>;

function redialled(
  from: Open,
  { cause, atMs, fresh, goneMs }: Extract<ConnectionInput, { name: 'dial' }>,
): ConnectionState {
  const isUnderWay = from.name === 'dialing' || from.name === 'waiting';
  if (isUnderWay && !fresh) return from;
  const trouble = troubleOf(cause, atMs, goneMs);
  if (from.name === 'idle') return { name: 'dialing', attempt: 1, flaps: 0, trouble };
  if (from.name === 'up') {
    const flaps = flapsAfter(from, atMs);
    if (flaps === 0) return { name: 'dialing', attempt: 1, flaps, trouble };
    return { name: 'waiting', attempt: 0, flaps, trouble, pace: 'normal' };
  }
  // The first new address during a trouble is dialled at once. Addresses that alternate are dialled after a delay.
  const flaps = from.flaps + 1;
  if (from.flaps === 0) return { name: 'dialing', attempt: 1, flaps, trouble };
  return { name: 'waiting', attempt: 0, flaps, trouble, pace: 'normal' };
}

function troubleOf(cause: string, sinceMs: number, goneMs: number | undefined): Trouble {
  return goneMs === undefined ? { cause, sinceMs } : { cause, sinceMs, goneMs };
}

function flapsAfter(up: Extract<ConnectionState, { name: 'up' }>, atMs: number): number {
  return atMs - up.atMs < STABLE_MS ? up.flaps + 1 : 0;
}

/** Whether a connection is not up, or came back up from a loss since `sinceMs` (monotonic ms). */
export function hadTrouble(state: ConnectionState, sinceMs: number): boolean {
  if (state.name !== 'up') return true;
  return state.after.cause !== 'join' && state.after.sinceMs >= sinceMs;
}
