import type { Participant, SignalingEvent } from './events.ts';
import type { Roster } from './meeting-view.ts';
import { EVENT_TYPE, nameOf, ZCC_VOICE_EVENT_TYPE } from './protocol/constants.ts';
import type { EventUpdate } from './protocol/decode-signaling.ts';
import type { PersonFields } from './protocol/decode-text.ts';
import { numberOf } from './protocol/fields.ts';
import type { Product } from './protocol/product.ts';

/**
 * Turns message 6 into an event, by the product's own numbers, and adds its names to the roster.
 *
 * @param receivedAtMs the event's time when Zoom gave none
 * @param names the deployment's names for event codes that this release does not know
 */
export function readSignalingEvent(
  product: Product,
  update: EventUpdate,
  roster: Roster,
  receivedAtMs: number,
  names: Readonly<Record<string, string>> = {},
): SignalingEvent {
  const timestampMs = update.timestampMs ?? receivedAtMs;
  const named = names[String(codeOf(update))];
  if (named !== undefined) return callEvent(named, update, timestampMs);
  const event = productEvent(product, update, roster, timestampMs);
  return update.isPartial || lacksIds(event) ? { ...event, raw: update.raw } : event;
}

/** Whether somebody is named without an id, or nobody at all. Then `raw` is kept, which may say who was meant. */
function lacksIds(event: SignalingEvent): boolean {
  if (!('participants' in event)) return 'userName' in event && event.userId === undefined;
  const { participants } = event;
  return participants.length === 0 || participants.some(({ userId }) => userId === undefined);
}

function productEvent(
  product: Product,
  update: EventUpdate,
  roster: Roster,
  timestampMs: number,
): SignalingEvent {
  switch (product) {
    case 'meeting':
    case 'webinar':
    case 'session':
      return meetingEvent(update, roster, timestampMs);
    case 'contact_center':
      return voiceEvent(update, timestampMs);
    case 'phone':
      // Zoom's sample for Phone has the numbers and the participant of Contact Center. No other form is public.
      return update.participantInfo === undefined
        ? { name: 'other', raw: update.raw, timestampMs }
        : voiceEvent(update, timestampMs);
  }
}

const PARTICIPANT_EVENTS = {
  [EVENT_TYPE.PARTICIPANT_JOIN]: 'participant_joined',
  [EVENT_TYPE.PARTICIPANT_LEAVE]: 'participant_left',
  [EVENT_TYPE.PARTICIPANT_VIDEO_ON]: 'participant_video_on',
  [EVENT_TYPE.PARTICIPANT_VIDEO_OFF]: 'participant_video_off',
} as const;

function meetingEvent(update: EventUpdate, roster: Roster, timestampMs: number): SignalingEvent {
  const { raw } = update;
  const eventType = update.eventType ?? numberOf(EVENT_TYPE, update.eventName);
  switch (eventType) {
    case EVENT_TYPE.FIRST_PACKET_TIMESTAMP:
      return { name: 'first_packet', timestampMs };
    case EVENT_TYPE.MEDIA_CONNECTION_INTERRUPTED:
      return { name: 'media_connection_interrupted', timestampMs };
    case EVENT_TYPE.SHARING_STOP:
      return { name: 'sharing_stopped', timestampMs };
    case EVENT_TYPE.ACTIVE_SPEAKER_CHANGE:
    case EVENT_TYPE.SHARING_START: {
      const [person] = peopleOf(update);
      if (person === undefined) break;
      return {
        name: eventType === EVENT_TYPE.SHARING_START ? 'sharing_started' : 'active_speaker',
        ...remember(person, roster),
        timestampMs,
      };
    }
    case EVENT_TYPE.PARTICIPANT_JOIN:
    case EVENT_TYPE.PARTICIPANT_LEAVE:
    case EVENT_TYPE.PARTICIPANT_VIDEO_ON:
    case EVENT_TYPE.PARTICIPANT_VIDEO_OFF: {
      const participants = peopleOf(update).map((person) => remember(person, roster));
      return { name: PARTICIPANT_EVENTS[eventType], participants, timestampMs };
    }
    case EVENT_TYPE.CHAT_GROUP_CREATE:
    case EVENT_TYPE.CHAT_GROUP_DELETE:
    case EVENT_TYPE.CHAT_GROUP_MEMBERS_ADD:
    case EVENT_TYPE.CHAT_GROUP_MEMBERS_DELETE:
    case EVENT_TYPE.CHAT_GROUP_MEMBER_STATUS_UPDATE:
      return {
        name: 'chat_group',
        event: `${nameOf(EVENT_TYPE, eventType)}`.toLowerCase(),
        raw,
        timestampMs,
      };
    default:
      break;
  }
  return { name: 'other', raw, timestampMs };
}

/** The people of the list, or the one person whom the event itself names in place of a list. */
function peopleOf({ participants, userId, userName }: EventUpdate): readonly PersonFields[] {
  const isAlone = participants.length === 0 && (userId !== undefined || userName !== undefined);
  return isAlone ? [{ userId, userName }] : participants;
}

/** Adds a person's name to the roster, or takes it from there if the event has none. */
function remember({ userId, userName }: PersonFields, roster: Roster): Participant {
  if (userId === undefined) return { userName: userName ?? '' };
  roster.learn(userId, userName);
  return { userId, userName: userName ?? roster.nameOf(userId) };
}

function voiceEvent(update: EventUpdate, timestampMs: number): SignalingEvent {
  const { raw, eventName } = update;
  const eventType =
    update.eventType ??
    numberOf(ZCC_VOICE_EVENT_TYPE, eventName) ??
    numberOf(EVENT_TYPE, eventName);
  if (eventType === EVENT_TYPE.FIRST_PACKET_TIMESTAMP) return { name: 'first_packet', timestampMs };
  if (eventType === EVENT_TYPE.MEDIA_CONNECTION_INTERRUPTED) {
    return { name: 'media_connection_interrupted', timestampMs };
  }
  const name = nameOf(ZCC_VOICE_EVENT_TYPE, eventType);
  if (name === undefined) return { name: 'other', raw, timestampMs };
  return callEvent(name.toLowerCase(), update, timestampMs);
}

/** V2 numbers its events in `event_code`. */
function codeOf({ eventType, raw }: EventUpdate): unknown {
  return eventType ?? (raw as { readonly event_code?: unknown }).event_code;
}

function callEvent(event: string, update: EventUpdate, timestampMs: number): SignalingEvent {
  if (update.participantInfo === undefined) return { name: 'voice', event, timestampMs };
  const participant = Object.fromEntries(
    Object.entries(update.participantInfo).map(([key, value]) => [camelCase(key), value]),
  );
  return { name: 'voice', event, participant, timestampMs };
}

function camelCase(snakeCase: string): string {
  return snakeCase.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
