import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { cutText, INPUT_LIMITS, isCount, isId, isStreamId, isUserId } from './input-limits.ts';

test.each([
  ['one character', 'x', true],
  ['slashes, plus, equals and hash', '4444/AA+A#i==', true],
  ['letters beyond ASCII', 'é日本😀', true],
  ['256 bytes', 'x'.repeat(256), true],
  ['257 bytes', 'x'.repeat(257), false],
  ['129 characters of two bytes', 'é'.repeat(129), false],
  ['nothing', '', false],
  ['a newline', 'a\nb', false],
  ['a NUL', 'a\0', false],
  ['a C1 control character', 'a\u0085b', false],
  ['half a surrogate pair', 'a\ud800', false],
  ['a noncharacter', 'a\uffff', false],
  ['a number', 7, false],
  ['null', null, false],
])('an id of %s is accepted or not', (_what, value, accepted) => {
  expect(isId(value)).toBe(accepted);
});

test('a stream id leaves room for the rest of a partition key', () => {
  expect(isStreamId('x'.repeat(240))).toBe(true);
  expect(isStreamId('x'.repeat(241))).toBe(false);
  expect(INPUT_LIMITS.streamIdBytes + `#v#${INPUT_LIMITS.userIdMax}`.length).toBeLessThanOrEqual(
    256,
  );
});

test.each([
  [0, true, true],
  [2 ** 31 - 1, true, true],
  [2 ** 31, false, true],
  [2 ** 32 - 1, false, true],
  [2 ** 32, false, false],
  [-1, false, false],
  [0.5, false, false],
  [Number.NaN, false, false],
  [Number.POSITIVE_INFINITY, false, false],
  ['1', false, false],
  [null, false, false],
])('%s is a count or a user id or neither', (value, count, userId) => {
  expect(isCount(value)).toBe(count);
  expect(isUserId(value)).toBe(userId);
});

test.each([
  ['abc', 3, 'abc'],
  ['abcd', 3, 'abc'],
  ['aé', 2, 'a'],
  ['aé', 3, 'aé'],
  ['日本', 5, '日'],
  ['a😀b', 4, 'a'],
  ['a😀b', 5, 'a😀'],
  ['', 0, ''],
  ['😀', 0, ''],
])('%s cut at %s bytes is %s', (text, maxBytes, cut) => {
  expect(cutText(text, maxBytes)).toBe(cut);
});

property.prop([fc.string({ unit: 'grapheme', maxLength: 40 }), fc.nat(60)])(
  'a cut text is a beginning of the text, fits, and is as long as fits',
  (text, maxBytes) => {
    const cut = cutText(text, maxBytes);
    expect(text.startsWith(cut)).toBe(true);
    expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(maxBytes);
    const next = [...text.slice(cut.length)][0];
    if (next !== undefined) expect(Buffer.byteLength(cut + next)).toBeGreaterThan(maxBytes);
  },
);
