import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { fc, test as property } from '@fast-check/vitest';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { ServiceError } from '../errors.ts';
import { decodeMediaRecord } from './decode-media-record.ts';
import { encodeMediaRecord, splitIntoChunks } from './encode-media-record.ts';
import type { MediaRecord } from './media-record.ts';

const schema = protobuf.loadSync(fileURLToPath(new URL('./media_record.proto', import.meta.url)));
const Published = schema.lookupType('rtms.v1.MediaRecord');

const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const positive = fc.integer({ min: 1, max: 0xffffffff });
const safe = fc.oneof(
  fc.maxSafeNat(),
  fc.constantFrom(
    0,
    127,
    128,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 32,
    2 ** 35 - 1,
    2 ** 35,
    2 ** 49,
    2 ** 53 - 1,
  ),
);
const text = fc.string({ unit: 'grapheme', maxLength: 60 });
const fields = {
  rtmsStreamId: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
  epoch: positive,
  sequence: safe.filter((value) => value > 0),
  mediaType: fc.constantFrom(1, 2, 4),
  userName: text,
  capturedAtMs: safe,
  receivedAtMs: safe,
  codec: fc.integer({ min: 0, max: 7 }),
  sampleRateHz: uint32,
  channels: uint32,
  width: uint32,
  height: uint32,
  payload: fc.uint8Array({ maxLength: 400 }),
};
const media: fc.Arbitrary<MediaRecord> = fc.oneof(
  fc.record({ ...fields, userId: uint32 }),
  fc.record({ ...fields, channelId: text }),
);

const audio: MediaRecord = {
  rtmsStreamId: 'stream-1',
  epoch: 3,
  sequence: 70_000,
  mediaType: 1,
  userId: 0,
  userName: 'Zoë',
  capturedAtMs: 1_738_392_033_699,
  receivedAtMs: 1_738_392_033_712,
  codec: 1,
  sampleRateHz: 16_000,
  channels: 1,
  payload: Buffer.alloc(640, 5),
};

/** What protobufjs writes, and the empty payload that we write all the same. */
function published(record: MediaRecord): Buffer {
  const all = { ...record, payloadCrc32: crc32(record.payload) };
  const isKept = ([name, value]: [string, unknown]) =>
    name === 'userId' || name === 'channelId' || (value !== 0 && value !== '');
  const kept = Object.fromEntries(Object.entries(all).filter(isKept));
  const written = Published.encode(Published.fromObject(kept)).finish();
  return Buffer.concat([written, Buffer.from(record.payload.length === 0 ? '920100' : '', 'hex')]);
}

const filled = (record: MediaRecord) => ({
  userId: undefined,
  channelId: undefined,
  sampleRateHz: 0,
  channels: 0,
  width: 0,
  height: 0,
  chunkIndex: 0,
  chunkCount: 0,
  ...record,
  payload: Buffer.from(record.payload),
});
const code = (action: () => unknown) => {
  try {
    action();
  } catch (error) {
    if (error instanceof ServiceError) return error.code;
    throw error;
  }
  return 'none';
};

describe('encoding', () => {
  property.prop([media])('equals protobufjs with the published schema, byte for byte', (record) => {
    expect(encodeMediaRecord(record).equals(published(record))).toBe(true);
  });

  property.prop([media])('comes back as it went in', (record) => {
    expect(decodeMediaRecord(encodeMediaRecord(record))).toEqual(filled(record));
  });

  test('starts with 0x0A, so that no record looks like an aggregate', () => {
    expect(encodeMediaRecord(audio)[0]).toBe(0x0a);
  });

  test('leaves a checksum of 0 out, as proto3 does', () => {
    const payload = Buffer.from([0x9d, 0x0a, 0xd9, 0x6d]); // CRC-32 is 0
    expect(crc32(payload)).toBe(0);
    const record = { ...audio, payload };
    expect(encodeMediaRecord(record).equals(published(record))).toBe(true);
    expect(decodeMediaRecord(encodeMediaRecord(record)).payload).toEqual(payload);
  });

  test.each([
    ['no stream id', { rtmsStreamId: '' }],
    ['no source', { userId: undefined }],
    ['two sources', { channelId: 'c' }],
    ['epoch 0', { epoch: 0 }],
    ['sequence 0', { sequence: 0 }],
    ['no media type', { mediaType: 0 }],
    ['a negative user id', { userId: -1 }],
    ['a user id beyond 32 bits', { userId: 2 ** 32 }],
    ['a fraction', { capturedAtMs: 1.5 }],
    ['not a number', { receivedAtMs: Number.NaN }],
    ['a time before 1970', { capturedAtMs: -1 }],
    ['an unsafe sequence', { sequence: 2 ** 53 }],
  ])('refuses %s', (_what, wrong) => {
    expect(code(() => encodeMediaRecord({ ...audio, ...wrong }))).toBe('record/malformed');
  });
});

describe('decoding', () => {
  test('reads what protobufjs writes', () => {
    expect(decodeMediaRecord(new Uint8Array(published(audio)))).toEqual(filled(audio));
  });

  test('skips fields of later versions', () => {
    const later = Buffer.concat([
      encodeMediaRecord(audio),
      Buffer.from('980107a2010261629d0100000000', 'hex'),
    ]);
    expect(decodeMediaRecord(later)).toEqual(filled(audio));
  });

  test('takes the last member of the oneof', () => {
    const both = Buffer.concat([encodeMediaRecord(audio), Buffer.from('320163', 'hex')]);
    expect(decodeMediaRecord(both)).toMatchObject({ userId: undefined, channelId: 'c' });
    expect(decodeMediaRecord(Buffer.concat([both, Buffer.from('2809', 'hex')]))).toMatchObject({
      userId: 9,
      channelId: undefined,
    });
  });

  test('returns the payload as a view', () => {
    const bytes = encodeMediaRecord(audio);
    expect(decodeMediaRecord(bytes).payload.buffer).toBe(bytes.buffer);
  });

  property.prop([media, fc.nat(), fc.integer({ min: 1, max: 255 })])(
    'never takes a damaged payload for the frame',
    (record, where, flip) => {
      fc.pre(record.payload.length > 0);
      const bytes = encodeMediaRecord(record);
      const at = bytes.length - 1 - (where % record.payload.length);
      bytes[at] = (bytes[at] as number) ^ flip;
      expect(code(() => decodeMediaRecord(bytes))).toBe('record/bad-checksum');
    },
  );

  property.prop([media, fc.double({ min: 0, max: 0.999, noNaN: true })])(
    'refuses a truncated record',
    (record, share) => {
      const bytes = encodeMediaRecord(record);
      const short = bytes.subarray(0, Math.floor(bytes.length * share));
      expect(code(() => decodeMediaRecord(short))).toMatch(/^record\/(malformed|bad-checksum)$/);
    },
  );

  property.prop([fc.uint8Array({ maxLength: 300 })])('refuses foreign bytes', (bytes) => {
    expect(code(() => decodeMediaRecord(bytes))).toMatch(/^record\/(malformed|bad-checksum)$/);
  });

  test.each([
    ['no source', '0a016110011801200140014801920100'],
    ['no payload', '0a01611001180120012801'],
    ['a chunk number beyond the count', '0a0161100118012001280178027801920100'],
    ['a user id beyond 32 bits', '0a01611001180120012880808080800240014801'],
    ['a negative time', '0a016110011801200128014' + '0ffffffffffffffffff01'],
  ])('refuses %s', (_what, hex) => {
    expect(code(() => decodeMediaRecord(Buffer.from(hex, 'hex')))).toBe('record/malformed');
  });
});

describe('cutting into chunks', () => {
  test('leaves a frame that fits whole', () => {
    expect(splitIntoChunks(audio, 1_000_000)).toEqual([encodeMediaRecord(audio)]);
  });

  property.prop([media, fc.integer({ min: 1, max: 120 })])(
    'keeps every chunk within the limit, checksummed, and gives the frame back',
    (record, room) => {
      const overhead = encodeMediaRecord({ ...record, payload: Buffer.alloc(0) }).length + 26;
      const chunks = splitIntoChunks(record, overhead + room);
      for (const chunk of chunks) expect(chunk.length).toBeLessThanOrEqual(overhead + room);
      const decoded = chunks.map(decodeMediaRecord);
      expect(Buffer.concat(decoded.map(({ payload }) => payload)).equals(record.payload)).toBe(
        true,
      );
      if (chunks.length === 1) return;
      for (const [index, chunk] of decoded.entries()) {
        const { payload } = chunk;
        expect(chunk).toEqual({
          ...filled(record),
          chunkIndex: index,
          chunkCount: chunks.length,
          payload,
        });
      }
    },
  );

  test('refuses a limit that leaves no room', () => {
    expect(code(() => splitIntoChunks(audio, 60))).toBe('kinesis/record-too-large');
  });
});
