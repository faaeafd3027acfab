import { INPUT_LIMITS } from '../../shared/input-limits.ts';
import {
  CHAT_OPERATION,
  CHAT_SESSION_TYPE,
  DATA_MESSAGE_ATTRIBUTE,
  MESSAGE_TYPE,
  TRANSCRIPT_LANGUAGE,
} from './constants.ts';
import { Fields, numberOf, readId, readInteger, readObject, readSentTime } from './fields.ts';
import type { JsonObject } from './parse-message.ts';

type Type = typeof MESSAGE_TYPE;

/** Message 17. Times are in Unix ms, converted from the unit that Zoom used. */
export interface TranscriptMessage {
  readonly msgType: Type['MEDIA_DATA_TRANSCRIPT'];
  readonly text: string;
  readonly userId: number | undefined;
  readonly channelId: string | undefined;
  readonly userName: string | undefined;
  readonly startMs: number | undefined;
  readonly endMs: number | undefined;
  readonly timestampMs: number | undefined;
  /** `timestamp` in Zoom's own unit, mostly microseconds. Not enumerable, so that a copy of the line has one time only. */
  readonly sentTimestamp?: number | undefined;
  /** TRANSCRIPT_LANGUAGE. */
  readonly language: number | undefined;
  /** DATA_MESSAGE_ATTRIBUTE. */
  readonly attribute: number | undefined;
  /** The message as Zoom wrote it, when not all of it could be read. */
  readonly raw?: unknown;
}

/** A person as far as Zoom names one: by an id, a name, or both. */
export interface PersonFields {
  readonly userId: number | undefined;
  readonly userName: string | undefined;
}

/** A file of a chat message; `fileSize` in bytes. The file itself is not sent. */
export interface ChatFile {
  readonly fileId: string;
  readonly fileName: string;
  readonly fileSize: number;
}

/** The fields of a chat message that records and the client's events show alike; operation and people differ there. */
export interface ChatFields {
  readonly messageId?: string;
  readonly parentMessageId?: string;
  readonly text: string;
  readonly chatSession?: { readonly type: number; readonly id: string };
  readonly files?: readonly ChatFile[];
  readonly deletedFileIds?: readonly string[];
  /** Unix ms. */
  readonly timestampMs: number;
}

/** Message 18, read from whichever place Zoom puts its fields in. */
export interface ChatDataMessage {
  readonly msgType: Type['MEDIA_DATA_CHAT'];
  readonly text: string;
  readonly timestampMs: number | undefined;
  readonly messageId: string | undefined;
  readonly parentMessageId: string | undefined;
  /** CHAT_OPERATION. */
  readonly operation: number | undefined;
  readonly chatSession: { readonly type: number; readonly id: string } | undefined;
  readonly sender: PersonFields | undefined;
  readonly receiver: PersonFields | undefined;
  readonly files: readonly ChatFile[] | undefined;
  readonly deletedFileIds: readonly string[] | undefined;
  /** The message as Zoom wrote it, when not all of it could be read. */
  readonly raw?: unknown;
}

/** Fields that Zoom puts the text in; `text` is in its agent-skill documents. */
const TEXT_FIELDS = ['data', 'text'];

const WITH_TEXT: ReadonlySet<number> = new Set([CHAT_OPERATION.NEW, CHAT_OPERATION.UPDATE]);

/** @returns undefined when there is no text that can be read */
export function decodeTranscript(message: JsonObject): TranscriptMessage | undefined {
  const { content } = message;
  const inner = readObject(content);
  const isNested = inner !== undefined && (typeof content !== 'string' || hasText(inner));
  const fields = new Fields(isNested ? [inner, message] : [message]);
  const text = isNested || content == null ? fields.text(...TEXT_FIELDS) : textOf(content);
  if (text === undefined) return undefined;
  const language = fields.read(
    ['language'],
    (value) => readInteger(value, undefined, TRANSCRIPT_LANGUAGE.NONE) ?? languageOf(value),
  );
  const decoded: TranscriptMessage = {
    msgType: MESSAGE_TYPE.MEDIA_DATA_TRANSCRIPT,
    text,
    userId: fields.userId('user_id'),
    channelId: fields.id('channel_id'),
    userName: fields.name('user_name'),
    startMs: fields.timeMs('start_time'),
    endMs: fields.timeMs('end_time'),
    timestampMs: fields.timeMs('timestamp'),
    language,
    attribute: fields.named(DATA_MESSAGE_ATTRIBUTE, 'attribute'),
    ...(fields.isPartial && { raw: message }),
  };
  const sentTimestamp = fields.read(['timestamp'], readSentTime);
  return Object.defineProperty(decoded, 'sentTimestamp', { value: sentTimestamp });
}

/**
 * Reads a chat message. Its fields are in `content`, or in `content.data` as JSON text or as an object; older chat is
 * hardly more than a text.
 *
 * @returns undefined when there are neither fields nor text
 */
export function decodeChat(message: JsonObject): ChatDataMessage | undefined {
  const { content } = message;
  const isFlat = content == null && hasText(message);
  const outer = isFlat ? message : typeof content === 'string' ? undefined : readObject(content);
  const bare = textOf(content);
  if (outer === undefined && bare === undefined) return undefined;
  const inner = outer && nestedChat(outer);
  const layers = [inner, outer, message].filter((layer) => layer !== undefined);
  const fields = new Fields(layers);
  const own = inner ?? outer;
  const text = own === undefined ? bare : fields.of(own).text(...TEXT_FIELDS);
  const operation = fields.named(CHAT_OPERATION, 'operation_type', 'operation');
  // An emoji has no text. Any other message has one, so if none was found, it is in an unknown place.
  if (text === undefined && (operation === undefined || WITH_TEXT.has(operation))) {
    fields.noteUnread();
  }
  return {
    msgType: MESSAGE_TYPE.MEDIA_DATA_CHAT,
    text: text ?? '',
    timestampMs: fields.timeMs('timestamp'),
    messageId: fields.id('message_id'),
    parentMessageId: fields.id('parent_message_id'),
    operation,
    chatSession: chatSession(fields),
    sender:
      fields.read(['sender'], (value) => readPerson(value, fields)) ??
      personOf(fields, ['user_name']),
    receiver: fields.read(['receiver'], (value) => readPerson(value, fields)),
    files: fields.items(['files'], (value) => chatFile(value, fields)),
    deletedFileIds: fields.items(['delete_file_id_list'], (value) => readId(value)),
    ...(fields.isPartial && { raw: message }),
  };
}

function nestedChat(content: JsonObject): JsonObject | undefined {
  const { data } = content;
  const inner = readObject(data);
  return inner !== undefined && (typeof data !== 'string' || isChat(inner)) ? inner : undefined;
}

/** Whether JSON in a chat text is Zoom's: a user may type JSON too, so Zoom's own fields have to be there. */
function isChat(inner: JsonObject): boolean {
  const fields = new Fields([inner]);
  if (fields.has('message_id', 'operation_type')) return true;
  return (
    hasText(inner) && fields.has('sender', 'user_id', 'user_name', 'chat_session', 'timestamp')
  );
}

function hasText(object: JsonObject): boolean {
  return TEXT_FIELDS.some((name) => typeof object[name] === 'string');
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

function languageOf(value: unknown): number | undefined {
  return numberOf(TRANSCRIPT_LANGUAGE, value);
}

const NAME_FIELDS = ['user_name', 'name', 'display_name'];

/** One person from an object, an id or a name. @returns undefined when nobody is named */
export function readPerson(value: unknown, notes: Fields): PersonFields | undefined {
  const object = readObject(value);
  if (object !== undefined) {
    return personOf(notes.of(object), NAME_FIELDS, ['user_id', 'participant_id', 'id']);
  }
  const userId = readInteger(value, INPUT_LIMITS.userIdMax);
  if (userId !== undefined) return { userId, userName: undefined };
  const userName = typeof value === 'string' ? notes.of({ value }).name('value') : undefined;
  return userName === undefined ? undefined : { userId: undefined, userName };
}

/** The person whom these fields name. @returns undefined when nobody is named */
export function personOf(
  fields: Fields,
  nameFields: readonly string[],
  idFields: readonly string[] = ['user_id'],
): PersonFields | undefined {
  const userId = fields.userId(...idFields);
  const userName = fields.name(...nameFields);
  return userId === undefined && userName === undefined ? undefined : { userId, userName };
}

function chatSession(fields: Fields): { type: number; id: string } | undefined {
  const session = fields.child('chat_session');
  const type = session?.named(CHAT_SESSION_TYPE, 'type');
  return type === undefined ? undefined : { type, id: session?.id('id') ?? '' };
}

function chatFile(value: unknown, notes: Fields): ChatFile | undefined {
  const object = readObject(value);
  if (object === undefined) return undefined;
  const file = notes.of(object);
  const fileId = file.id('file_id');
  if (fileId === undefined) return undefined;
  const fileSize = file.read(['file_size'], (size) => readInteger(size, Number.MAX_SAFE_INTEGER));
  return { fileId, fileName: file.name('file_name') ?? '', fileSize: fileSize ?? 0 };
}
