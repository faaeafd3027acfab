import { expect, test } from 'vitest';
import { decodeText, withoutByteOrderMark } from './decode-text.ts';

const TEXT = 'ZM_RTMS_CLIENT=abc\r\n# Zoë\r\n';
const utf16le = Buffer.from(TEXT, 'utf16le');
const utf16be = Buffer.from(utf16le).swap16();

test.for([
  ['UTF-8', Buffer.from(TEXT)],
  ['UTF-8 with a mark', Buffer.from(`\ufeff${TEXT}`)],
  ['UTF-16 LE with a mark', Buffer.from(`\ufeff${TEXT}`, 'utf16le')],
  ['UTF-16 BE with a mark', Buffer.from(`\ufeff${TEXT}`, 'utf16le').swap16()],
  ['UTF-16 LE', utf16le],
  ['UTF-16 BE', utf16be],
] as const)('reads %s', ([, bytes]) => {
  expect(decodeText(bytes)).toBe(TEXT);
});

test('reads nothing and one byte', () => {
  expect(decodeText(new Uint8Array())).toBe('');
  expect(decodeText(Buffer.from('a'))).toBe('a');
});

test('refuses what is no text instead of replacing bytes', () => {
  expect(() => decodeText(Buffer.from([0x61, 0xe9, 0x62]))).toThrow(TypeError);
});

test('a text decoded by others loses its mark, and only that', () => {
  expect(withoutByteOrderMark('\ufeff{}')).toBe('{}');
  expect(withoutByteOrderMark('{}')).toBe('{}');
});
