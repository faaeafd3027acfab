import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { fc, test as property } from '@fast-check/vitest';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { ServiceError } from '../errors.ts';
import { InternedTexts } from '../interned-texts.ts';
import { decodeMediaRecord, readMediaRecord } from './decode-media-record.ts';
import type { DecodedMediaRecord } from './media-record.ts';

const schema = protobuf.loadSync(fileURLToPath(new URL('./media_record.proto', import.meta.url)));
const Published = schema.lookupType('rtms.v1.MediaRecord');

/** One field on the wire: its number, and what follows its key. */
interface Field {
  readonly number: number;
  readonly wireType: number;
  readonly content: Buffer;
}

/** @param padding bytes more than the shortest form, up to ten in all, which is legal */
function varint(value: number | bigint, padding = 0): Buffer {
  const bytes: number[] = [];
  for (let rest = BigInt(value); bytes.length === 0 || rest > 0n; rest >>= 7n) {
    bytes.push(Number(rest & 0x7fn));
  }
  for (let more = padding; more > 0 && bytes.length < 10; more--) bytes.push(0);
  return Buffer.from(bytes.map((byte, index) => (index < bytes.length - 1 ? byte | 0x80 : byte)));
}

const delimited = (bytes: Uint8Array) => Buffer.concat([varint(bytes.length), bytes]);
const fixed = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

function wire(fields: readonly Field[]): Buffer {
  const parts = fields.flatMap(({ number, wireType, content }) => [
    varint(number * 8 + wireType),
    content,
  ]);
  return Buffer.concat(parts);
}

const padding = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat({ max: 9 }));
const number = (number: number, values: fc.Arbitrary<number>): fc.Arbitrary<Field> =>
  fc.tuple(values, padding).map(([value, extra]) => ({
    number,
    wireType: 0,
    content: varint(value, extra),
  }));
const text = (number: number, values: fc.Arbitrary<string>): fc.Arbitrary<Field> =>
  values.map((value) => ({ number, wireType: 2, content: delimited(Buffer.from(value)) }));

const uint32 = fc.oneof(
  fc.nat({ max: 200 }),
  fc.integer({ min: 0, max: 0xffffffff }),
  fc.constantFrom(127, 128, 2 ** 14, 2 ** 21, 2 ** 28 - 1, 2 ** 28, 2 ** 31, 2 ** 32 - 1),
);
const safe = fc.oneof(
  uint32,
  fc.maxSafeNat(),
  fc.constantFrom(2 ** 32, 2 ** 35, 2 ** 49, 2 ** 53 - 1),
);
const name = fc.oneof(
  fc.constantFrom('', 'Ada', 'Zoë', '佐藤', 'x'.repeat(128), 'y'.repeat(129), 'z'.repeat(300)),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
);

/** Payload and its checksum, which is wrong now and then. */
const payload: fc.Arbitrary<Field[]> = fc
  .tuple(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 0, max: 19 }))
  .map(([bytes, luck]) => [
    { number: 17, wireType: 5, content: fixed(luck === 0 ? 1 : crc32(bytes)) },
    { number: 18, wireType: 2, content: delimited(bytes) },
  ]);

const group = (number: number): Field => ({
  number,
  wireType: 3,
  content: Buffer.concat([varint(5 * 8), varint(9), varint(number * 8 + 4)]),
});
const unknown: fc.Arbitrary<Field> = fc
  .tuple(
    fc.constantFrom(19, 20, 100, 2 ** 28 - 1),
    fc.constantFrom(0, 1, 2, 3, 5),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  )
  .map(([number, wireType, value]) => {
    if (wireType === 3) return group(number);
    const content = { 0: varint(value), 1: Buffer.alloc(8, 1), 2: delimited(Buffer.alloc(9)) };
    return { number, wireType, content: content[wireType as 0 | 1 | 2] ?? Buffer.alloc(4, 1) };
  });

const usually = (field: fc.Arbitrary<Field>) =>
  fc.oneof(
    { weight: 19, arbitrary: field.map((one) => [one]) },
    { weight: 1, arbitrary: fc.constant([]) },
  );

const message = fc
  .tuple(
    usually(text(1, name)),
    usually(number(2, uint32)),
    usually(number(3, safe)),
    usually(number(4, fc.constantFrom(0, 1, 2, 4, 99))),
    usually(fc.oneof(number(5, uint32), text(6, name))),
    usually(text(7, name)),
    usually(number(8, safe)),
    usually(number(9, safe)),
    usually(number(10, fc.nat({ max: 9 }))),
    usually(number(11, uint32)),
    usually(number(12, uint32)),
    usually(number(13, uint32)),
    usually(number(14, uint32)),
    fc.oneof(
      fc.constant([]),
      number(15, fc.nat({ max: 3 })).map((one) => [one]),
    ),
    fc.oneof(
      fc.constant([]),
      number(16, fc.nat({ max: 5 })).map((one) => [one]),
    ),
    fc.oneof({ weight: 19, arbitrary: payload }, { weight: 1, arbitrary: fc.constant([]) }),
    fc.array(unknown, { maxLength: 3 }),
  )
  .map((groups) => groups.flat())
  .chain((fields) =>
    // In order as a producer writes them, or in any.
    fc.oneof(fc.constant(fields), fc.shuffledSubarray(fields, { minLength: fields.length })),
  );

/** What protobufjs and the published schema make of the fields, judged as docs/records.md asks; or why not. */
function expected(fields: readonly Field[]): Record<string, unknown> | string {
  const read = Published.decode(wire(fields));
  // protobufjs does not tell an empty payload from none.
  const hasPayload = fields.some(({ number }) => number === 18);
  const given = Published.toObject(read, { longs: Number });
  const all = Published.toObject(read, { longs: Number, defaults: true });
  const isWhole =
    all['rtmsStreamId'] !== '' &&
    all['epoch'] > 0 &&
    all['sequence'] > 0 &&
    all['mediaType'] > 0 &&
    hasPayload &&
    (given['userId'] !== undefined || given['channelId'] !== undefined) &&
    all['chunkIndex'] < Math.max(all['chunkCount'], 1);
  if (!isWhole) return 'record/malformed';
  const { payloadCrc32, source: _, ...rest } = all;
  if (crc32(Buffer.from(all['payload'])) !== payloadCrc32) return 'record/bad-checksum';
  const { userId, channelId } = given;
  return { ...rest, userId, channelId, payload: Buffer.from(all['payload']) };
}

function outcome(read: () => DecodedMediaRecord): DecodedMediaRecord | string {
  try {
    return read();
  } catch (error) {
    if (error instanceof ServiceError) return error.code;
    throw error;
  }
}

describe('reading a message', () => {
  const known = new InternedTexts();

  property.prop([message, fc.nat({ max: 9 })], { numRuns: 2_000 })(
    'gives what protobufjs gives, alone or among other bytes, whatever was read before',
    (fields, before) => {
      const bytes = wire(fields);
      const page = Buffer.concat([Buffer.alloc(before, 0xff), bytes, Buffer.alloc(9, 0xff)]);
      const end = before + bytes.length;
      const want = expected(fields);
      expect(outcome(() => decodeMediaRecord(bytes))).toEqual(want);
      expect(outcome(() => readMediaRecord(page, before, end, known))).toEqual(want);
    },
  );

  property.prop([message, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })])(
    'never looks beyond its end',
    (fields, share) => {
      const bytes = wire(fields);
      const end = Math.floor(bytes.length * share);
      const alone = outcome(() => decodeMediaRecord(bytes.subarray(0, end)));
      expect(outcome(() => readMediaRecord(bytes, 0, end, known))).toEqual(alone);
    },
  );
});

describe('interned texts', () => {
  const known = new InternedTexts();
  const read = (bytes: Buffer) =>
    known.read(Buffer.concat([bytes, bytes]), bytes.length, 2 * bytes.length);

  property.prop([fc.array(fc.uint8Array({ maxLength: 5 }), { maxLength: 40 })], { numRuns: 500 })(
    'are what the bytes say, whichever share a slot',
    (texts) => {
      for (const bytes of [...texts, ...texts].map((text) => Buffer.from(text))) {
        expect(read(bytes)).toBe(bytes.toString());
      }
    },
  );

  test('do not change with the bytes they were read from', () => {
    const bytes = Buffer.from('Ada');
    known.read(bytes, 0, 3);
    bytes.write('Bob');
    expect(known.read(bytes, 0, 3)).toBe('Bob');
    expect(known.read(Buffer.from('Ada'), 0, 3)).toBe('Ada');
  });
});
