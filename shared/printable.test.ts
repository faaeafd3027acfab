import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { printable } from './printable.ts';

test.for([
  ['a line break', 'a\nb\r\nc', 'a\\nb\\r\\nc'],
  ['a tab', 'a\tb', 'a\\tb'],
  ['an escape sequence', '\u001b[2Jgone', '\\u001b[2Jgone'],
  ['a C1 control', '\u009b31m', '\\u009b31m'],
  ['line and paragraph separators', 'a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
  ['marks of writing direction', '\u202egnp.exe\u2066', '\\u202egnp.exe\\u2066'],
  ['what has no width', 'ad\u200bmin\ufeff', 'ad\\u200bmin\\ufeff'],
  ['half a pair', 'a\ud800b', 'a\\ud800b'],
])('shows %s as its escape', ([, text, shown]) => {
  expect(printable(text as string)).toBe(shown);
});

test('leaves words of any language alone', () => {
  for (const text of ['Grüße, 你好', 'שלום', '👩\u200d💻', 'a=b "c"']) {
    expect(printable(text)).toBe(text);
  }
});

property.prop([fc.string({ unit: 'binary' })])('makes one visible line of any text', (text) => {
  expect(printable(text)).toMatch(/^[^\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]*$/u);
  expect(printable(printable(text))).toBe(printable(text));
});
