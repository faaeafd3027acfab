import { fc, test as prop } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { AnswerReader, BadAnswerError } from './answer-reader.ts';

const lines = (...parts: string[]) => parts.join('\r\n');
const read = (text: string) => new AnswerReader().read(Buffer.from(text, 'latin1'));

const WHOLE = [
  ['with a length', lines('HTTP/1.1 200 OK', 'Content-Length: 3', '', 'abc'), 200, 'abc', true],
  ['without a reason', lines('HTTP/1.1 200', 'content-length:3', '', 'abc'), 200, 'abc', true],
  ['empty', lines('HTTP/1.1 500 X', 'content-length: 0', '', ''), 500, '', true],
  ['without a body by its status', lines('HTTP/1.1 204 No Content', '', ''), 204, '', true],
  [
    'in chunks, with extensions and trailers',
    lines(
      'HTTP/1.1 200 OK',
      'Transfer-Encoding: chunked',
      '',
      '2;a=b',
      'ab',
      'a',
      '0123456789',
      '0',
      'T: 1',
      '',
      '',
    ),
    200,
    'ab0123456789',
    true,
  ],
  [
    'after interim answers',
    lines(
      'HTTP/1.1 100 Continue',
      '',
      'HTTP/1.1 103 Early Hints',
      'link: x',
      '',
      'HTTP/1.1 200 OK',
      'content-length: 1',
      '',
      'a',
    ),
    200,
    'a',
    true,
  ],
  [
    'that ends its connection',
    lines('HTTP/1.1 200 OK', 'Connection: Close', 'content-length: 1', '', 'a'),
    200,
    'a',
    false,
  ],
  [
    'behind empty lines',
    lines('', '', 'HTTP/1.1 200 OK', 'content-length: 1', '', 'a'),
    200,
    'a',
    true,
  ],
  ['of HTTP/1.0', lines('HTTP/1.0 200 OK', 'content-length: 1', '', 'a'), 200, 'a', false],
  [
    'with bytes behind its end',
    lines('HTTP/1.1 200 OK', 'content-length: 1', '', 'aHTTP'),
    200,
    'a',
    false,
  ],
] as const;

test.each(WHOLE)('an answer %s is whole', (_name, text, status, body, isKept) => {
  const answer = read(text);
  expect(answer).toMatchObject({ status, isKept });
  expect(answer?.body.toString()).toBe(body);
});

prop.prop([
  fc.constantFrom(...WHOLE.filter(([name]) => name !== 'with bytes behind its end')),
  fc.array(fc.nat({ max: 200 }), { maxLength: 12 }),
])('an answer in any pieces is the same', ([, text, status, body], cuts) => {
  const bytes = Buffer.from(text, 'latin1');
  const reader = new AnswerReader();
  const memory = Buffer.alloc(bytes.length);
  const ends = [...cuts.map((cut) => cut % bytes.length), bytes.length].sort((a, b) => a - b);
  let from = 0;
  let answer: ReturnType<AnswerReader['read']>;
  for (const end of ends) {
    const piece = memory.subarray(0, end - from);
    bytes.copy(piece, 0, from, end);
    answer = reader.read(piece);
    // The socket reads the next piece into the same memory.
    memory.fill(0xff);
    expect(answer === undefined).toBe(end < bytes.length);
    from = end;
  }
  expect([answer?.status, answer?.body.toString()]).toEqual([status, body]);
});

test('answers follow each other on one connection', () => {
  const reader = new AnswerReader();
  for (const [, text, status] of WHOLE) {
    if (text.endsWith('HTTP')) continue;
    expect(reader.read(Buffer.from(text))?.status).toBe(status);
  }
});

test('headers are found by lower-case names, and joined', () => {
  const text = lines('HTTP/1.1 200 OK', 'X-A: 1 ', 'x-a:2', 'content-length: 0', '', '');
  expect(read(text)?.headers.get('x-a')).toBe('1, 2');
});

test('a body without a length ends with the connection, any other does not', () => {
  const reader = new AnswerReader();
  expect(reader.read(Buffer.from(lines('HTTP/1.1 200 OK', '', 'a')))).toBeUndefined();
  expect(reader.read(Buffer.from('b'))).toBeUndefined();
  expect(reader.end()).toMatchObject({ body: Buffer.from('ab'), isKept: false });
  const counted = new AnswerReader();
  counted.read(Buffer.from(lines('HTTP/1.1 200 OK', 'content-length: 2', '', 'a')));
  expect(counted.end()).toBeUndefined();
});

describe('is refused:', () => {
  const head = (...headers: string[]) => lines('HTTP/1.1 200 OK', ...headers, '', '');
  const chunked = (...parts: string[]) =>
    lines('HTTP/1.1 200 OK', 'transfer-encoding: chunked', '', ...parts);
  test.each([
    ['another protocol', 'HTTP/2 200 OK\r\n\r\n'],
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a switch of protocols', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    ['lines that end without a carriage return', 'HTTP/1.1 200 OK\ncontent-length: 0\r\n\r\n'],
    ['a head of such lines alone', 'HTTP/1.1 200 OK\ncontent-length: 0\n\n'],
    ['a header that goes on in the next line', head('a: b', ' c')],
    ['a header without a colon', head('ab')],
    ['a space before the colon', head('content-length : 3')],
    ['a control character in a header', head('a: \u0000')],
    ['a length that is no number', head('content-length: 3x')],
    ['a negative length', head('content-length: -3')],
    ['two lengths', head('content-length: 3', 'content-length: 4')],
    ['a length beside chunks', head('content-length: 3', 'transfer-encoding: chunked')],
    ['an unknown coding', head('transfer-encoding: gzip, chunked')],
    ['a body over the limit, by its length', head('content-length: 1048577')],
    ['a body over the limit, by a chunk', chunked('100001', '')],
    ['a body over the limit, as it comes', `${head()}${'x'.repeat(1_048_577)}`],
    ['a head without end', `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(3_000)}`],
    ['a chunk without a size', chunked('', '')],
    ['a chunk with a negative size', chunked('-1', '')],
    ['a chunk longer than its size', chunked('1', 'ab', '0', '', '')],
    ['a chunk line without end', chunked('1;'.padEnd(5_000, 'a'))],
    ['a trailer that is none', chunked('0', 'ab', '', '')],
    ['trailers without end', chunked('0', ...Array.from({ length: 2_000 }, () => 'a: b'))],
  ])('%s', (_name, text) => {
    expect(() => read(text)).toThrow(BadAnswerError);
  });
});
