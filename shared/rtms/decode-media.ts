import { MESSAGE_TYPE } from './constants.ts';
import {
  isObject,
  type JsonObject,
  malformed,
  optionalInteger,
  optionalString,
  optionalTimeMs,
  optionalUserId,
} from './fields.ts';

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

/** Message 17, times in Unix ms whatever unit Zoom used. */
export interface TranscriptMessage {
  readonly msgType: Type['MEDIA_DATA_TRANSCRIPT'];
  readonly text: string;
  readonly userId: number | undefined;
  readonly channelId: string | undefined;
  readonly userName: string | undefined;
  readonly startMs: number | undefined;
  readonly endMs: number | undefined;
  readonly timestampMs: number | undefined;
  /** TRANSCRIPT_LANGUAGE. */
  readonly language: number | undefined;
  /** DATA_MESSAGE_ATTRIBUTE. */
  readonly attribute: number | undefined;
}

export interface ChatPerson {
  readonly userId: number;
  readonly userName: string | undefined;
}

export interface ChatFile {
  readonly fileId: string;
  readonly fileName: string;
  readonly fileSize: number;
}

/** Message 18, from either place Zoom puts its fields. */
export interface ChatDataMessage {
  readonly msgType: Type['MEDIA_DATA_CHAT'];
  readonly text: string;
  readonly timestampMs: number | undefined;
  readonly messageId: string | undefined;
  readonly parentMessageId: string | undefined;
  /** CHAT_OPERATION. */
  readonly operation: number | undefined;
  readonly chatSession: { readonly type: number; readonly id: string } | undefined;
  readonly sender: ChatPerson | undefined;
  readonly receiver: ChatPerson | undefined;
  readonly files: readonly ChatFile[] | undefined;
  readonly deletedFileIds: readonly string[] | undefined;
}

/**
 * The cheap path: a frame arrives up to 50 times a second and speaker.
 *
 * Besides the documented form it takes content as a bare base64 string (Zoom's agent-skill documents) and a
 * `data:` prefix (a Zoom sample strips one).
 *
 * @throws ServiceError `rtms/malformed-message`, also when `length` shows that the payload is cut
 */
export function decodeFrame(msgType: FrameType, content: unknown): FrameMessage {
  if (typeof content === 'string') {
    return {
      msgType,
      userId: undefined,
      channelId: undefined,
      userName: undefined,
      timestampMs: undefined,
      payload: decodeBase64(msgType, content, undefined, {}),
    };
  }
  if (!isObject(content)) throw malformed(msgType, 'content');
  const userId = optionalUserId(msgType, content['user_id']);
  const channelId = optionalString(content['channel_id']);
  const { data, length } = content as { [key: string]: unknown };
  if (typeof data !== 'string') throw malformed(msgType, 'data', { userId, channelId });
  return {
    msgType,
    userId,
    channelId,
    userName: optionalString(content['user_name']),
    timestampMs: optionalTimeMs(content['timestamp']),
    payload: decodeBase64(msgType, data, length, { userId, channelId }),
  };
}

function decodeBase64(
  msgType: number,
  data: string,
  length: unknown,
  from: { userId?: number | undefined; channelId?: string | undefined },
): Buffer {
  const start = data.startsWith('data:') ? data.indexOf(',') + 1 : 0;
  const payload = Buffer.from(start === 0 ? data : data.slice(start), 'base64');
  const expected = typeof length === 'number' ? length : base64Size(data, start);
  if (payload.length !== expected) throw malformed(msgType, 'data', from);
  return payload;
}

/** Node decodes what it can and skips the rest, so the size is what tells a damaged text. */
function base64Size(data: string, start: number): number {
  let end = data.length;
  while (end > start && data.charCodeAt(end - 1) === 0x3d) end--;
  return Math.floor(((end - start) * 3) / 4);
}

/** @throws ServiceError `rtms/malformed-message` */
export function decodeTranscript(content: unknown): TranscriptMessage {
  const msgType = MESSAGE_TYPE.MEDIA_DATA_TRANSCRIPT;
  if (!isObject(content)) throw malformed(msgType, 'content');
  const text = content['data'];
  if (typeof text !== 'string') throw malformed(msgType, 'data');
  return {
    msgType,
    text,
    userId: optionalUserId(msgType, content['user_id']),
    channelId: optionalString(content['channel_id']),
    userName: optionalString(content['user_name']),
    startMs: optionalTimeMs(content['start_time']),
    endMs: optionalTimeMs(content['end_time']),
    timestampMs: optionalTimeMs(content['timestamp']),
    language: optionalInteger(content['language']),
    attribute: optionalInteger(content['attribute']),
  };
}

/** @throws ServiceError `rtms/malformed-message` */
export function decodeChat(content: unknown): ChatDataMessage {
  const msgType = MESSAGE_TYPE.MEDIA_DATA_CHAT;
  if (!isObject(content)) throw malformed(msgType, 'content');
  const fields = nestedChat(content) ?? content;
  const text = fields['data'] ?? '';
  if (typeof text !== 'string') throw malformed(msgType, 'data');
  return {
    msgType,
    text,
    timestampMs: optionalTimeMs(fields['timestamp']),
    messageId: optionalString(fields['message_id']),
    parentMessageId: optionalString(fields['parent_message_id']),
    operation: optionalInteger(fields['operation_type']),
    chatSession: chatSession(fields['chat_session']),
    sender: person(fields['sender']) ?? person(content),
    receiver: person(fields['receiver']),
    files: list(fields['files'], chatFile),
    deletedFileIds: list(fields['delete_file_id_list'], optionalString),
  };
}

/** The variant whose `data` is a JSON string of all fields; a user may also type braces. */
function nestedChat(content: JsonObject): JsonObject | undefined {
  const data = content['data'];
  if (typeof data !== 'string' || !data.startsWith('{')) return undefined;
  let inner: unknown;
  try {
    inner = JSON.parse(data);
  } catch {
    return undefined;
  }
  if (!isObject(inner) || !('operation_type' in inner || 'message_id' in inner)) return undefined;
  return { ...content, data: '', ...inner };
}

function person(value: unknown): ChatPerson | undefined {
  if (!isObject(value)) return undefined;
  const userId = optionalUserId(MESSAGE_TYPE.MEDIA_DATA_CHAT, value['user_id']);
  if (userId === undefined) return undefined;
  return { userId, userName: optionalString(value['user_name']) };
}

function chatSession(value: unknown): { type: number; id: string } | undefined {
  const type = isObject(value) ? optionalInteger(value['type']) : undefined;
  if (!isObject(value) || type === undefined) return undefined;
  return { type, id: optionalString(value['id']) ?? '' };
}

function chatFile(value: unknown): ChatFile | undefined {
  const fileId = isObject(value) ? optionalString(value['file_id']) : undefined;
  if (!isObject(value) || fileId === undefined) return undefined;
  return {
    fileId,
    fileName: optionalString(value['file_name']) ?? '',
    fileSize: optionalInteger(value['file_size']) ?? 0,
  };
}

function list<Item>(value: unknown, read: (item: unknown) => Item | undefined): Item[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.map(read).filter((item) => item !== undefined);
}
