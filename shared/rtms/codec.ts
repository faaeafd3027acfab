import { ServiceError } from '../errors.ts';
import { MESSAGE_TYPE } from './constants.ts';
import {
  type ChatDataMessage,
  decodeChat,
  decodeFrame,
  decodeTranscript,
  type FrameMessage,
  type TranscriptMessage,
} from './decode-media.ts';
import { decodeSignaling, type SignalingMessage } from './decode-signaling.ts';
import { isObject, type JsonObject, malformed, passThrough } from './fields.ts';
import type { MessageWire } from './messages.ts';
import { scanFrame } from './scan-frame.ts';

/** Messages 12 and 13. */
export interface KeepAlive {
  readonly msgType:
    | (typeof MESSAGE_TYPE)['KEEP_ALIVE_REQ']
    | (typeof MESSAGE_TYPE)['KEEP_ALIVE_RESP'];
  /** The timestamp as the JSON text Zoom wrote: an int64 may not fit a number. */
  readonly timestampJson: string;
}

/** A `msg_type` this version does not know, or one Zoom reserves without saying what is in it (23-27). */
export interface OtherMessage {
  readonly msgType: 'other';
  readonly number: number;
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

/** The answer to a keep-alive, digit for digit. */
export function encodeKeepAliveResp(timestampJson: string): string {
  return keepAliveText(MESSAGE_TYPE.KEEP_ALIVE_RESP, timestampJson);
}

function keepAliveText(msgType: number, timestampJson: string): string {
  return `{"msg_type":${msgType},"timestamp":${timestampJson}}`;
}

/**
 * Reads one WebSocket message. Zoom sends JSON in text and in binary messages alike.
 *
 * @param data the message; bytes are taken as UTF-8
 * @param lendPayload the payload of a media frame is only valid until the next call
 * @throws ServiceError `rtms/malformed-message`: not JSON, no `msg_type`, or a known message with bad
 *   content; `detail` names `msgType` and `field` and the source of a media frame, where they are known
 */
export function decodeMessage(data: Buffer | string, lendPayload = false): RtmsMessage {
  const frame = typeof data === 'string' ? undefined : scanFrame(data, lendPayload);
  if (frame !== undefined) return frame;
  const text = typeof data === 'string' ? data : data.toString('utf8');
  const message = parseJson(text);
  const msgType = message['msg_type'];
  switch (msgType) {
    case MESSAGE_TYPE.MEDIA_DATA_AUDIO:
    case MESSAGE_TYPE.MEDIA_DATA_VIDEO:
    case MESSAGE_TYPE.MEDIA_DATA_SHARE:
      return decodeFrame(msgType, message['content']);
    case MESSAGE_TYPE.MEDIA_DATA_TRANSCRIPT:
      return decodeTranscript(message['content']);
    case MESSAGE_TYPE.MEDIA_DATA_CHAT:
      return decodeChat(message['content']);
    case MESSAGE_TYPE.KEEP_ALIVE_REQ:
    case MESSAGE_TYPE.KEEP_ALIVE_RESP:
      return { msgType, timestampJson: timestampJson(msgType, message, text) };
    default:
      break;
  }
  if (typeof msgType !== 'number' || !Number.isInteger(msgType)) {
    throw new ServiceError('rtms/malformed-message', 'message without msg_type', {
      detail: { field: 'msg_type' },
    });
  }
  const signaling = decodeSignaling(msgType, message);
  return signaling ?? { msgType: 'other', number: msgType, raw: passThrough(msgType, message) };
}

/** The parser's own message quotes the text, so it is not kept as the cause. */
function parseJson(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ServiceError('rtms/malformed-message', 'message is not JSON', {
      detail: { field: 'json', sizeChars: text.length },
    });
  }
  if (isObject(value)) return value;
  throw new ServiceError('rtms/malformed-message', 'message is not a JSON object', {
    detail: { field: 'json', sizeChars: text.length },
  });
}

/** Finds the digits that were parsed as `timestamp`, among all keys of that name. */
function timestampJson(msgType: number, message: JsonObject, text: string): string {
  const { timestamp } = message as { timestamp?: unknown };
  if (typeof timestamp === 'string') return JSON.stringify(timestamp);
  if (typeof timestamp !== 'number') throw malformed(msgType, 'timestamp');
  for (const [, digits] of text.matchAll(/"timestamp"\s*:\s*(-?\d+)/g)) {
    if (digits !== undefined && Number(digits) === timestamp) return digits;
  }
  return JSON.stringify(timestamp);
}
