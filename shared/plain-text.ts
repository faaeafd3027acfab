import { createHash } from 'node:crypto';

/**
 * The text of a file or secret that somebody wrote with an editor: UTF-8 or UTF-16, with or without a byte order mark.
 *
 * Windows' Notepad and PowerShell's `>` write UTF-16 or a mark in front of UTF-8; without this the first name of a
 * `.env` or the `{` of a secret would be another character than it looks. UTF-16 without a mark is told by the zero
 * byte that its ASCII characters have; no text of ours holds U+0000.
 *
 * @throws TypeError when the bytes are neither
 */
export function decodeText(bytes: Uint8Array): string {
  return new TextDecoder(encodingOf(bytes), { fatal: true }).decode(bytes);
}

/** A text that was decoded by others keeps the mark as its first character. */
export function withoutByteOrderMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

function encodingOf([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  if (second === 0 && first !== 0 && first !== undefined) return 'utf-16le';
  return first === 0 && second !== undefined ? 'utf-16be' : 'utf-8';
}

/**
 * Characters that change what a terminal or a log viewer shows around them: controls (C0, DEL, C1, so escape
 * sequences too), line and paragraph separators, and marks of writing direction. A lone surrogate is no
 * character at all and would be replaced silently. The joiners U+200C and U+200D stay: words and emoji need them.
 */
const UNPRINTABLE =
  /[\p{Cc}\p{Zl}\p{Zp}\u{61c}\u{200b}\u{200e}\u{200f}\u{202a}-\u{202e}\u{2060}-\u{206f}\u{feff}]|\p{Cs}/gu;

/**
 * Text of others as it may stand in a line of a log or a terminal: one line, nothing hidden, nothing reordered.
 * What would do that is written as its escape (`\n`, `\u202e`), so that it can still be read.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, readableEscape);
}

function readableEscape(character: string): string {
  const short = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character];
  return short ?? escapeOf(character);
}

/** One line of text that nobody can act on a terminal or forge a second line with. */
export function toPlainText(text: string): string {
  return text.replace(UNPRINTABLE, ' ');
}

/** One line of JSON with the same value: what a terminal would act upon stands there as an escape. */
export function toPlainJson(value: unknown): string {
  return JSON.stringify(value).replace(UNPRINTABLE, escapeOf);
}

function escapeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** File systems take names of 255 bytes; callers put a few characters of their own around this one. */
const MAX_LENGTH = 100;
/** Names of devices on Windows, with or without an extension. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/**
 * The name of a folder or file for an id that Zoom, or somebody who speaks like Zoom, has chosen.
 *
 * Whatever the id is, the name is one path segment of letters, digits, `.`, `_`, `=` and `-` that stays inside the
 * folder it is joined to. An id that is not a safe name itself gets a part of its SHA-256, so that two ids never
 * share a folder.
 */
export function folderNameOf(id: string): string {
  const isSafe = /^[\w=-][\w.=-]*$/.test(id) && id.length <= MAX_LENGTH && !/\.$/.test(id);
  if (isSafe && !DEVICE.test(id)) return id;
  const readable = id.replaceAll(/[^\w=-]+/g, '-').slice(0, 40);
  const digest = createHash('sha256').update(id).digest('hex').slice(0, 12);
  return `id-${readable}-${digest}`;
}
