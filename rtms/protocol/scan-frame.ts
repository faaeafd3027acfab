import { INPUT_LIMITS } from '../../shared/input-limits.ts';
import { InternedTexts } from '../../shared/interned-texts.ts';
import { MESSAGE_TYPE } from './constants.ts';
import type { FrameMessage } from './decode-media.ts';
import { toUnixMs } from './fields.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const FIRST_PRINTABLE = 0x20;
const LAST_PRINTABLE_ASCII = 0x7e;
const LAST_BYTE = 0xff;

const KEY = {
  msgType: Buffer.from('msg_type'),
  content: Buffer.from('content'),
  userId: Buffer.from('user_id'),
  userName: Buffer.from('user_name'),
  channelId: Buffer.from('channel_id'),
  data: Buffer.from('data'),
  length: Buffer.from('length'),
  timestamp: Buffer.from('timestamp'),
};

/** Microseconds have 16 digits. Longer numbers do not fit a double exactly, and not all of 16 digits do. */
const MAX_DIGITS = 16;
const ABSENT = -1;
/** Payloads are decoded in pieces: V8 would put a long text into old space, which costs more than decoding it. */
const PIECE_CHARS = 64 * 1024;
/** A position behind the end of any message. */
const LOST = 0x3fff_ffff;

/**
 * Reads a media frame (messages 14 to 16) from the bytes of its JSON. It allocates the result and nothing else.
 *
 * Only the plainest form is read. Escapes, white space, repeated or unknown fields, other number forms,
 * damaged base64 and all other messages are left to `JSON.parse`. So this never throws, and its result is
 * always the one that `JSON.parse` and `decodeFrame` would give.
 *
 * @param lendPayload the payload is only valid until the next call
 * @returns undefined: the message has to be read by `JSON.parse`
 */
export function scanFrame(bytes: Buffer, lendPayload = false): FrameMessage | undefined {
  return scan.frame(bytes, lendPayload);
}

/**
 * One pass over one message. Whatever is not plain moves `#at` behind the end, where nothing matches any more.
 *
 * There is one instance for the process, which is not passed in: a scan begins and ends within one call, so sharing
 * costs nothing, and an instance for each connection would hold a buffer as large as its largest payload.
 */
class FrameScan {
  /** Lent payloads are decoded into this buffer, which grows to the largest. */
  #lent: Buffer = Buffer.allocUnsafeSlow(64 * 1024);
  /** Names and channel ids, which are the same in most frames. */
  readonly #knownTexts = new InternedTexts();
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #userId = ABSENT;
  #length = ABSENT;
  #timestamp = ABSENT;
  #userName: string | undefined;
  #channelId: string | undefined;
  #data = ABSENT;
  #dataEnd = ABSENT;

  frame(bytes: Buffer, lendPayload: boolean): FrameMessage | undefined {
    if (bytes[0] !== OPEN) return undefined;
    this.#bytes = bytes;
    this.#at = 1;
    this.#userId = ABSENT;
    this.#length = ABSENT;
    this.#timestamp = ABSENT;
    this.#userName = undefined;
    this.#channelId = undefined;
    this.#data = ABSENT;
    this.#dataEnd = ABSENT;
    let msgType = ABSENT;
    let hasContent = false;
    do {
      if (this.#isKey(KEY.msgType)) msgType = this.#number(msgType);
      else if (!hasContent && this.#isKey(KEY.content)) {
        hasContent = true;
        this.#content();
      } else return undefined;
    } while (this.#take(COMMA));
    if (!this.#take(CLOSE) || this.#at !== bytes.length) return undefined;
    if (
      msgType === MESSAGE_TYPE.MEDIA_DATA_AUDIO ||
      msgType === MESSAGE_TYPE.MEDIA_DATA_VIDEO ||
      msgType === MESSAGE_TYPE.MEDIA_DATA_SHARE
    ) {
      return this.#result(msgType, lendPayload);
    }
    return undefined;
  }

  #content(): void {
    if (!this.#take(OPEN)) this.#at = LOST;
    do {
      if (this.#isKey(KEY.userId)) this.#userId = this.#number(this.#userId);
      else if (this.#isKey(KEY.userName)) this.#userName = this.#name(this.#userName);
      else if (this.#isKey(KEY.data)) this.#base64();
      else if (this.#isKey(KEY.length)) this.#length = this.#number(this.#length);
      else if (this.#isKey(KEY.timestamp)) this.#timestamp = this.#number(this.#timestamp);
      else if (this.#isKey(KEY.channelId)) this.#channelId = this.#id(this.#channelId);
      else this.#at = LOST;
    } while (this.#take(COMMA));
    if (!this.#take(CLOSE)) this.#at = LOST;
  }

  #result(msgType: FrameMessage['msgType'], lendPayload: boolean): FrameMessage | undefined {
    const payload = this.#payload(lendPayload);
    if (payload === undefined) return undefined;
    return {
      msgType,
      // An id that cannot be a participant's is left out, and the payload is kept.
      userId:
        this.#userId === ABSENT || this.#userId > INPUT_LIMITS.userIdMax ? undefined : this.#userId,
      channelId: this.#channelId || undefined,
      userName: this.#userName || undefined,
      timestampMs: this.#timestamp === ABSENT ? undefined : toUnixMs(this.#timestamp),
      payload,
    };
  }

  #take(byte: number): boolean {
    if (this.#bytes[this.#at] !== byte) return false;
    this.#at += 1;
    return true;
  }

  /** Steps over `"key":` if that is what comes. */
  #isKey(key: Buffer): boolean {
    const bytes = this.#bytes;
    const start = this.#at;
    const end = start + key.length + 1;
    if (bytes[end] !== QUOTE || bytes[end + 1] !== COLON || bytes[start] !== QUOTE) return false;
    for (let index = 0; index < key.length; index += 1) {
      if (bytes[start + 1 + index] !== key[index]) return false;
    }
    this.#at = end + 2;
    return true;
  }

  /** A whole number from 0. @param before the field's value so far: a second one is not plain */
  #number(before: number): number {
    const bytes = this.#bytes;
    const start = this.#at;
    let at = start;
    let value = 0;
    for (
      let byte = bytes[at] as number;
      byte >= ZERO && byte <= NINE;
      byte = bytes[++at] as number
    ) {
      value = value * 10 + (byte - ZERO);
    }
    const digits = at - start;
    const isPlain = digits === 1 || (digits > 1 && digits <= MAX_DIGITS && bytes[start] !== ZERO);
    const isExact = value <= Number.MAX_SAFE_INTEGER;
    this.#at = isPlain && isExact && before === ABSENT ? at : LOST;
    return value;
  }

  /** A name. One that has to be cut is not plain. @param before the field's value so far */
  #name(before: string | undefined): string {
    return this.#text(before, INPUT_LIMITS.nameBytes, LAST_BYTE);
  }

  /** An id. One beyond ASCII is not plain, since an id may not have every character. */
  #id(before: string | undefined): string {
    return this.#text(before, INPUT_LIMITS.idBytes, LAST_PRINTABLE_ASCII);
  }

  /** A short string. @param before the field's value so far: a second one is not plain */
  #text(before: string | undefined, maxBytes: number, lastByte: number): string {
    const bytes = this.#bytes;
    const start = this.#at + 1;
    let at = start;
    for (let byte = bytes[at] as number; byte !== QUOTE; byte = bytes[++at] as number) {
      if (byte >= FIRST_PRINTABLE && byte <= lastByte && byte !== BACKSLASH) continue;
      this.#at = LOST;
      return '';
    }
    const isPlain = bytes[start - 1] === QUOTE && before === undefined && at - start <= maxBytes;
    this.#at = isPlain ? at + 1 : LOST;
    return this.#knownTexts.read(bytes, start, at);
  }

  /** Steps over the payload's text. */
  #base64(): void {
    if (!this.#take(QUOTE) || this.#data !== ABSENT) this.#at = LOST;
    this.#data = this.#at;
    this.#dataEnd = this.#bytes.indexOf(QUOTE, this.#at);
    this.#at = this.#dataEnd < 0 ? LOST : this.#dataEnd + 1;
  }

  /**
   * Node decodes the base64 that it finds and skips other characters. Each one that it skips makes the result shorter
   * than the length of the text implies, so the size alone tells whether the text is base64 and nothing else.
   */
  #payload(lendPayload: boolean): Buffer | undefined {
    if (this.#data === ABSENT) return undefined;
    const bytes = this.#bytes;
    const start = this.#data;
    const end = this.#dataEnd;
    const payload = lendPayload
      ? this.#lend(bytes, start, end)
      : Buffer.from(bytes.toString('latin1', start, end), 'base64');
    let digits = end - start;
    while (digits > 0 && bytes[start + digits - 1] === EQUALS) digits -= 1;
    const isPlain = digits % 4 !== 1 && payload.length === Math.floor((digits * 3) / 4);
    const isWhole = this.#length === ABSENT || this.#length === payload.length;
    return isPlain && isWhole ? payload : undefined;
  }

  #lend(bytes: Buffer, start: number, end: number): Buffer {
    const sizeBytes = 3 * Math.ceil((end - start) / 4);
    if (this.#lent.length < sizeBytes) this.#lent = Buffer.allocUnsafeSlow(2 * sizeBytes);
    const lent = this.#lent;
    let size = 0;
    for (let from = start; from < end; from += PIECE_CHARS) {
      const text = bytes.toString('latin1', from, Math.min(end, from + PIECE_CHARS));
      size += lent.write(text, size, 'base64');
    }
    return lent.subarray(0, size);
  }
}

const scan = new FrameScan();
