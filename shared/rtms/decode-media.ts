import type { MESSAGE_TYPE } from './constants.ts';
import { Fields, readObject } from './fields.ts';
import { malformed } from './malformed.ts';
import type { JsonObject, ParsedMessage } from './parse-message.ts';

type Type = typeof MESSAGE_TYPE;
type FrameType = Type['MEDIA_DATA_AUDIO'] | Type['MEDIA_DATA_VIDEO'] | Type['MEDIA_DATA_SHARE'];

/** Messages 14 to 16: one payload, base64 removed. */
export interface FrameMessage {
  readonly msgType: FrameType;
  readonly userId: number | undefined;
  readonly channelId: string | undefined;
  readonly userName: string | undefined;
  /** Capture time, Unix ms whatever unit Zoom used. */
  readonly timestampMs: number | undefined;
  readonly payload: Buffer;
}

/**
 * A media message from its parsed JSON. What is plain never comes here: see `scanFrame`.
 *
 * Besides the documented form it takes content as a bare base64 text (Zoom's agent-skill documents) or not at
 * all, fields beside the content, a `data:` prefix (a Zoom sample strips one) and white space in base64. Of an
 * id, a name or a time that cannot be read, the frame goes without.
 *
 * @throws ServiceError `rtms/malformed-message` without a payload, and when the payload is not whole: a gap
 */
export function decodeFrame(
  msgType: FrameType,
  message: JsonObject,
  long?: ParsedMessage['long'],
): FrameMessage {
  const content = onlyOf(message['content']);
  const inner = readObject(content);
  const fields = new Fields(inner === undefined ? [message] : [inner, message]);
  const userId = fields.userId('user_id');
  const channelId = fields.id('channel_id');
  const isBare = inner === undefined && content != null;
  const given = isBare ? content : onlyOf(inner?.['data'] ?? message['data']);
  const data = long !== undefined && given === long.note ? unescaped(long.text) : given;
  const payload =
    typeof data === 'string' ? decodeBase64(data, fields.integer('length')) : undefined;
  if (payload === undefined) {
    const field = inner === undefined ? 'content' : 'data';
    throw malformed(msgType, field, { userId, channelId });
  }
  return {
    msgType,
    userId,
    channelId,
    userName: fields.name('user_name'),
    timestampMs: fields.timeMs('timestamp'),
    payload,
  };
}

/** A list of one stands for that one. */
function onlyOf(value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? value[0] : value;
}

function unescaped(text: string): string {
  if (!text.includes('\\')) return text;
  try {
    return String(JSON.parse(`"${text}"`));
  } catch {
    return text;
  }
}

/** @returns undefined when it is not base64, or not all that `length` promises */
function decodeBase64(data: string, length: number | undefined): Buffer | undefined {
  const start = data.startsWith('data:') ? data.indexOf(',') + 1 : 0;
  const text = start === 0 ? data : data.slice(start);
  const payload = Buffer.from(text, 'base64');
  if (payload.length === (length ?? base64Size(text))) return payload;
  const isSpaced = /\s/.test(text);
  return isSpaced ? decodeBase64(text.replaceAll(/\s+/g, ''), length) : undefined;
}

/** Node decodes what it can and skips the rest, so the size is what tells a damaged text. */
function base64Size(text: string): number {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 0x3d) end--;
  return Math.floor((end * 3) / 4);
}
