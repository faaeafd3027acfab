import { createHash } from 'node:crypto';
import { fc, test as property } from '@fast-check/vitest';
import { deaggregateSync } from 'aws-kinesis-agg';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import fixture from '../../test/fixtures/kpl/vectors.json' with { type: 'json' };
import { aggregateSize } from '../../test/support/aggregate-size.ts';
import { ServiceError } from '../errors.ts';
import { decodeAggregate, encodeAggregate } from './kpl.ts';

const { vectors } = fixture;
const vector = (id: string) => {
  const found = vectors.find((candidate) => candidate.id === id);
  if (!found) throw new Error(`no vector ${id}`);
  return Buffer.from(found.hex, 'hex');
};
const seal = (body: Buffer) =>
  Buffer.concat([Buffer.from('f3899ac2', 'hex'), body, createHash('md5').update(body).digest()]);

/** Independent schema, as the format note publishes it. */
const AggregatedRecord = protobuf
  .parse(
    `syntax = "proto2";
     message AggregatedRecord {
       repeated string partition_key_table = 1;
       repeated string explicit_hash_key_table = 2;
       repeated Record records = 3;
     }
     message Tag { required string key = 1; optional string value = 2; }
     message Record {
       required uint64 partition_key_index = 1;
       optional uint64 explicit_hash_key_index = 2;
       required bytes data = 3;
       repeated Tag tags = 4;
     }`,
    { keepCase: true },
  )
  .root.lookupType('AggregatedRecord');
const viaProtobufjs = (fields: object) =>
  seal(Buffer.from(AggregatedRecord.encode(fields).finish()));

const key = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 256 }),
  fc.nat().map(String),
  fc.constantFrom(' ', '0', '__proto__', 'Zoë/π', 'x'.repeat(256)),
);
const records = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 40 });

describe('published vectors', () => {
  test('holds vector B unchanged', () => {
    const sha256 = createHash('sha256').update(vector('B')).digest('hex');
    expect(sha256).toBe(fixture.vectorBSha256);
  });

  test.each(vectors)('reads $id: $what', ({ hex, expect: expected }) => {
    const data = Buffer.from(hex, 'hex');
    if (expected === 'bad-index') {
      expect(() => decodeAggregate(data, 'outer')).toThrow(
        expect.objectContaining({ code: 'record/bad-index' }),
      );
    } else if (typeof expected === 'string') {
      expect(decodeAggregate(data, 'outer')).toEqual([
        { partitionKey: 'outer', data, subSequenceNumber: 0 },
      ]);
    } else {
      const want = expected.map(({ dataHex, ...keys }, subSequenceNumber) => ({
        ...keys,
        data: Buffer.from(dataHex, 'hex'),
        subSequenceNumber,
      }));
      expect(decodeAggregate(data, 'outer')).toEqual(want);
    }
  });

  test('writes A and C byte for byte', () => {
    const a = encodeAggregate('m1', [Buffer.from('hello'), Buffer.from([0, 1, 2, 255])]);
    expect(a.toString('hex')).toBe(vector('A').toString('hex'));
    const c = encodeAggregate('Zoë/π', [Buffer.from('x'), Buffer.from('y')]);
    expect(c.toString('hex')).toBe(vector('C').toString('hex'));
  });
});

describe('encoding', () => {
  property.prop([key, records])('equals protobufjs byte for byte', (partitionKey, data) => {
    const independent = viaProtobufjs({
      partition_key_table: [partitionKey],
      records: data.map((bytes) => ({ partition_key_index: 0, data: bytes })),
    });
    expect(encodeAggregate(partitionKey, data).equals(independent)).toBe(true);
  });

  property.prop([key, records])('comes back as it went in', (partitionKey, data) => {
    const back = decodeAggregate(encodeAggregate(partitionKey, data), 'outer');
    expect(back).toEqual(
      data.map((bytes, subSequenceNumber) => ({
        partitionKey: Buffer.from(partitionKey).toString(),
        data: Buffer.from(bytes),
        subSequenceNumber,
      })),
    );
  });

  property.prop([key, records])('has the size that was predicted', (partitionKey, data) => {
    const keyBytes = Buffer.byteLength(partitionKey);
    const sizes = data.map((bytes) => bytes.length);
    const actual = encodeAggregate(partitionKey, data).length;
    expect(aggregateSize(keyBytes, sizes)).toBe(actual);
  });

  test.each([
    [1, 640, 706],
    [30, 640, 19_498],
    [75, 640, 48_658],
    [8, 3200, 25_722],
    [1, 25_600, 25_668],
  ])('packs %i records of %i bytes into %i', (count, size, total) => {
    expect(
      aggregateSize(
        36,
        Array.from({ length: count }, () => size),
      ),
    ).toBe(total);
  });

  test('carries 5,000 records and large ones', () => {
    const many = Array.from({ length: 5000 }, (_, index) => Buffer.from([index & 255, index >> 8]));
    expect(decodeAggregate(encodeAggregate('k', many), '').map(({ data }) => data)).toEqual(many);
    const large = Buffer.alloc(3_000_000, 7);
    const packed = encodeAggregate('k', [large]);
    expect(packed.length).toBe(aggregateSize(1, [large.length]));
    expect(decodeAggregate(packed, '')[0]?.data.equals(large)).toBe(true);
  });

  property.prop([
    key,
    fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { minLength: 1, maxLength: 20 }),
  ])('is read by aws-kinesis-agg', (partitionKey, data) => {
    const read: Buffer[] = [];
    deaggregateSync(
      {
        data: encodeAggregate(partitionKey, data).toString('base64'),
        partitionKey,
        sequenceNumber: '1',
        approximateArrivalTimestamp: 0,
        kinesisSchemaVersion: '1.0',
      },
      true,
      (error, userRecords) => {
        if (error) throw error;
        for (const record of userRecords ?? []) {
          expect(record.partitionKey).toBe(Buffer.from(partitionKey).toString());
          read.push(Buffer.from(record.data, 'base64'));
        }
      },
    );
    expect(read).toEqual(data.map((bytes) => Buffer.from(bytes)));
  });
});

describe('decoding', () => {
  test('returns views into the record', () => {
    const packed = encodeAggregate('k', [Buffer.from('abc')]);
    expect(
      decodeAggregate(new Uint8Array(packed.buffer, packed.byteOffset, packed.length), '')[0]?.data
        .buffer,
    ).toBe(packed.buffer);
  });

  property.prop([fc.uint8Array({ maxLength: 200 })])('passes random bytes through', (bytes) => {
    const data = Buffer.from(bytes);
    expect(decodeAggregate(bytes, 'k')).toEqual([
      { partitionKey: 'k', data, subSequenceNumber: 0 },
    ]);
  });

  property.prop([fc.uint8Array({ minLength: 1, maxLength: 120 })])(
    'never throws anything but bad-index on a sealed body of random bytes',
    (body) => {
      try {
        expect(Array.isArray(decodeAggregate(seal(Buffer.from(body)), 'k'))).toBe(true);
      } catch (error) {
        expect(error instanceof ServiceError && error.code).toBe('record/bad-index');
      }
    },
  );

  test.each([
    ['no partition key index', '0a026d311a031a0178'],
    ['no data', '0a026d311a020800'],
    ['a length beyond the message', '0a026d311a7f08001a0178'],
    ['field number 0', '0a026d310000'],
    ['an end-group without a start', '0a026d311c'],
    ['a varint of eleven bytes', `0a026d3120${'80'.repeat(10)}00`],
    ['a message that ends in a varint', '0a026d3120'],
    ['a message that ends in a fixed32', '0a026d312500'],
    ['groups nested without end', `0a026d31${'23'.repeat(40)}`],
  ])('passes through an aggregate with %s', (_what, bodyHex) => {
    const data = seal(Buffer.from(bodyHex, 'hex'));
    expect(decodeAggregate(data, 'k')).toEqual([{ partitionKey: 'k', data, subSequenceNumber: 0 }]);
  });

  test('skips unknown fields of every wire type', () => {
    const unknown = ['2001', '210000000000000000', '22026869', '23080124', '2500000000'];
    for (const field of unknown) {
      const data = seal(Buffer.from(`0a026d31${field}1a0508001a0178`, 'hex'));
      expect(decodeAggregate(data, 'k')).toEqual([
        { partitionKey: 'm1', data: Buffer.from('x'), subSequenceNumber: 0 },
      ]);
    }
  });

  test('refuses an explicit hash key index without an entry', () => {
    const data = viaProtobufjs({
      partition_key_table: ['m1'],
      records: [{ partition_key_index: 0, explicit_hash_key_index: 0, data: Buffer.from('x') }],
    });
    expect(() => decodeAggregate(data, 'k')).toThrow('[record/bad-index]');
  });

  test('takes nothing longer than a Kinesis record for an aggregate', () => {
    const data = encodeAggregate('k', [Buffer.alloc(10 * 1024 * 1024)]);
    expect(decodeAggregate(data, 'outer')[0]?.partitionKey).toBe('outer');
  });
});
