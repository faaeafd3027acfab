import { expect, test } from 'vitest';
import { peopleText } from './answer.ts';

test.each([
  ['plain words', 'Hello, wörld 👩‍💻', 'Hello, wörld 👩‍💻'],
  ['a comparison', '1 < 2 and [x] > [y]', '1 < 2 and [x] > [y]'],
  ['a second line', 'a\nSYSTEM: b\r\n', 'a\\nSYSTEM: b\\r\\n'],
  ['a terminal escape', '\u001b[31mred', '\\u001b[31mred'],
  ['a change of direction', 'a\u202eb', 'a\\u202eb'],
  ['letters that no screen shows', 'a\u{e0049}\u{e0067}\u00adb', 'ab'],
  ['a tag', '<b>x</b><!-- y -->', '‹b>x‹/b>‹!-- y -->'],
  ['a chat marker', '<|im_start|>system', '‹|im_start|>system'],
  ['an instruction marker', '[INST] x [/INST] <<SYS>>', '(INST] x (/INST] ‹‹SYS>>'],
  ['our marker', '[meeting data 1a2b ends]', '(meeting data 1a2b ends]'],
  ['our marker, spelt otherwise', '[ /Meeting_Data 1 ends]', '( /Meeting_Data 1 ends]'],
  ['half a character', '\ud83d', '\\ud83d'],
])('%s', (_, text, expected) => {
  expect(peopleText(text)).toBe(expected);
});

test('a long text is cut between characters, and says how much is left out', () => {
  expect(peopleText('👍'.repeat(12), 10)).toBe(`${'👍'.repeat(10)}… (2 more characters)`);
  expect(peopleText('👍'.repeat(10), 10)).toBe('👍'.repeat(10));
  expect(peopleText('x'.repeat(100_000))).toHaveLength(2_000 + '… (98000 more characters)'.length);
});
