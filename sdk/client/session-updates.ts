import type { RtmsClientEvents } from '../../rtms/events.ts';
import { SESSION_STATE } from '../../rtms/protocol/constants.ts';
import type { SessionInfo } from './callbacks/callbacks.ts';
import {
  SESS_STATUS_ACTIVE,
  SESS_STATUS_PAUSED,
  SESSION_EVENT_ADD,
  SESSION_EVENT_PAUSE,
  SESSION_EVENT_RESUME,
  SESSION_EVENT_STOP,
} from './settings/constants.ts';

type StateMessage = RtmsClientEvents['sessionState'][0];

/** Bounds memory. A stream has a handful of sessions. */
const MAX_SESSIONS = 1_000;

/** Translates the states of the sessions inside a stream (message 9) into the operations of `onSessionUpdate`. */
export class SessionUpdates {
  readonly #known = new Set<string>();

  /** @returns undefined for a state that the SDK does not report, or has reported already */
  next(
    { rtmsSessionId: sessionId, state, timestampMs }: StateMessage,
    { streamId, meetingId }: { readonly streamId: string; readonly meetingId: string },
  ): { readonly op: number; readonly session: SessionInfo } | undefined {
    const op = this.#operation(sessionId, state);
    if (op === undefined) return undefined;
    const isPaused = op === SESSION_EVENT_PAUSE;
    const isActive = op === SESSION_EVENT_ADD || op === SESSION_EVENT_RESUME;
    const status = isPaused ? SESS_STATUS_PAUSED : isActive ? SESS_STATUS_ACTIVE : 0;
    return {
      op,
      session: {
        sessionId,
        streamId,
        meetingId,
        statTime: Math.floor(timestampMs / 1_000),
        status,
        isActive,
        isPaused,
      },
    };
  }

  #dropOldest(): void {
    const [oldest] = this.#known;
    if (this.#known.size > MAX_SESSIONS && oldest !== undefined) this.#known.delete(oldest);
  }

  #operation(sessionId: string, state: number): number | undefined {
    switch (state) {
      case SESSION_STATE.INITIALIZE:
      case SESSION_STATE.STARTED:
        if (this.#known.has(sessionId)) return undefined;
        this.#known.add(sessionId);
        this.#dropOldest();
        return SESSION_EVENT_ADD;
      case SESSION_STATE.PAUSED:
        return SESSION_EVENT_PAUSE;
      case SESSION_STATE.RESUMED:
        return SESSION_EVENT_RESUME;
      case SESSION_STATE.STOPPED:
        this.#known.delete(sessionId);
        return SESSION_EVENT_STOP;
      default:
        return undefined;
    }
  }
}
