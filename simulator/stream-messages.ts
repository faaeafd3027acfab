import { EVENT_TYPE, MESSAGE_TYPE } from '../rtms/protocol/constants.ts';
import { STOP_REASON } from '../rtms/protocol/stop-reason.ts';
import type { Behaviour } from './scenario/behaviour.ts';
import type { Meeting } from './scenario/meeting.ts';
import type { SentLedger } from './sent-ledger.ts';
import { wireId } from './sockets/messages.ts';
import type { StreamClient } from './sockets/stream-client.ts';

export interface StreamMessagesOptions {
  readonly client: StreamClient;
  readonly meeting: Meeting;
  readonly ledger: SentLedger;
  readonly behaviour: Behaviour;
  /** Contact Center and Phone: events have their time in another field. */
  readonly hasVoiceEvents: boolean;
  /** Unix ms. */
  nowMs(): number;
}

/** What a stream tells its client on the signaling connection without being asked: messages 6, 8 and 9. */
export class StreamMessages {
  readonly #options: StreamMessagesOptions;

  constructor(options: StreamMessagesOptions) {
    this.#options = options;
  }

  /** Message 5. A client that subscribes to joins or cameras gets those of the people who are there already. */
  subscribe(eventType: number, on: boolean): void {
    const { client, meeting, hasVoiceEvents } = this.#options;
    const isNew = on && !client.subscriptions.has(eventType);
    if (on) client.subscriptions.add(eventType);
    else client.subscriptions.delete(eventType);
    if (!isNew || hasVoiceEvents) return;
    const { present, camerasOn } = meeting;
    if (eventType === EVENT_TYPE.PARTICIPANT_JOIN && present.length > 0) {
      this.participants(eventType, present);
    } else if (eventType === EVENT_TYPE.PARTICIPANT_VIDEO_ON && camerasOn.length > 0) {
      this.participants(
        eventType,
        camerasOn.map((userId) => ({ userId })),
      );
    }
  }

  /**
   * Message 6, if the client subscribed to this event or the event needs no subscription.
   *
   * @param fields what the event has beside its type and time
   */
  event(
    eventType: number,
    fields: Readonly<Record<string, unknown>>,
    timestampMs = this.#options.nowMs(),
  ): void {
    const { client, ledger, hasVoiceEvents } = this.#options;
    const isAutomatic =
      eventType === EVENT_TYPE.FIRST_PACKET_TIMESTAMP ||
      eventType === EVENT_TYPE.MEDIA_CONNECTION_INTERRUPTED;
    const timeField = hasVoiceEvents ? 'event_ts' : 'timestamp';
    const event = { event_type: eventType, ...this.#time(timeField, timestampMs), ...fields };
    const sent =
      (isAutomatic || client.subscriptions.has(eventType)) &&
      client.send({ msg_type: MESSAGE_TYPE.EVENT_UPDATE, event });
    ledger.event({ eventType, timestampMs, sent });
  }

  /** Message 6 with events 3, 4, 8 and 9: one message with a list, or one message for each person. */
  participants(
    eventType: number,
    people: readonly { readonly userId: number; readonly userName?: string }[],
  ): void {
    const { behaviour } = this.#options;
    const participants = people.map(({ userId, userName }) => ({
      user_id: wireId(userId, behaviour),
      ...(userName !== undefined && { user_name: userName }),
    }));
    if (behaviour.participants === 'list') {
      const list = behaviour.nullParticipants ? [...participants, null] : participants;
      this.event(eventType, { participants: list });
    } else for (const one of participants) this.event(eventType, one);
  }

  /** Message 8. @param state STREAM_STATE */
  streamState(state: number, reason: number = STOP_REASON.UNDEFINED): void {
    const { client, behaviour, nowMs } = this.#options;
    client.send({
      msg_type: MESSAGE_TYPE.STREAM_STATE_UPDATE,
      state,
      [behaviour.streamReasonKey]: reason,
      ...this.#time('timestamp', nowMs()),
    });
  }

  /** Message 9. @param state SESSION_STATE */
  sessionState(sessionId: string, state: number, stopReason?: number): void {
    const { client, behaviour, nowMs } = this.#options;
    client.send({
      msg_type: MESSAGE_TYPE.SESSION_STATE_UPDATE,
      ...(behaviour.sessionIds && { rtms_session_id: sessionId }),
      state,
      ...(stopReason !== undefined && { [behaviour.sessionReasonKey]: stopReason }),
      ...this.#time('timestamp', nowMs()),
    });
  }

  #time(field: string, timestampMs: number): Readonly<Record<string, number>> {
    return this.#options.behaviour.eventTimes ? { [field]: timestampMs } : {};
  }
}
