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
