/**
 * What a terminal or a line-based reader would act upon: control characters (with every line break), line and
 * paragraph separators, marks and overrides of the writing direction.
 */
const ACTS_ON_A_TERMINAL = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** The same set without what `JSON.stringify` escapes by itself. */
const NOT_ESCAPED_BY_JSON = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** One line of text that nobody can act on a terminal or forge a second line with. */
export function toPlainText(text: string): string {
  return text.replace(ACTS_ON_A_TERMINAL, ' ');
}

/** One line of JSON with the same value: what a terminal would act upon stands there as an escape. */
export function toPlainJson(value: unknown): string {
  return JSON.stringify(value).replace(NOT_ESCAPED_BY_JSON, escapeOf);
}

function escapeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
