import { readdirSync, readFileSync } from 'node:fs';
import { fc, test as prop } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { decodeFrame, type FrameMessage } from './decode-media.ts';
import { scanFrame } from './scan-frame.ts';

/** What the slow path makes of the same bytes; undefined where it refuses or it is no frame. */
function parsed(bytes: Buffer): FrameMessage | undefined {
  try {
    const message = JSON.parse(bytes.toString('utf8'));
    if (![14, 15, 16].includes(message.msg_type)) return undefined;
    return decodeFrame(message.msg_type, message);
  } catch {
    return undefined;
  }
}

/** The scan may leave anything to `JSON.parse`, but must not say anything else than that. */
function expectAgreement(bytes: Buffer): void {
  const scanned = scanFrame(bytes);
  if (scanned !== undefined) expect(scanned).toEqual(parsed(bytes));
  expect(scanFrame(bytes, true)).toEqual(scanned);
}

test('a lent payload is valid until the next call', () => {
  const first = scanFrame(encode({ msg_type: 14, content: { data: 'AAAA' } }), true);
  const large = Buffer.alloc(200_000, 7);
  const second = scanFrame(
    encode({ msg_type: 14, content: { data: large.toString('base64') } }),
    true,
  );
  expect(second?.payload).toEqual(large);
  const third = scanFrame(encode({ msg_type: 14, content: { data: 'BBBB' } }), true);
  expect(third?.payload.buffer).toBe(second?.payload.buffer);
  expect(first?.payload).toHaveLength(3);
});

describe('a large payload, which is lent in pieces of 64 KiB of text', () => {
  const payload = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * 7919) >>> 4));
  const text = payload.toString('base64');

  test.each([199_998, 199_999, 200_000])('is lent whole, all %i bytes', (sizeBytes) => {
    const data = payload.subarray(0, sizeBytes).toString('base64');
    const scanned = scanFrame(encode({ msg_type: 16, content: { data } }), true);
    expect(scanned?.payload.equals(payload.subarray(0, sizeBytes))).toBe(true);
  });

  test.each([0, 65_535, 65_536, 65_537, 131_072, text.length - 5])(
    'is left to JSON.parse when character %i is none of base64',
    (at) => {
      for (const wrong of ['!', '=', ' ']) {
        const data = text.slice(0, at) + wrong + text.slice(at + 1);
        const bytes = encode({ msg_type: 16, content: { data } });
        expect(scanFrame(bytes, true)).toBe(undefined);
        expectAgreement(bytes);
      }
    },
  );
});

const content = {
  user_id: 16778240,
  user_name: 'John Smith',
  data: 'AAECAw==',
  length: 4,
  timestamp: 7,
};
const encode = (message: object) => Buffer.from(JSON.stringify(message));

describe('reads', () => {
  const directory = new URL('../../test/fixtures/rtms/media/', import.meta.url);
  const frames = readdirSync(directory).filter((name) => /^1[456]-/.test(name));
  test.each(frames)('%s as JSON.parse does', (name) => {
    const bytes = encode(JSON.parse(readFileSync(new URL(name, directory), 'utf8')));
    expect(parsed(bytes)).toBeDefined();
    // The one form that it leaves alone: content without an object.
    if (!name.includes('legacy-flat')) expect(scanFrame(bytes)).toEqual(parsed(bytes));
  });

  test.each([
    [
      'fields in any order',
      { content: { timestamp: 7, data: 'AAECAw==', user_id: 1 }, msg_type: 15 },
    ],
    ['a channel', { msg_type: 14, content: { channel_id: 'left', data: 'AAEC' } }],
    ['a name outside ASCII', { msg_type: 14, content: { ...content, user_name: 'Zoë 山田 🙂' } }],
    ['empty texts', { msg_type: 14, content: { user_name: '', channel_id: '', data: '' } }],
    ['base64 for URLs', { msg_type: 14, content: { data: '-_-_' } }],
    ['base64 without padding', { msg_type: 14, content: { data: 'AAECAw' } }],
    ['seconds', { msg_type: 14, content: { ...content, timestamp: 1738392033 } }],
    ['milliseconds', { msg_type: 15, content: { ...content, timestamp: 1738392033699 } }],
    ['microseconds', { msg_type: 16, content: { ...content, timestamp: 1738392033699123 } }],
    ['an id beyond 32 bits', { msg_type: 14, content: { ...content, user_id: 1234234567890 } }],
    ['no time of ours', { msg_type: 14, content: { ...content, timestamp: 0 } }],
  ])('%s', (_title, message) => {
    const bytes = encode(message);
    expect(scanFrame(bytes)).toEqual(parsed(bytes));
    expect(scanFrame(bytes)).toBeDefined();
  });
});

test.each([
  [
    'a key in the text before',
    '{"msg_type":14,"content":{"user_name":"\\"data\\":\\"AAAA\\"","data":"BBBB"}}',
  ],
  ['a decoy object', '{"decoy":{"data":"AAAA"},"msg_type":14,"content":{"data":"BBBB"}}'],
  ['an escaped key', '{"msg_type":14,"content":{"d\\u0061ta":"AAAA","data":"BBBB"}}'],
  ['two payloads', '{"msg_type":14,"content":{"data":"AAAA","data":"BBBB"}}'],
  ['two contents', '{"msg_type":14,"content":{"data":"AAAA"},"content":{"data":"BBBB"}}'],
  ['two types', '{"msg_type":14,"msg_type":15,"content":{"data":"AAAA"}}'],
  ['two names', '{"msg_type":14,"content":{"user_name":"","user_name":"b","data":"AAAA"}}'],
  ['an escaped slash in base64', '{"msg_type":14,"content":{"data":"AA\\/A"}}'],
  ['an escaped quote in base64', '{"msg_type":14,"content":{"data":"AAA\\"AAAA"}}'],
  ['a line break in base64', '{"msg_type":14,"content":{"data":"AAAA\nAAAA"}}'],
  ['a line break in a name', '{"msg_type":14,"content":{"user_name":"a\nb","data":"AAAA"}}'],
  ['a data URL', '{"msg_type":14,"content":{"data":"data:image/png;base64,AAAA"}}'],
  ['white space', '{ "msg_type": 14, "content": { "data": "AAAA" } }'],
  ['a nested field', '{"msg_type":14,"content":{"x":{"data":"AAAA"},"data":"BBBB"}}'],
  ['a leading zero', '{"msg_type":14,"content":{"timestamp":01,"data":"AAAA"}}'],
  ['a fraction', '{"msg_type":14,"content":{"timestamp":1.5,"data":"AAAA"}}'],
  [
    'a number of 17 digits',
    '{"msg_type":14,"content":{"timestamp":17383920336991234,"data":"AAAA"}}',
  ],
  ['an exponent', '{"msg_type":14,"content":{"timestamp":1e3,"data":"AAAA"}}'],
  ['a negative id', '{"msg_type":14,"content":{"user_id":-1,"data":"AAAA"}}'],
  ['an id as text', '{"msg_type":14,"content":{"user_id":"7","data":"AAAA"}}'],
  [
    'a name that has to be cut',
    `{"msg_type":14,"content":{"user_name":"${'x'.repeat(513)}","data":"AAAA"}}`,
  ],
  [
    'an id that is too long',
    `{"msg_type":14,"content":{"channel_id":"${'x'.repeat(257)}","data":"AAAA"}}`,
  ],
  ['an id beyond ASCII', '{"msg_type":14,"content":{"channel_id":"é","data":"AAAA"}}'],
  [
    'a number beyond 2^53',
    '{"msg_type":14,"content":{"timestamp":9007199254740993,"data":"AAAA"}}',
  ],
  ['a payload of another length', '{"msg_type":14,"content":{"data":"AAAA","length":4}}'],
  ['another message', '{"msg_type":17,"content":{"data":"AAAA"}}'],
  ['no payload', '{"msg_type":14,"content":{}}'],
  ['no content', '{"msg_type":14}'],
  ['more behind', '{"msg_type":14,"content":{"data":"AAAA"}}}'],
  ['a comma behind', '{"msg_type":14,"content":{"data":"AAAA",}}'],
  ['an end too soon', '{"msg_type":14,"content":{"data":"AAAA"'],
  ['an end inside a text', '{"msg_type":14,"content":{"user_name":"AA'],
  ['an end inside base64', '{"msg_type":14,"content":{"data":"AA'],
  ['a text without its first quote', '{"msg_type":14,"content":{"user_name":x","data":"AAAA"}}'],
  ['base64 without its first quote', '{"msg_type":14,"content":{"data":AAAA"}}'],
  ['content that is none', '{"msg_type":14,"content":7}'],
  ['nothing', ''],
])('leaves %s to JSON.parse', (_title, text) => {
  expect(scanFrame(Buffer.from(text))).toBeUndefined();
});

const name = fc.oneof(
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('', '\\', '"', '\n', '\ufeff'),
);
const base64 = fc.oneof(
  fc.base64String(),
  fc.string(),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('base64')),
);
const number = fc.oneof(
  fc.nat(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.constantFrom(0, -1, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 63, 1e300),
  fc.integer({ min: 1e15, max: 1e16 }),
);
const fields = fc.record(
  {
    user_id: fc.oneof(number, fc.string()),
    user_name: fc.oneof(name, number),
    channel_id: fc.oneof(name, number),
    data: base64,
    length: number,
    timestamp: number,
    extra: fc.jsonValue(),
  },
  { requiredKeys: ['data'] },
);

prop.prop([fc.constantFrom(14, 15, 16, 17), fields], { numRuns: 2_000 })(
  'agrees with JSON.parse about any fields',
  (msg_type, content) => {
    expectAgreement(encode({ msg_type, content }));
    expectAgreement(encode({ content, msg_type }));
  },
);

prop.prop([fc.uint8Array({ maxLength: 500 }), fc.boolean()], { numRuns: 500 })(
  'reads every payload',
  (payload, withLength) => {
    const data = Buffer.from(payload).toString('base64');
    const length = withLength ? { length: payload.length } : {};
    const bytes = encode({ msg_type: 14, content: { ...content, data, ...length, timestamp: 1 } });
    const plain = withLength ? bytes : encode({ msg_type: 14, content: { user_id: 1, data } });
    expect(scanFrame(plain)?.payload).toEqual(Buffer.from(payload));
  },
);

const PIECES = [
  '{',
  '}',
  '"',
  ',',
  ':',
  '\\',
  '0',
  '14',
  '15',
  '-1',
  '1e2',
  '=',
  ' ',
  '\n',
  '[',
  ']',
  'é',
  'null',
  '"data":',
  '"AAAA"',
  '"AA=="',
  '"user_id":',
  '"user_name":',
  '"length":3',
  '"timestamp":1',
  '"channel_id":',
  '"msg_type":14',
  '"content":{',
  '"content":',
  '{"msg_type":14,"content":{"data":"AAAA"',
];
prop.prop([fc.array(fc.constantFrom(...PIECES), { maxLength: 25 })], { numRuns: 5_000 })(
  'agrees with JSON.parse about any text of its own words',
  (pieces) => expectAgreement(Buffer.from(pieces.join(''))),
);

const whole = encode({ msg_type: 14, content });
prop.prop(
  [fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })],
  {
    numRuns: 5_000,
  },
)('agrees with JSON.parse about damaged bytes', (damages) => {
  const bytes = Buffer.from(whole);
  for (const [at, byte] of damages) bytes[at] = byte;
  expectAgreement(bytes);
});
