import { ServiceError } from '../../shared/errors.ts';
import { INPUT_LIMITS } from '../../shared/input-limits.ts';
import { mediaSource, mediaTypeOfMessage, type PartialMediaSource } from './media-type.ts';

/** A parsed JSON object of unknown shape. */
export type JsonObject = { readonly [key: string]: unknown };

/** Whether a parsed value is a JSON object: no list, and not null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** One message as parsed JSON; its fields are not read yet. */
export interface ParsedMessage {
  readonly value: unknown;
  /** The JSON text. In a message above the limit, notes stand in place of its long texts. */
  readonly json: string;
  /** For a message above the limit: its long texts, by the note that stands for each in `value`. */
  readonly long: LongTexts | undefined;
}

export type LongTexts = ReadonlyMap<string, Buffer>;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** `[` and `{` differ in one bit only, and so do `]` and `}`. */
const OPEN = 0x5b;
const CLOSE = 0x5d;
const SAME_KIND = ~0x20;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** Only a payload is longer. In a message above the limit, texts of this size are set aside. */
const LONG_TEXT_BYTES = 64 * 1024;

/**
 * Parses one WebSocket message, after a check of its bytes: `JSON.parse` would block the event loop, which all sessions
 * share, for 3.5 s with 8 MB of nested arrays. Without its long texts a message may have 256 KiB and 64 levels. Long
 * texts, of which a media message has one, are set aside before parsing and do not count.
 *
 * @throws ServiceError `rtms/malformed-message`: `detail.field` is `size`, `nesting` or `json`, `detail.msgType`
 *   what the message seems to be
 */
export function parseMessage(data: Buffer): ParsedMessage {
  const bytes = bare(data);
  const survey = surveyJson(bytes);
  if (typeof survey === 'string') throw unreadable(bytes, survey);
  const isLong = bytes.length > INPUT_LIMITS.messageBytes;
  const { json, long } = setAside(bytes, isLong ? survey : []);
  try {
    return { value: parseJson(json), json, long: isLong ? long : undefined };
  } catch {
    // The parser's own message quotes the text of the meeting, so it must not be kept as the cause.
    throw unreadable(bytes, 'json');
  }
}

function setAside(bytes: Buffer, texts: readonly Span[]): { json: string; long: LongTexts } {
  const long = new Map<string, Buffer>();
  let json = '';
  let from = 0;
  for (const { start, end } of texts) {
    const note = `text ${long.size + 1} of ${end - start} bytes, left out`;
    json += bytes.toString('utf8', from, start) + note;
    long.set(note, bytes.subarray(start, end));
    from = end;
  }
  return { json: json + bytes.toString('utf8', from), long };
}

/** Removes a byte order mark in front, and zeros at the end, which a server written in C may send. */
function bare(data: Buffer): Buffer {
  const start = data.subarray(0, 3).equals(BYTE_ORDER_MARK) ? 3 : 0;
  let end = data.length;
  while (end > start && data[end - 1] === 0) end -= 1;
  return data.subarray(start, end);
}

/** JSON in a text inside a message, as in chat. @returns undefined when it is no object or list, or too deep */
export function parseNested(text: string): unknown {
  if (!/^\s*[[{]/.test(text) || typeof surveyJson(Buffer.from(text)) === 'string') return undefined;
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

/** A double holds any number of 15 digits, so only longer numbers need the slower reviver. */
function parseJson(json: string): unknown {
  return /\d{16}/.test(json) ? JSON.parse(json, keepLongIntegers) : JSON.parse(json);
}

type Trouble = 'size' | 'nesting' | 'json';

interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Checks size and nesting in one pass over the bytes, up to the limits.
 *
 * @returns where the long texts are, or what is wrong
 */
function surveyJson(bytes: Buffer): readonly Span[] | Trouble {
  const long: Span[] = [];
  let depth = 0;
  let size = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] as number;
    size += 1;
    if (byte === QUOTE) {
      const start = at + 1;
      const end = endOfText(bytes, start);
      if (typeof end === 'string') return end;
      at = end;
      if (at - start >= LONG_TEXT_BYTES) long.push({ start, end: at });
      else size += at - start;
    } else if ((byte & SAME_KIND) === (OPEN & SAME_KIND)) depth += 1;
    else if ((byte & SAME_KIND) === (CLOSE & SAME_KIND)) depth -= 1;
    if (depth > INPUT_LIMITS.messageDepth) return 'nesting';
    if (size > INPUT_LIMITS.messageBytes) return 'size';
  }
  return long;
}

/** The position of the closing quote. Base64 has no escaped quotes, so a text with very many of them is refused. */
function endOfText(bytes: Buffer, start: number): number | Trouble {
  let from = start;
  for (let quotes = 0; quotes < INPUT_LIMITS.messageBytes / 2; quotes += 1) {
    const end = bytes.indexOf(QUOTE, from);
    if (end < 0) return 'json';
    let escapes = 0;
    while (end - 1 - escapes >= start && bytes[end - 1 - escapes] === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return end;
    from = end + 1;
  }
  return 'size';
}

/**
 * A message of which nothing can be kept: whoever gets this error reports a gap.
 *
 * @param field the wire name of the first field that cannot be used
 * @param from whose message it was, as far as that could be read
 */
export function malformed(
  msgType: number,
  field: string,
  from: PartialMediaSource = {},
): ServiceError {
  return new ServiceError('rtms/malformed-message', `message ${msgType}: bad ${field}`, {
    detail: { msgType, field, ...mediaSource(from) },
  });
}

function unreadable(bytes: Buffer, field: Trouble): ServiceError {
  const msgType = guessType(bytes);
  return new ServiceError('rtms/malformed-message', `message: bad ${field}`, {
    detail: { field, sizeBytes: bytes.length, ...(msgType !== undefined && { msgType }) },
  });
}

/** The type of a message that cannot be parsed: Zoom writes `msg_type` as the first or the last key. */
function guessType(bytes: Buffer): number | undefined {
  const edges = `${bytes.toString('latin1', 0, 200)} ${bytes.toString('latin1', Math.max(0, bytes.length - 200))}`;
  const msgType = Number(/"msg_type"\s*:\s*"?(\d{1,2})(?!\d)/.exec(edges)?.[1] ?? Number.NaN);
  return mediaTypeOfMessage(msgType) === undefined ? undefined : msgType;
}

/**
 * A reviver for `JSON.parse` that keeps an integer which a double cannot hold as its digits: the 19 digits of a
 * Phone `call_id` or a channel's id would come out as another id.
 */
export function keepLongIntegers(
  _key: string,
  value: unknown,
  context?: { readonly source?: string },
): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? '';
  return /^-?\d+$/.test(source) ? source : value;
}
