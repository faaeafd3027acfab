import type { EndReason } from '../../rtms/events.ts';
import { isRestartable, STOP_REASON } from '../../rtms/protocol/stop-reason.ts';
import type { HandOverCause } from '../../shared/record/session-causes.ts';
import type {
  EndingWhy,
  Miss,
  SessionEffect,
  SessionInput,
  SessionResult,
} from './session-inputs.ts';
import {
  missByFailure,
  missByStop,
  resultOf,
  type Unserved,
  unrecorded,
} from './session-result.ts';

/** What a session is counted as in the metric `Sessions`. */
export const SESSION_STATES = [
  'connecting',
  'streaming',
  'paused',
  'reconnecting',
  'ending',
] as const;

type Connecting = {
  readonly name: 'connecting';
  readonly mayHandBack: boolean;
  /** The epoch, when media has flowed in no earlier one of this run: a session that cannot connect has missed the stream. */
  readonly unserved?: Unserved;
};
type Connected = {
  readonly name: 'streaming' | 'paused' | 'reconnecting';
  /** When the last signaling handshake was done, Unix ms. */
  readonly handshakeAtMs: number;
};
type Ending = {
  readonly name: 'ending';
  readonly why: EndingWhy;
  readonly atMs: number;
  /** Only of a stream that was missed. */
  readonly epoch?: number;
};
type Ended = { readonly name: 'ended'; readonly result: SessionResult };

/**
 * One session, from its claim to its result.
 *
 * ```
 *                joined               paused, resumed
 *  connecting ──────────▶ streaming ◀─────────────────▶ paused
 *      │                    ▲    │ interrupted             │
 *      │        reconnected │    ▼                         │
 *      │                 reconnecting ◀────────────────────┘
 *      │                      │
 *      └──────────┬───────────┘  stopped, refused, lost, handed over, defect; missed only from `connecting`
 *                 ▼
 *              ending ──── finished ───▶ ended
 *  any of these ────────── dropped ────▶ ended
 * ```
 *
 * - `connecting` until media flows for the first time. `mayHandBack`: the runner that gave the stream away could
 *   serve it, so a session that cannot connect gives it back, once.
 * - `reconnecting` from the loss of any connection until one is back.
 * - `ending` while the sockets close, the last frames come in and the last event is written. The first reason
 *   stands. Only losing the row or a defect of the ending itself cuts it short.
 * - `ended`: the result is known. Nothing changes it.
 */
export type RunnerSessionState = Connecting | Connected | Ending | Ended;

export interface SessionStep {
  /** The same object when the input is late or does not matter here. */
  readonly state: RunnerSessionState;
  readonly effects: readonly SessionEffect[];
}

/** What an input does to a session. Pure. @param nowMs Unix ms */
export function nextSession(
  from: RunnerSessionState,
  input: SessionInput,
  nowMs: number,
): SessionStep {
  switch (from.name) {
    case 'ended':
      return stay(from);
    case 'ending':
      return whileEnding(from, input);
    default:
      return whileServing(from, input, nowMs);
  }
}

function whileServing(
  from: Connecting | Connected,
  input: SessionInput,
  nowMs: number,
): SessionStep {
  switch (input.name) {
    case 'begin':
      if (from.name !== 'connecting') return stay(from);
      return input.stopReason === undefined
        ? stay(from, { do: 'get_credentials' })
        : stoppedFrom(from, input.stopReason, nowMs);
    case 'credentials':
      if (from.name !== 'connecting') return stay(from);
      return stay(from, { do: 'join', credentials: input.credentials });
    case 'cannot_connect':
      if (from.name !== 'connecting') return stay(from);
      return failed(from, { cause: 'refused', restartable: false }, nowMs, input.why);
    case 'joined': {
      if (from.name !== 'connecting') return stay(from);
      const { media, leftOut } = input;
      return connected(
        'streaming',
        nowMs,
        {},
        { do: 'write_started', atMs: nowMs, media, leftOut },
      );
    }
    case 'paused':
      return from.name === 'connecting' ? stay(from) : connected('paused', from.handshakeAtMs);
    case 'resumed':
      return from.name === 'connecting' ? stay(from) : connected('streaming', from.handshakeAtMs);
    case 'interrupted':
      // The successor may just have connected. Dialling now would throw it out of Zoom, and it would dial again too.
      if (input.isSuspended && input.info.scope === 'signaling')
        return dropped('connection lost while the table is away');
      if (from.name === 'connecting') return stay(from);
      return connected('reconnecting', from.handshakeAtMs, input.info);
    case 'reconnected': {
      if (from.name === 'connecting') return stay(from);
      const isHandshake = input.info.scope === 'signaling';
      return connected('streaming', isHandshake ? nowMs : from.handshakeAtMs, input.info);
    }
    case 'client_ended': {
      const { cause, stopReason, restartable } = input.reason;
      if (cause === 'left') return stay(from);
      if (stopReason !== undefined) return stoppedFrom(from, stopReason, nowMs, restartable);
      // The start came too late, something is wrong, or Zoom's webhook about a stop is a moment behind.
      return stay(from, { do: 'look_up_stop', reason: input.reason });
    }
    case 'stop_looked_up':
      if (input.stopReason !== undefined) return stoppedFrom(from, input.stopReason, nowMs);
      return failed(from, input.reason, nowMs);
    case 'stop_wanted':
      return stoppedFrom(from, input.stopReason, nowMs);
    case 'operator_stop': {
      const { state, effects } = stoppedFrom(from, STOP_REASON.RECEIVER_REQUEST_CLOSE, nowMs);
      return { state, effects: [{ do: 'close_stream' }, ...effects] };
    }
    case 'hand_over':
      return handedOver(input.cause, nowMs);
    case 'hand_back_due':
      return mayHandBack(from) ? handedOver('unable', nowMs) : stay(from);
    case 'started_again':
      return stay(from, { do: 'remember_start', start: input.start });
    case 'reconnect_wanted':
      return stay(from, { do: 'reconnect', wanted: input });
    case 'fenced':
      return dropped(input.why);
    case 'overloading': {
      const fields = { event: 'overloading' };
      return ending({ name: 'defect' }, nowMs, [
        { do: 'count', metric: 'SessionsOverloading' },
        { do: 'log', level: 'error', text: 'more than its share of the event loop', fields },
      ]);
    }
    case 'defect':
      return ending({ name: 'defect' }, nowMs);
    case 'finished':
    case 'ending_overdue':
      return stay(from);
  }
}

function whileEnding(from: Ending, input: SessionInput): SessionStep {
  switch (input.name) {
    case 'finished':
      return ended(resultOf(from, input));
    case 'fenced':
      return input.mayFinish ? stay(from) : dropped(input.why);
    case 'defect':
      // A listener that breaks while the sockets close changes nothing; a callback may have broken the closing.
      if (input.place === 'listener') return stay(from);
      return input.place === 'step' ? broken(from) : stay(from, { do: 'watch_ending' });
    case 'ending_overdue':
      return broken(from);
    default:
      return stay(from);
  }
}

function stay(state: RunnerSessionState, ...effects: SessionEffect[]): SessionStep {
  return { state, effects };
}

function connected(
  name: Connected['name'],
  handshakeAtMs: number,
  info: object = {},
  ...effects: SessionEffect[]
): SessionStep {
  const fields = { event: name, ...info };
  return {
    state: { name, handshakeAtMs },
    effects: [{ do: 'log', level: 'info', text: name, fields }, ...effects],
  };
}

function ending(why: EndingWhy, atMs: number, effects: readonly SessionEffect[] = []): SessionStep {
  return { state: { name: 'ending', why, atMs }, effects: [...effects, { do: 'end', why, atMs }] };
}

function stopped(
  stopReason: number,
  nowMs: number,
  restartable = isRestartable(stopReason),
): SessionStep {
  return ending({ name: 'stopped', stopReason, restartable }, nowMs);
}

function handedOver(cause: Exclude<HandOverCause, 'defect'>, nowMs: number): SessionStep {
  const fields = { event: 'handing_over', cause };
  return ending({ name: 'handed_over', cause }, nowMs, [
    { do: 'log', level: 'info', text: 'handing over', fields },
  ]);
}

/** A stop. If media has not flowed in this run, the stream counts as missed. */
function stoppedFrom(
  from: Connecting | Connected,
  stopReason: number,
  nowMs: number,
  restartable?: boolean,
): SessionStep {
  const unserved = unservedOf(from);
  // Only `session_revoked` makes consumers delete what they have stored.
  const mustTell = stopReason === STOP_REASON.STREAM_REVOKED && unserved?.hasRecords === true;
  if (unserved === undefined || mustTell) return stopped(stopReason, nowMs, restartable);
  return missed(missByStop(unserved, stopReason), unserved.epoch, nowMs);
}

/** @param ours what keeps us from connecting at all */
function failed(
  from: Connecting | Connected,
  end: EndReason,
  nowMs: number,
  ours?: 'address_refused' | 'no_credentials',
): SessionStep {
  if (mayHandBack(from)) return handedOver('unable', nowMs);
  const unserved = unservedOf(from);
  if (unserved !== undefined) {
    return missed(missByFailure(unserved, end, ours), unserved.epoch, nowMs);
  }
  const { cause, restartable } = end;
  const name = cause === 'refused' ? 'refused' : 'lost';
  return ending({ name, restartable }, nowMs, [
    { do: 'count', metric: 'SessionsFailed', by: cause },
  ]);
}

function missed(miss: Miss, epoch: number, nowMs: number): SessionStep {
  const why = { name: 'missed', ...miss } as const;
  return {
    state: { name: 'ending', why, atMs: nowMs, epoch },
    effects: [
      {
        do: 'log',
        level: 'warn',
        text: 'the stream was never recorded',
        fields: { event: 'missed', ...miss },
      },
      { do: 'end', why, atMs: nowMs },
    ],
  };
}

function unservedOf(from: Connecting | Connected): Connecting['unserved'] {
  return from.name === 'connecting' ? from.unserved : undefined;
}

function mayHandBack(from: Connecting | Connected): boolean {
  return from.name === 'connecting' && from.mayHandBack;
}

function dropped(why: string): SessionStep {
  const { state, effects } = ended({ kind: 'dropped' });
  return { state, effects: [{ do: 'drop', why }, ...effects] };
}

function broken({ atMs }: Ending): SessionStep {
  const { state, effects } = ended(unrecorded({ kind: 'defect', atMs }));
  return { state, effects: [{ do: 'drop_unwritten' }, ...effects] };
}

function ended(result: SessionResult): SessionStep {
  return { state: { name: 'ended', result }, effects: [{ do: 'tell_result', result }] };
}
