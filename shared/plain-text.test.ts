import { basename, join } from 'node:path';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  decodeText,
  folderNameOf,
  printable,
  toPlainJson,
  toPlainText,
  withoutByteOrderMark,
} from './plain-text.ts';

describe('toPlainText', () => {
  const acting = {
    'a line feed': '\n',
    'a carriage return': '\r',
    'an escape sequence': '\u001b[31m',
    'a C1 control': '\u009b31m',
    'a next line': '\u0085',
    'a line separator': '\u2028',
    'a paragraph separator': '\u2029',
    'an override to the left': '\u202e',
    'an isolate': '\u2067',
    'a mark of direction': '\u200f',
    'an Arabic letter mark': '\u061c',
    'a null': '\u0000',
    'a delete': '\u007f',
    'a space without width': '\u200b',
    'a byte order mark': '\ufeff',
    'an invisible operator': '\u2062',
    'half a pair': '\ud800',
  };
  test.for(Object.entries(acting))('takes %s out of a name', ([, text]) => {
    const plain = toPlainText(`Ana${text}10:00 Bob: yes`);
    expect(plain).not.toContain(text[0]);
    expect(plain).toMatch(/^Ana .*Bob: yes$/);
  });

  test('leaves letters, accents, emoji and joiners alone', () => {
    const text = 'Zoë 王 ‍👩‍💻 שלום e\u0301';
    expect(toPlainText(text)).toBe(text);
  });
});

describe('toPlainJson', () => {
  property.prop([fc.jsonValue({ stringUnit: 'binary' })])(
    'is one line of plain text that holds the same value',
    (value) => {
      const line = toPlainJson(value);
      expect(toPlainText(line)).toBe(line);
      expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(value)));
    },
  );
});

test.for([
  ['a line break', 'a\nb\r\nc', 'a\\nb\\r\\nc'],
  ['a tab', 'a\tb', 'a\\tb'],
  ['an escape sequence', '\u001b[2Jgone', '\\u001b[2Jgone'],
  ['a C1 control', '\u009b31m', '\\u009b31m'],
  ['line and paragraph separators', 'a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
  ['marks of writing direction', '\u202egnp.exe\u2066', '\\u202egnp.exe\\u2066'],
  ['what has no width', 'ad\u200bmin\ufeff', 'ad\\u200bmin\\ufeff'],
  ['half a pair', 'a\ud800b', 'a\\ud800b'],
])('printable shows %s as its escape', ([, text, shown]) => {
  expect(printable(text as string)).toBe(shown);
});

test('printable leaves words of any language alone', () => {
  for (const text of ['Grüße, 你好', 'שלום', '👩\u200d💻', 'a=b "c"']) {
    expect(printable(text)).toBe(text);
  }
});

property.prop([fc.string({ unit: 'binary' })])(
  'printable makes one visible line of any text',
  (text) => {
    expect(printable(text)).toMatch(/^[^\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]*$/u);
    expect(printable(printable(text))).toBe(printable(text));
  },
);

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
] as const)('decodeText reads %s', ([, bytes]) => {
  expect(decodeText(bytes)).toBe(TEXT);
});

test('decodeText reads nothing and one byte', () => {
  expect(decodeText(new Uint8Array())).toBe('');
  expect(decodeText(Buffer.from('a'))).toBe('a');
});

test('decodeText refuses what is no text instead of replacing bytes', () => {
  expect(() => decodeText(Buffer.from([0x61, 0xe9, 0x62]))).toThrow(TypeError);
});

test('a text decoded by others loses its mark, and only that', () => {
  expect(withoutByteOrderMark('\ufeff{}')).toBe('{}');
  expect(withoutByteOrderMark('{}')).toBe('{}');
});

test('an id in the form of Zoom keeps its name', () => {
  const ids = ['609340fb2a7946909659956c8aa9250c', '756FF58A-6332-6ECA-E4AE', '4444AAAiAii=='];
  expect(ids.map(folderNameOf)).toEqual(ids);
});

const hostile = [
  '',
  '.',
  '..',
  '../../x',
  '/etc/passwd',
  'C:\\x',
  'a/b',
  'a\u0000b',
  'con',
  'NUL.txt',
];
test.for([...hostile, '-rf', '.ssh', 'x.', 'é', 'a'.repeat(400), 'x\u202ey'])(
  '%j becomes one path segment inside the folder',
  (id) => {
    const name = folderNameOf(id);
    expect(name).toMatch(/^[\w=-][\w.=-]{0,99}$/);
    expect(basename(join('/out', name))).toBe(name);
    expect(join('/out', name)).toBe(`/out/${name}`);
  },
);

property.prop([fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })])(
  'two ids never share a folder',
  (one, other) => {
    if (one !== other) expect(folderNameOf(one)).not.toBe(folderNameOf(other));
  },
);
