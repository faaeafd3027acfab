import type { RtmsClientEvents } from './events.ts';
import { MESSAGE_TYPE, SESSION_STATE } from './protocol/constants.ts';
import type { SessionStateResp, SessionStateUpdate } from './protocol/decode-signaling.ts';

/** Bounds memory, at 256 bytes an id. A stream has a handful of sessions. */
const MAX_SESSIONS = 1_000;

/** The argument of the client's event `sessionState`. */
type SessionStateChange = RtmsClientEvents['sessionState'][0];

/** Zoom's sessions inside a stream, one for each user (message 9), with the last state of each that has not stopped. */
export class SessionStates {
  /** SESSION_STATE by session id. */
  readonly #states = new Map<string, number>();

  /** Ids of the sessions that have not stopped. */
  get open(): string[] {
    return [...this.#states.keys()];
  }

  /**
   * Takes in a state that Zoom sent, or its answer to our question for it.
   *
   * @param receivedAtMs Unix ms, for a message without a time
   * @returns the change to tell; `known` for an answer that says nothing new; undefined for a message that names no
   *   session while there are several or none
   */
  take(
    message: SessionStateUpdate | SessionStateResp,
    receivedAtMs: number,
  ): SessionStateChange | 'known' | undefined {
    const { state, timestampMs = receivedAtMs } = message;
    const rtmsSessionId = message.rtmsSessionId ?? this.#only();
    if (rtmsSessionId === undefined) return undefined;
    const isAnswer = message.msgType === MESSAGE_TYPE.SESSION_STATE_RESP;
    if (isAnswer && this.#states.get(rtmsSessionId) === state) return 'known';
    if (state === SESSION_STATE.STOPPED) this.#states.delete(rtmsSessionId);
    else if (this.#states.size < MAX_SESSIONS) this.#states.set(rtmsSessionId, state);
    const stopReason = isAnswer ? undefined : message.stopReason;
    return {
      rtmsSessionId,
      state,
      timestampMs,
      ...(stopReason !== undefined && { stopReason }),
      ...(message.isPartial && { raw: message.raw }),
    };
  }

  /** The session of a message without a session id; undefined with several sessions or none. */
  #only(): string | undefined {
    const [first, second] = this.#states.keys();
    return second === undefined ? first : undefined;
  }
}
