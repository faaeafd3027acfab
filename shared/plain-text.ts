import { UNPRINTABLE } from './printable.ts';

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
