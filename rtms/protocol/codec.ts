import { INPUT_LIMITS } from '../../shared/input-limits.ts';
import type { ClientMessageWire } from './client-messages.ts';
import { MESSAGE_TYPE } from './constants.ts';
import { decodeFrame, type FrameMessage } from './decode-media.ts';
import { decodeSignaling, type SignalingMessage } from './decode-signaling.ts';
import {
  type ChatDataMessage,
  decodeChat,
  decodeTranscript,
  type TranscriptMessage,
} from './decode-text.ts';
import { Fields, readObject } from './fields.ts';
import { type MediaSource, type MediaType, mediaSource, mediaTypeOfMessage } from './media-type.ts';
import {
  isObject,
  type JsonObject,
  malformed,
  type ParsedMessage,
  parseMessage,
} from './parse-message.ts';
import { scanFrame } from './scan-frame.ts';

/** Message 12. */
export interface KeepAlive {
  readonly msgType: (typeof MESSAGE_TYPE)['KEEP_ALIVE_REQ'];
  /** The timestamp as Zoom's JSON text, since an int64 may not fit a number; undefined when Zoom wrote none. */
  readonly timestampJson: string | undefined;
}

/**
 * JSON that this version does not read: a `msg_type` that it does not know, one that Zoom reserves (23-27), one that
 * only a client sends, a known one without its essential field, or JSON that is no message at all.
 */
export interface OtherMessage {
  readonly msgType: 'other';
  readonly number: number | undefined;
  /** The JSON as received, without what must not be stored: our signature, and keys of encrypted transports. */
  readonly raw: unknown;
}

/** One decoded message, told apart by `msgType`. */
export type RtmsMessage =
  | SignalingMessage
  | KeepAlive
  | FrameMessage
  | TranscriptMessage
  | ChatDataMessage
  | OtherMessage;

/** The media type of a data message (14 to 18); undefined for every other message. */
export function dataTypeOf({ msgType }: RtmsMessage): MediaType | undefined {
  return typeof msgType === 'number' ? mediaTypeOfMessage(msgType) : undefined;
}

/** Whom a message names as its source; neither where it names nobody. */
export function mediaSourceOf(message: RtmsMessage): MediaSource {
  return mediaSource({
    userId: 'userId' in message ? message.userId : undefined,
    channelId: 'channelId' in message ? message.channelId : undefined,
  });
}

/** The text of a message to Zoom, with `msg_type` first. */
export function encodeMessage(message: ClientMessageWire): string {
  return JSON.stringify(message);
}

/**
 * The answer to a keep-alive, with its timestamp digit for digit.
 *
 * @param timestampJson the timestamp as JSON text; undefined: the request had none
 */
export function encodeKeepAliveResp(timestampJson: string | undefined): string {
  const msgType = MESSAGE_TYPE.KEEP_ALIVE_RESP;
  return timestampJson === undefined
    ? `{"msg_type":${msgType}}`
    : `{"msg_type":${msgType},"timestamp":${timestampJson}}`;
}

/**
 * Reads one WebSocket message. Zoom sends JSON in text and in binary messages alike.
 *
 * Every JSON becomes a message; if it is not understood, an `OtherMessage`. A message for which this throws is lost, and
 * the client reports a gap.
 *
 * @param data the message; bytes are taken as UTF-8
 * @param lendPayload the payload of a media frame is only valid until the next call
 * @throws ServiceError `rtms/malformed-message`: not JSON, larger or deeper than INPUT_LIMITS allow, or a frame
 *   without its payload; `detail` names `msgType`, `field` and the source of a media frame, where they are known
 */
export function decodeMessage(data: Buffer | string, lendPayload = false): RtmsMessage {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  const frame = scanFrame(bytes, lendPayload);
  if (frame !== undefined) return frame;
  const parsed = parseMessage(bytes);
  const message = readObject(parsed.value);
  const msgType = message && new Fields([message]).integer('msg_type');
  const decoded = message && msgType !== undefined ? decode(msgType, message, parsed) : undefined;
  return decoded ?? { msgType: 'other', number: msgType, raw: withoutSecrets(parsed.value) };
}

/** @returns undefined for a message that becomes `other` */
function decode(
  msgType: number,
  message: JsonObject,
  { json, long }: ParsedMessage,
): RtmsMessage | undefined {
  switch (msgType) {
    case MESSAGE_TYPE.MEDIA_DATA_AUDIO:
    case MESSAGE_TYPE.MEDIA_DATA_VIDEO:
    case MESSAGE_TYPE.MEDIA_DATA_SHARE:
      return decodeFrame(msgType, message, long);
    default:
      // Only a payload may be longer than the limit for messages.
      if (long !== undefined && long.size > 0) throw malformed(msgType, 'size');
  }
  switch (msgType) {
    case MESSAGE_TYPE.MEDIA_DATA_TRANSCRIPT:
      return decodeTranscript(message);
    case MESSAGE_TYPE.MEDIA_DATA_CHAT:
      return decodeChat(message);
    case MESSAGE_TYPE.KEEP_ALIVE_REQ:
      return { msgType, timestampJson: timestampJson(message, json) };
    default:
      return decodeSignaling(msgType, message);
  }
}

/** The `timestamp` as it was written; undefined if it is neither text nor number, or too long. */
function timestampJson({ timestamp }: JsonObject, json: string): string | undefined {
  if (typeof timestamp !== 'string' && typeof timestamp !== 'number') return undefined;
  // A number that a double cannot hold was parsed as the text of its digits, but must be echoed without quotes.
  const written = [...json.matchAll(/"timestamp"\s*:\s*(-?\d+)/g)].map(([, digits]) => digits);
  const isNumber = written.includes(String(timestamp));
  if (String(timestamp).length > INPUT_LIMITS.keepAliveStampChars) return undefined;
  return isNumber ? String(timestamp) : JSON.stringify(timestamp);
}

const SECRET_FIELDS = ['signature', 'srtp_keys', 'srt_passphrase'];

function withoutSecrets(value: unknown): unknown {
  const message = readObject(value);
  if (message === undefined) return value;
  const copy: Record<string, unknown> = { ...message };
  for (const field of SECRET_FIELDS) delete copy[field];
  if (isObject(copy['media_server'])) copy['media_server'] = withoutSecrets(copy['media_server']);
  return copy;
}
