import { STATUS_CODE } from '../protocol/constants.ts';
import type { Pace } from './redial-delay.ts';
import type { StatusVerdict } from './verdict.ts';

/** Since when, and why, a connection is not up. */
export interface Trouble {
  readonly cause: string;
  /** The first sign, monotonic ms: reconnect windows count from here. */
  readonly sinceMs: number;
}

/** Why a connection is closed for good. */
export type Closure =
  | { readonly name: 'left' }
  | { readonly name: 'expired'; readonly cause: string }
  | {
      readonly name: 'refused' | 'fatal';
      readonly status: number | undefined;
      readonly cause: string;
    };

/**
 * One connection to Zoom, signaling or media, kept up by redialling.
 *
 * idle → dialing ⇄ waiting, dialing → up → waiting …, and closed from anywhere. `attempt` counts the dials
 * of one trouble from 1; `flaps` the connections in a row that did not last, whoever gave them up: Zoom, or
 * we because Zoom said so. Only after a connection that lasted does a dial go out at once. Without that rule
 * a fault at Zoom that lets us in and calls us back right away makes hundreds of handshakes a second.
 */
export type ConnectionState =
  | { readonly name: 'idle' }
  | {
      readonly name: 'dialing';
      readonly attempt: number;
      readonly flaps: number;
      readonly trouble: Trouble;
    }
  | {
      readonly name: 'up';
      readonly attempt: number;
      readonly flaps: number;
      readonly atMs: number;
      /** The trouble that is over. */
      readonly after: Trouble;
    }
  | {
      readonly name: 'waiting';
      readonly attempt: number;
      readonly flaps: number;
      readonly trouble: Trouble;
      /** `signature`: until there is another one than Zoom refused. */
      readonly pace: Pace | 'signature';
    }
  | { readonly name: 'closed'; readonly closure: Closure };

export type ConnectionInput =
  /**
   * Connect anew: at once when the last connection was stable, otherwise after a wait that grows with every
   * flap. Changes nothing while an attempt is under way or already waits. `fresh`: to a new address, so that
   * neither an attempt under way nor an earlier trouble counts.
   */
  | {
      readonly name: 'dial';
      readonly cause: string;
      readonly atMs: number;
      readonly fresh: boolean;
    }
  | { readonly name: 'accepted'; readonly atMs: number }
  | {
      readonly name: 'failed';
      readonly verdict: Exclude<StatusVerdict, 'accepted'>;
      readonly cause: string;
      readonly status: number | undefined;
    }
  | {
      readonly name: 'lost';
      readonly cause: string;
      readonly sinceMs: number;
      readonly atMs: number;
    }
  | { readonly name: 'retry' }
  | { readonly name: 'expired' }
  | { readonly name: 'close' };

/** A connection that stood this long was no flap. */
const STABLE_MS = 10_000;

const PACE = {
  retry: 'normal',
  retry_duplicate: 'duplicate',
  retry_signature: 'signature',
} as const;

/** No other signature came while Zoom's window was open: the answer stands. */
const SIGNATURE_REFUSED: Closure = {
  name: 'fatal',
  status: STATUS_CODE.INVALID_SIGNATURE,
  cause: `status_${STATUS_CODE.INVALID_SIGNATURE}`,
};

/** The state after `input`; the same object when the input is late or does not matter here. */
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
        trouble: { cause: input.cause, sinceMs: input.sinceMs },
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
  { cause, atMs, fresh }: Extract<ConnectionInput, { name: 'dial' }>,
): ConnectionState {
  const isUnderWay = from.name === 'dialing' || from.name === 'waiting';
  if (isUnderWay && !fresh) return from;
  const trouble = { cause, sinceMs: atMs };
  if (from.name === 'idle') return { name: 'dialing', attempt: 1, flaps: 0, trouble };
  if (from.name === 'up') {
    const flaps = flapsAfter(from, atMs);
    if (flaps === 0) return { name: 'dialing', attempt: 1, flaps, trouble };
    return { name: 'waiting', attempt: 0, flaps, trouble, pace: 'normal' };
  }
  // The first new address of a trouble is dialled at once; addresses that alternate are not.
  const flaps = from.flaps + 1;
  if (from.flaps === 0) return { name: 'dialing', attempt: 1, flaps, trouble };
  return { name: 'waiting', attempt: 0, flaps, trouble, pace: 'normal' };
}

function flapsAfter(up: Extract<ConnectionState, { name: 'up' }>, atMs: number): number {
  return atMs - up.atMs < STABLE_MS ? up.flaps + 1 : 0;
}

/** Not up, or back up after a loss since then. */
export function hadTrouble(state: ConnectionState, sinceMs: number): boolean {
  if (state.name !== 'up') return true;
  return state.after.cause !== 'join' && state.after.sinceMs >= sinceMs;
}
