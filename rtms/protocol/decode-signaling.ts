import { MESSAGE_TYPE, SESSION_STATE, STATUS_CODE, STREAM_STATE } from './constants.ts';
import { type PersonFields, personOf, readPerson } from './decode-text.ts';
import { Fields, numberOf, readInteger, readObject, readText } from './fields.ts';
import { type OfferedUrls, offeredUrls } from './offered-urls.ts';
import type { JsonObject } from './parse-message.ts';
import { STOP_REASON } from './stop-reason.ts';

type Type = typeof MESSAGE_TYPE;

/*
 * Every signaling message that Zoom sends: its type and its reading stand side by side, so that a field is added in one
 * place.
 */

/** Message 2. */
export interface SignalingHandshakeResp {
  readonly msgType: Type['SIGNALING_HAND_SHAKE_RESP'];
  readonly statusCode: number;
  readonly reason: string;
  /** Zoom's addresses in its order, not checked yet. Mostly one for each key. */
  readonly serverUrls: OfferedUrls;
}

/** Message 4. */
export interface DataHandshakeResp {
  readonly msgType: Type['DATA_HAND_SHAKE_RESP'];
  readonly statusCode: number;
  readonly reason: string;
  readonly payloadEncrypted: boolean;
  /** The parameters as Zoom sent them; `agreedMedia` reads them. */
  readonly mediaParams: unknown;
}

/** Message 6. The meaning of `eventType` depends on the product. */
export interface EventUpdate {
  readonly msgType: Type['EVENT_UPDATE'];
  /** Absent in protocol V2, which numbers events in `event_code`. */
  readonly eventType: number | undefined;
  /** The type, where Zoom wrote a name and no number. */
  readonly eventName: string | undefined;
  readonly timestampMs: number | undefined;
  /** The person whom the event itself names, beside a list or in place of one. */
  readonly userId: number | undefined;
  readonly userName: string | undefined;
  readonly participants: readonly PersonFields[];
  /** Contact Center: wire names, strings only. */
  readonly participantInfo: Readonly<Record<string, string>> | undefined;
  /** Not all of the event could be read; `raw` has the rest. */
  readonly isPartial: boolean;
  readonly raw: unknown;
}

/** Message 8. */
export interface StreamStateUpdate {
  readonly msgType: Type['STREAM_STATE_UPDATE'];
  readonly state: number;
  readonly stopReason: number | undefined;
  readonly timestampMs: number | undefined;
  /** The message as Zoom wrote it, when not all of it could be read. */
  readonly raw?: unknown;
}

/** Message 9. */
export interface SessionStateUpdate {
  readonly msgType: Type['SESSION_STATE_UPDATE'];
  /** Undefined: the message is about the only session of the stream. */
  readonly rtmsSessionId: string | undefined;
  readonly state: number;
  readonly stopReason: number | undefined;
  readonly timestampMs: number | undefined;
  readonly isPartial: boolean;
  readonly raw: unknown;
}

/** Message 11. */
export interface SessionStateResp extends Omit<SessionStateUpdate, 'msgType' | 'stopReason'> {
  readonly msgType: Type['SESSION_STATE_RESP'];
}

/** Message 20. */
export interface StreamStateResp {
  readonly msgType: Type['STREAM_STATE_RESP'];
  readonly state: number;
  readonly timestampMs: number | undefined;
  /** The message as Zoom wrote it, when not all of it could be read. */
  readonly raw?: unknown;
}

/** Message 22. */
export interface StreamCloseResp {
  readonly msgType: Type['STREAM_CLOSE_RESP'];
  readonly statusCode: number;
  readonly reason: string;
}

/** Message 29. */
export interface VideoSubscriptionResp {
  readonly msgType: Type['VIDEO_SUBSCRIPTION_RESP'];
  /** Undefined: the message is about the selection that waits for its answer. */
  readonly userId: number | undefined;
  readonly statusCode: number;
  readonly reason: string;
  readonly raw: unknown;
}

export type SignalingMessage =
  | SignalingHandshakeResp
  | DataHandshakeResp
  | EventUpdate
  | StreamStateUpdate
  | SessionStateUpdate
  | SessionStateResp
  | StreamStateResp
  | StreamCloseResp
  | VideoSubscriptionResp;

/** Reads every message of Zoom's but keep-alives and media data. @returns undefined for a message that becomes `other` */
export function decodeSignaling(
  msgType: number,
  message: JsonObject,
): SignalingMessage | undefined {
  // Zoom's documents and samples disagree about the place of a field.
  const content = readObject(message['content']);
  const fields = new Fields(content === undefined ? [message] : [message, content]);
  const status = (absent: number) => ({
    statusCode: statusCode(fields, absent),
    reason: fields.reason('reason', 'message', 'error_message'),
  });
  switch (msgType) {
    case MESSAGE_TYPE.SIGNALING_HAND_SHAKE_RESP: {
      const serverUrls = offeredUrls(message);
      const hasUrls = Object.keys(serverUrls).length > 0;
      return { msgType, ...status(hasUrls ? STATUS_CODE.OK : NO_STATUS), serverUrls };
    }
    case MESSAGE_TYPE.DATA_HAND_SHAKE_RESP:
      return {
        msgType,
        ...status(STATUS_CODE.OK),
        payloadEncrypted: fields.flag('payload_encrypted', 'payload_encryption'),
        mediaParams: fields.read(['media_params'], readObject),
      };
    case MESSAGE_TYPE.EVENT_UPDATE:
      return eventUpdate(message);
    case MESSAGE_TYPE.STREAM_STATE_UPDATE:
    case MESSAGE_TYPE.STREAM_STATE_RESP: {
      const state = fields.named(STREAM_STATE, 'state', 'stream_state');
      if (state === undefined) return undefined;
      const timestampMs = fields.timeMs('timestamp');
      const reason = stopReason(fields);
      const common = { state, timestampMs, ...(fields.isPartial && { raw: message }) };
      if (msgType === MESSAGE_TYPE.STREAM_STATE_RESP) return { msgType, ...common };
      return { msgType, ...common, stopReason: reason };
    }
    case MESSAGE_TYPE.SESSION_STATE_UPDATE:
    case MESSAGE_TYPE.SESSION_STATE_RESP: {
      const state = fields.named(SESSION_STATE, 'state', 'session_state');
      if (state === undefined) return undefined;
      const rtmsSessionId = fields.id('rtms_session_id', 'session_id');
      const timestampMs = fields.timeMs('timestamp');
      const reason = stopReason(fields);
      const { isPartial } = fields;
      const common = { rtmsSessionId, state, timestampMs, isPartial, raw: message };
      if (msgType === MESSAGE_TYPE.SESSION_STATE_RESP) return { msgType, ...common };
      return { msgType, ...common, stopReason: reason };
    }
    case MESSAGE_TYPE.STREAM_CLOSE_RESP:
      return { msgType, ...status(STATUS_CODE.OK) };
    case MESSAGE_TYPE.VIDEO_SUBSCRIPTION_RESP:
      return { msgType, userId: fields.userId('user_id'), ...status(NO_STATUS), raw: message };
    default:
      return undefined;
  }
}

/** An empty text is a reason that is not given, not one that could not be read. */
const UNSET = -1;

/** A status that Zoom does not have, for answers whose status cannot be read: the attempt is repeated a few times. */
const NO_STATUS = -1;

/** Zoom's managers read `status_code`, then `status`. @param absent the status of an answer that has none at all */
function statusCode(fields: Fields, absent: number): number {
  const names = ['status_code', 'status', 'error_code', 'code'];
  const status = fields.read(names, readStatus);
  return status ?? (fields.has(...names) ? NO_STATUS : absent);
}

/** A number, its digits or name, or a word for success. */
function readStatus(value: unknown): number | undefined {
  const isWell =
    value === true || (typeof value === 'string' && /^success(ful)?$/i.test(value.trim()));
  return isWell ? STATUS_CODE.OK : (readInteger(value) ?? numberOf(STATUS_CODE, value));
}

function stopReason(fields: Fields): number | undefined {
  const reason = fields.read(['reason', 'stop_reason'], (value) =>
    value === '' ? UNSET : (readInteger(value) ?? numberOf(STOP_REASON, value)),
  );
  return reason === UNSET ? undefined : reason;
}

const TIME_FIELDS = ['timestamp', 'event_ts'];
const TYPE_FIELDS = ['event_type'];

/** The fields are read from `event`, and from the message itself when there is no such object. */
function eventUpdate(message: JsonObject): EventUpdate {
  const event = readObject(message['event']);
  const fields = new Fields(event === undefined ? [message] : [event, message]);
  if (event === undefined && message['event'] !== undefined) fields.noteUnread();
  const eventType = fields.integer(...TYPE_FIELDS);
  const eventName = eventType === undefined ? fields.read(TYPE_FIELDS, readText) : undefined;
  const self = personOf(fields, ['user_name']);
  return {
    msgType: MESSAGE_TYPE.EVENT_UPDATE,
    eventType,
    eventName: eventName?.slice(0, 100),
    timestampMs: fields.timeMs(...TIME_FIELDS),
    userId: self?.userId,
    userName: self?.userName,
    participants:
      fields.items(['participants', 'participant'], (value) => readPerson(value, fields)) ?? [],
    participantInfo: participantInfo(fields),
    isPartial: fields.isPartial,
    raw: event ?? message,
  };
}

/** Limit for the number of fields and for the length of a field's name. Zoom's messages have far fewer and shorter ones. */
const MAX_INFO_FIELDS = 64;

function participantInfo(fields: Fields): Readonly<Record<string, string>> | undefined {
  const object = fields.read(['participant_info', 'paticipant_info'], readObject);
  if (object === undefined) return undefined;
  const info = fields.of(object);
  const texts: [string, string][] = [];
  for (const name of Object.keys(object)) {
    const text = info.name(name);
    if (text === undefined) continue;
    if (texts.length < MAX_INFO_FIELDS && name.length <= MAX_INFO_FIELDS) texts.push([name, text]);
    else info.noteUnread();
  }
  return Object.fromEntries(texts);
}
