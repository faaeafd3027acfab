import { INPUT_LIMITS } from '../../shared/input-limits.ts';
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
import type { MessageWire } from './messages.ts';
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
  /** The timestamp as the JSON text Zoom wrote (an int64 may not fit a number); absent when it wrote none. */
  readonly timestampJson: string | undefined;
}

/**
 * Everything that is JSON and nothing this version reads: a `msg_type` it does not know, one Zoom reserves
 * (23-27), one that only a client sends, a known one without what it is about, or no message at all.
 */
export interface OtherMessage {
  readonly msgType: 'other';
  readonly number: number | undefined;
  /** As received, without what nobody may store: our signature, and keys of encrypted transports. */
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

/** The text of a message; bigints keep all their digits. */
export function encodeMessage(message: MessageWire): string {
  if (message.msg_type === MESSAGE_TYPE.KEEP_ALIVE_REQ) {
    return keepAliveText(message.msg_type, String(message.timestamp));
  }
  if (message.msg_type === MESSAGE_TYPE.KEEP_ALIVE_RESP) {
    return encodeKeepAliveResp(String(message.timestamp));
  }
  return JSON.stringify(message);
}

/** The answer to a keep-alive, digit for digit; without a timestamp where the request had none. */
export function encodeKeepAliveResp(timestampJson: string | undefined): string {
  if (timestampJson === undefined) return `{"msg_type":${MESSAGE_TYPE.KEEP_ALIVE_RESP}}`;
  return keepAliveText(MESSAGE_TYPE.KEEP_ALIVE_RESP, timestampJson);
}

function keepAliveText(msgType: number, timestampJson: string): string {
  return `{"msg_type":${msgType},"timestamp":${timestampJson}}`;
}

/**
 * Reads one WebSocket message. Zoom sends JSON in text and in binary messages alike.
 *
 * Every JSON becomes a message: what is not understood is `other`. What may be thrown costs a gap.
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

/** @returns undefined: pass it on as `other` */
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
      // Only a payload may be that long.
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

/** The digits that were parsed as `timestamp`, among all keys of that name; an odd or long one is left out. */
function timestampJson({ timestamp }: JsonObject, json: string): string | undefined {
  if (typeof timestamp !== 'string' && typeof timestamp !== 'number') return undefined;
  // A number that a double cannot hold was parsed as its digits, but came without quotes.
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
