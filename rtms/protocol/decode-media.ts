import { cutText, INPUT_LIMITS } from '../../shared/input-limits.ts';
import type { MESSAGE_TYPE } from './constants.ts';
import { Fields, readObject } from './fields.ts';
import { type JsonObject, type LongTexts, malformed } from './parse-message.ts';

type Type = typeof MESSAGE_TYPE;
type FrameType = Type['MEDIA_DATA_AUDIO'] | Type['MEDIA_DATA_VIDEO'] | Type['MEDIA_DATA_SHARE'];

/** Messages 14 to 16: one payload, decoded from base64. */
export interface FrameMessage {
  readonly msgType: FrameType;
  readonly userId: number | undefined;
  readonly channelId: string | undefined;
  readonly userName: string | undefined;
  /** Capture time in Unix ms, converted from the unit that Zoom used. */
  readonly timestampMs: number | undefined;
  readonly payload: Buffer;
}

/**
 * A media message from its parsed JSON, in any form that `scanFrame` does not read.
 *
 * Besides the documented form this reads: content that is a bare base64 text (Zoom's agent-skill documents) or is
 * missing, fields beside the content, a `data:` prefix (a Zoom sample strips one), and white space in base64. A frame
 * goes on without an id, a name or a time that cannot be read.
 *
 * @param long texts that were set aside before parsing
 * @throws ServiceError `rtms/malformed-message` when the payload is missing or not whole
 */
export function decodeFrame(
  msgType: FrameType,
  message: JsonObject,
  long?: LongTexts,
): FrameMessage {
  const content = onlyOf(whole(message['content'], long));
  const inner = readObject(content);
  const fields = new Fields(inner === undefined ? [message] : [inner, message]);
  const userId = fields.userId('user_id');
  const channelId = fields.id('channel_id');
  const userName = fields.name('user_name');
  const isBare = inner === undefined && content != null;
  const data = isBare ? content : whole(onlyOf(inner?.['data'] ?? message['data']), long);
  const payload = payloadOf(data, fields.integer('length'));
  if (payload === undefined) {
    const field = inner === undefined ? 'content' : 'data';
    throw malformed(msgType, field, { userId, channelId });
  }
  return {
    msgType,
    userId,
    // The note that stands for a text which was set aside is no id.
    channelId: channelId !== undefined && long?.has(channelId) ? undefined : channelId,
    userName: userName === undefined ? undefined : beginning(userName, long),
    timestampMs: fields.timeMs('timestamp'),
    payload,
  };
}

/** A list of one element is read as that element. */
function onlyOf(value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? value[0] : value;
}

/** The text for which a note stands, or the value itself. */
function whole(value: unknown, long: LongTexts | undefined): unknown {
  const bytes = typeof value === 'string' ? long?.get(value) : undefined;
  if (bytes === undefined) return value;
  const text = bytes.toString('latin1');
  if (!text.includes('\\')) return text;
  try {
    return JSON.parse(`"${text}"`);
  } catch {
    return text;
  }
}

/** A long name that was set aside is cut as any other. One with escapes is left out. */
function beginning(name: string, long: LongTexts | undefined): string | undefined {
  const bytes = long?.get(name);
  if (bytes === undefined) return name;
  const text = bytes.toString('utf8', 0, 2 * INPUT_LIMITS.nameBytes);
  return text.includes('\\') ? undefined : cutText(text, INPUT_LIMITS.nameBytes);
}

/** From base64, or from the JSON form of a Node Buffer. @param length 0 means "not set" */
function payloadOf(data: unknown, length: number | undefined): Buffer | undefined {
  if (typeof data === 'string') return decodeBase64(data, length || undefined);
  const bytes = readObject(data)?.['data'] ?? data;
  if (!Array.isArray(bytes) || bytes.length === 0 || !bytes.every(isByte)) return undefined;
  const payload = Buffer.from(bytes);
  return (length || payload.length) === payload.length ? payload : undefined;
}

function isByte(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 255;
}

/** @returns undefined when the text is not base64, or the payload has not the size of `length` */
function decodeBase64(data: string, length: number | undefined): Buffer | undefined {
  const start = data.startsWith('data:') ? data.indexOf(',') + 1 : 0;
  const text = start === 0 ? data : data.slice(start);
  const payload = Buffer.from(text, 'base64');
  if (payload.length === (length ?? base64Size(text))) return payload;
  const isSpaced = /\s/.test(text);
  return isSpaced ? decodeBase64(text.replaceAll(/\s+/g, ''), length) : undefined;
}

/** The size that intact base64 decodes to. Node skips damaged characters, so a damaged text has a smaller result. */
function base64Size(text: string): number {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 0x3d) end--;
  return Math.floor((end * 3) / 4);
}
