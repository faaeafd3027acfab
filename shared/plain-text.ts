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
