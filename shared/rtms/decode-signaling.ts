import { MESSAGE_TYPE } from './constants.ts';
import {
  isObject,
  type JsonObject,
  malformed,
  optionalInteger,
  optionalString,
  optionalTimeMs,
  optionalUserId,
  passThrough,
  requiredInteger,
  requiredString,
  requiredUserId,
} from './fields.ts';
import { MEDIA_TYPES, type MediaType } from './media-type.ts';
import { ENTITY_ID_FIELD, type EntityIdField, PRODUCTS } from './product.ts';

type Type = typeof MESSAGE_TYPE;

/*
 * Every signaling message as the rest of the code sees it, and its reading, side by side: longer than other
 * files, but a field is added in one place.
 */

/** Message 1. */
export interface SignalingHandshakeReq {
  readonly msgType: Type['SIGNALING_HAND_SHAKE_REQ'];
  readonly entityField: EntityIdField;
  readonly entityId: string;
  readonly rtmsStreamId: string;
  readonly signature: string;
  readonly bufferData: boolean;
}

/** Message 2. */
export interface SignalingHandshakeResp {
  readonly msgType: Type['SIGNALING_HAND_SHAKE_RESP'];
  readonly statusCode: number;
  readonly reason: string;
  readonly serverUrls: { readonly [Key in MediaType | 'all']?: string };
}

/** Message 3. */
export interface DataHandshakeReq {
  readonly msgType: Type['DATA_HAND_SHAKE_REQ'];
  readonly entityField: EntityIdField;
  readonly entityId: string;
  readonly rtmsStreamId: string;
  readonly signature: string;
  /** Bits of MEDIA_DATA_TYPE, unchecked. */
  readonly mediaType: number;
  readonly payloadEncryption: boolean;
  /** As sent: the receiver validates each field with its own status code. */
  readonly mediaParams: unknown;
}

/** Message 4. */
export interface DataHandshakeResp {
  readonly msgType: Type['DATA_HAND_SHAKE_RESP'];
  readonly statusCode: number;
  readonly reason: string;
  readonly payloadEncrypted: boolean;
  /** As sent: see `effectiveMedia`. */
  readonly mediaParams: unknown;
}

/** Message 5. */
export interface EventSubscription {
  readonly msgType: Type['EVENT_SUBSCRIPTION'];
  readonly events: readonly { readonly eventType: number; readonly subscribe: boolean }[];
}

/** Message 6: what `eventType` means depends on the product. */
export interface EventUpdate {
  readonly msgType: Type['EVENT_UPDATE'];
  /** Absent in protocol V2, which numbers events in `event_code`. */
  readonly eventType: number | undefined;
  readonly timestampMs: number | undefined;
  readonly userId: number | undefined;
  readonly userName: string | undefined;
  readonly participants: readonly { userId: number; userName: string | undefined }[];
  /** Contact Center: wire names, strings only. */
  readonly participantInfo: Readonly<Record<string, string>> | undefined;
  readonly raw: unknown;
}

/** Message 8. */
export interface StreamStateUpdate {
  readonly msgType: Type['STREAM_STATE_UPDATE'];
  readonly state: number;
  readonly stopReason: number | undefined;
  readonly timestampMs: number | undefined;
}

/** Message 9. */
export interface SessionStateUpdate {
  readonly msgType: Type['SESSION_STATE_UPDATE'];
  readonly rtmsSessionId: string;
  readonly state: number;
  readonly stopReason: number | undefined;
  readonly timestampMs: number | undefined;
}

/** Messages 7, 19 and 21. */
export interface StreamRequest {
  readonly msgType: Type['CLIENT_READY_ACK'] | Type['STREAM_STATE_REQ'] | Type['STREAM_CLOSE_REQ'];
  readonly rtmsStreamId: string;
}

/** Message 10. */
export interface SessionStateReq {
  readonly msgType: Type['SESSION_STATE_REQ'];
  readonly rtmsSessionId: string;
}

/** Message 11. */
export interface SessionStateResp {
  readonly msgType: Type['SESSION_STATE_RESP'];
  readonly rtmsSessionId: string;
  readonly state: number;
  readonly timestampMs: number | undefined;
}

/** Message 20. */
export interface StreamStateResp {
  readonly msgType: Type['STREAM_STATE_RESP'];
  readonly rtmsStreamId: string;
  readonly state: number;
  readonly timestampMs: number | undefined;
}

/** Message 22. */
export interface StreamCloseResp {
  readonly msgType: Type['STREAM_CLOSE_RESP'];
  readonly statusCode: number;
  readonly reason: string;
}

/** Message 28. */
export interface VideoSubscriptionReq {
  readonly msgType: Type['VIDEO_SUBSCRIPTION_REQ'];
  readonly userId: number;
  readonly subscribe: boolean;
}

/** Message 29. */
export interface VideoSubscriptionResp {
  readonly msgType: Type['VIDEO_SUBSCRIPTION_RESP'];
  readonly userId: number;
  readonly statusCode: number;
  readonly reason: string;
}

export type SignalingMessage =
  | SignalingHandshakeReq
  | SignalingHandshakeResp
  | DataHandshakeReq
  | DataHandshakeResp
  | EventSubscription
  | EventUpdate
  | StreamStateUpdate
  | SessionStateUpdate
  | StreamRequest
  | SessionStateReq
  | SessionStateResp
  | StreamStateResp
  | StreamCloseResp
  | VideoSubscriptionReq
  | VideoSubscriptionResp;

/**
 * Every message but keep-alives and media data.
 *
 * @returns undefined for a `msg_type` that is not one of these
 * @throws ServiceError `rtms/malformed-message`
 */
export function decodeSignaling(
  msgType: number,
  message: JsonObject,
): SignalingMessage | undefined {
  switch (msgType) {
    case MESSAGE_TYPE.SIGNALING_HAND_SHAKE_REQ:
      return {
        msgType,
        ...handshakeIdentity(msgType, message),
        bufferData: message['buffer_data'] !== false,
      };
    case MESSAGE_TYPE.SIGNALING_HAND_SHAKE_RESP:
      return { msgType, ...status(msgType, message), serverUrls: serverUrls(message) };
    case MESSAGE_TYPE.DATA_HAND_SHAKE_REQ:
      return {
        msgType,
        ...handshakeIdentity(msgType, message),
        mediaType: requiredInteger(msgType, message, 'media_type'),
        payloadEncryption: message['payload_encryption'] === true,
        mediaParams: message['media_params'],
      };
    case MESSAGE_TYPE.DATA_HAND_SHAKE_RESP:
      return {
        msgType,
        ...status(msgType, message),
        payloadEncrypted: (message['payload_encrypted'] ?? message['payload_encryption']) === true,
        mediaParams: message['media_params'],
      };
    case MESSAGE_TYPE.EVENT_SUBSCRIPTION:
      return { msgType, events: subscriptions(msgType, message['events']) };
    case MESSAGE_TYPE.EVENT_UPDATE:
      return eventUpdate(message['event']);
    case MESSAGE_TYPE.STREAM_STATE_UPDATE:
      return { msgType, ...stateChange(msgType, message) };
    case MESSAGE_TYPE.SESSION_STATE_UPDATE:
      return {
        msgType,
        rtmsSessionId: requiredString(msgType, message, 'rtms_session_id'),
        ...stateChange(msgType, message),
      };
    case MESSAGE_TYPE.CLIENT_READY_ACK:
    case MESSAGE_TYPE.STREAM_STATE_REQ:
    case MESSAGE_TYPE.STREAM_CLOSE_REQ:
      return { msgType, rtmsStreamId: requiredString(msgType, message, 'rtms_stream_id') };
    case MESSAGE_TYPE.SESSION_STATE_REQ:
      return { msgType, rtmsSessionId: requiredString(msgType, message, 'rtms_session_id') };
    case MESSAGE_TYPE.SESSION_STATE_RESP:
      return {
        msgType,
        rtmsSessionId: requiredString(msgType, message, 'rtms_session_id'),
        state: requiredInteger(msgType, message, 'state'),
        timestampMs: optionalTimeMs(message['timestamp']),
      };
    case MESSAGE_TYPE.STREAM_STATE_RESP:
      return {
        msgType,
        rtmsStreamId: requiredString(msgType, message, 'rtms_stream_id'),
        state: requiredInteger(msgType, message, 'state'),
        timestampMs: optionalTimeMs(message['timestamp']),
      };
    case MESSAGE_TYPE.STREAM_CLOSE_RESP:
      return { msgType, ...status(msgType, message) };
    case MESSAGE_TYPE.VIDEO_SUBSCRIPTION_REQ:
      return {
        msgType,
        userId: requiredUserId(msgType, message['user_id']),
        subscribe: message['subscribe'] === true,
      };
    case MESSAGE_TYPE.VIDEO_SUBSCRIPTION_RESP:
      return {
        msgType,
        userId: requiredUserId(msgType, message['user_id']),
        ...status(msgType, message),
      };
    default:
      return undefined;
  }
}

/** Any product's id field is taken; with several, meetings win over webinars and so on, as in Zoom's SDK. */
function handshakeIdentity(msgType: number, message: JsonObject) {
  for (const product of PRODUCTS) {
    const entityField = ENTITY_ID_FIELD[product];
    const entityId = optionalString(message[entityField]);
    if (entityId === undefined) continue;
    return {
      entityField,
      entityId,
      rtmsStreamId: requiredString(msgType, message, 'rtms_stream_id'),
      signature: requiredString(msgType, message, 'signature'),
    };
  }
  throw malformed(msgType, 'entity id');
}

function status(msgType: number, message: JsonObject) {
  return {
    statusCode: requiredInteger(msgType, message, 'status_code'),
    reason: optionalString(message['reason']) ?? '',
  };
}

function stateChange(msgType: number, message: JsonObject) {
  return {
    state: requiredInteger(msgType, message, 'state'),
    stopReason: optionalInteger(message['reason']) ?? optionalInteger(message['stop_reason']),
    timestampMs: optionalTimeMs(message['timestamp']),
  };
}

function serverUrls(message: JsonObject): SignalingHandshakeResp['serverUrls'] {
  const server = message['media_server'];
  const given = isObject(server) ? server['server_urls'] : undefined;
  const urls: { [Key in MediaType | 'all']?: string } = {};
  if (!isObject(given)) return urls;
  for (const key of [...MEDIA_TYPES, 'all'] as const) {
    const url = optionalString(given[key]);
    if (url !== undefined) urls[key] = url;
  }
  return urls;
}

function subscriptions(msgType: number, events: unknown): EventSubscription['events'] {
  if (!Array.isArray(events)) throw malformed(msgType, 'events');
  return events.map((event: unknown) => {
    if (!isObject(event)) throw malformed(msgType, 'events');
    return {
      eventType: requiredInteger(msgType, event, 'event_type'),
      subscribe: event['subscribe'] === true,
    };
  });
}

function eventUpdate(event: unknown): EventUpdate {
  const msgType = MESSAGE_TYPE.EVENT_UPDATE;
  if (!isObject(event)) throw malformed(msgType, 'event');
  return {
    msgType,
    eventType: optionalInteger(event['event_type']),
    timestampMs: optionalTimeMs(event['timestamp']) ?? optionalTimeMs(event['event_ts']),
    userId: optionalUserId(msgType, event['user_id']),
    userName: optionalString(event['user_name']),
    participants: participants(msgType, event['participants']),
    participantInfo: strings(event['participant_info'] ?? event['paticipant_info']),
    raw: passThrough(msgType, event),
  };
}

function participants(msgType: number, value: unknown): EventUpdate['participants'] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw malformed(msgType, 'participants');
  return value.map((participant: unknown) => {
    if (!isObject(participant)) throw malformed(msgType, 'participants');
    return {
      userId: requiredUserId(msgType, participant['user_id']),
      userName: optionalString(participant['user_name']),
    };
  });
}

function strings(value: unknown): Record<string, string> | undefined {
  if (!isObject(value)) return undefined;
  const texts: [string, string][] = [];
  for (const [name, field] of Object.entries(value)) {
    const text = optionalString(field);
    if (text !== undefined) texts.push([name, text]);
  }
  return Object.fromEntries(texts);
}
