import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import type { ServiceError } from '../../../shared/errors.ts';
import { encodeMediaRecord, splitIntoChunks } from '../../../shared/record/encode-media-record.ts';
import { encodeAggregate } from '../../../shared/record/kpl.ts';
import {
  kinesisRecord,
  mediaRecord,
  packed,
  START_MS,
} from '../../../test/support/test-records.ts';
import { FrameDecoder, type KinesisRecord } from './records.ts';

const sequences = (decoder: FrameDecoder, records: readonly KinesisRecord[]) =>
  records.flatMap((record) => [...decoder.decode(record)].map(({ sequence }) => sequence));

function collecting() {
  const errors: ServiceError[] = [];
  const decoder = new FrameDecoder({ onBadRecord: (error) => void errors.push(error) });
  return { decoder, errors };
}

describe('frames', () => {
  test('have dates, names and the Kinesis record they came from', () => {
    const record = packed([mediaRecord({ sequence: 3 })]);
    expect([...new FrameDecoder().decode(record)]).toEqual([
      {
        rtmsStreamId: 'stream-1',
        epoch: 1,
        sequence: 3,
        mediaType: 'audio',
        userId: 7,
        userName: 'Ada',
        capturedAt: new Date(START_MS + 40),
        receivedAt: new Date(START_MS + 60),
        codec: 'L16',
        sampleRateHz: 16_000,
        channels: 1,
        width: 0,
        height: 0,
        payload: Buffer.alloc(640, 3),
        partitionKey: 'stream-1',
        kinesisSequenceNumber: record.sequenceNumber,
      },
    ]);
  });

  test('have names for channels, shares and codecs that this version does not know', () => {
    const record = packed([
      mediaRecord({ mediaType: 4, channelId: 'c-1', codec: 99, width: 1920, height: 1080 }),
    ]);
    const [frame] = new FrameDecoder().decode(record);
    expect(frame).toMatchObject({ mediaType: 'deskshare', channelId: 'c-1', codec: 'UNDEFINED' });
    expect(frame).not.toHaveProperty('userId');
  });

  test('come out of an aggregate in order', () => {
    const records = [1, 2, 3, 4].map((sequence) => mediaRecord({ sequence }));
    expect(sequences(new FrameDecoder(), [packed(records)])).toEqual([1, 2, 3, 4]);
  });
});

describe('a frame that was delivered before', () => {
  const first = packed([1, 2].map((sequence) => mediaRecord({ sequence })));
  const second = packed([mediaRecord({ sequence: 3 })]);

  test('is dropped and counted', () => {
    const decoder = new FrameDecoder();
    expect(sequences(decoder, [first, first, second, first])).toEqual([1, 2, 3]);
    expect(decoder.counts).toEqual({ delivered: 3, repeated: 4, fenced: 0, bad: 0 });
  });

  test('is handed out again with repeats: keep', () => {
    const decoder = new FrameDecoder({ repeats: 'keep' });
    expect(sequences(decoder, [first, first])).toEqual([1, 2, 1, 2]);
  });

  test('is not mistaken for a late frame', () => {
    const late = packed([mediaRecord({ sequence: 2 })]);
    const others = [1, 3].map((sequence) => packed([mediaRecord({ sequence })]));
    expect(sequences(new FrameDecoder(), [...others, late])).toEqual([1, 3, 2]);
  });

  test('is recognised by source, media type and rtmsStream', () => {
    const records = [
      mediaRecord(),
      mediaRecord({ userId: 8 }),
      mediaRecord({ channelId: '7' }),
      mediaRecord({ mediaType: 2 }),
      mediaRecord({ rtmsStreamId: 'stream-2' }),
    ];
    expect(sequences(new FrameDecoder(), [packed(records)])).toHaveLength(5);
  });
});

describe('a writer that lost the ownership', () => {
  test('is fenced under a partition key where its successor wrote', () => {
    const decoder = new FrameDecoder();
    const records = [
      packed([mediaRecord({ epoch: 1, sequence: 1 })]),
      packed([mediaRecord({ epoch: 2, sequence: 1 })]),
      packed([mediaRecord({ epoch: 1, sequence: 2 })]),
      packed([mediaRecord({ epoch: 2, sequence: 2 })]),
    ];
    expect(sequences(decoder, records)).toEqual([1, 1, 2]);
    expect(decoder.counts.fenced).toBe(1);
  });

  test('is read under a partition key that its successor has not used', () => {
    const decoder = new FrameDecoder();
    const records = [
      packed([mediaRecord({ epoch: 2 })], 'key-a'),
      packed([mediaRecord({ epoch: 1, mediaType: 2 })], 'key-b'),
    ];
    expect(sequences(decoder, records)).toEqual([1, 1]);
  });
});

describe('a frame cut into chunks', () => {
  const payload = Buffer.from(Array.from({ length: 5000 }, (_, index) => index % 251));
  const large = mediaRecord({ sequence: 2, payload });
  const chunks = splitIntoChunks(large, 1000).map((chunk) => kinesisRecord(chunk));
  const next = packed([mediaRecord({ sequence: 3 })]);

  test('is put together again', () => {
    const decoder = new FrameDecoder();
    const frames = chunks.flatMap((chunk) => [...decoder.decode(chunk)]);
    expect(frames).toHaveLength(1);
    expect(frames[0]?.payload.equals(payload)).toBe(true);
    expect(decoder.waiting).toBe(false);
  });

  test('ignores repeated chunks', () => {
    const decoder = new FrameDecoder();
    const twice = [...chunks.slice(0, 3), ...chunks, ...chunks];
    const frames = twice.flatMap((chunk) => [...decoder.decode(chunk)]);
    expect(frames.map((frame) => frame.payload.equals(payload))).toEqual([true]);
  });

  test('is reported, and not handed out in part, when a chunk is missing', () => {
    const { decoder, errors } = collecting();
    expect(sequences(decoder, [...chunks.slice(1), next])).toEqual([3]);
    expect(errors).toMatchObject([
      { code: 'record/malformed', detail: { sequence: 2, epoch: 1, rtmsStreamId: 'stream-1' } },
    ]);
    expect(errors[0]?.detail['sequenceNumber']).toBe(chunks[1]?.sequenceNumber);
  });

  test('is reported when its source falls silent while others go on', () => {
    const { decoder, errors } = collecting();
    const minuteLater = { userId: 8, receivedAtMs: START_MS + 120_000 };
    sequences(decoder, [...chunks.slice(0, 2), packed([mediaRecord(minuteLater)])]);
    expect(errors).toHaveLength(1);
    expect(decoder.waiting).toBe(false);
  });

  test('is reported by finish when chunks are still missing', () => {
    const { decoder, errors } = collecting();
    sequences(decoder, chunks.slice(0, 2));
    expect(decoder.waiting).toBe(true);
    decoder.finish();
    expect(errors).toHaveLength(1);
  });

  test('is reported and dropped beyond 64 MiB', () => {
    const { decoder, errors } = collecting();
    const part = Buffer.alloc(9 * 1024 * 1024);
    for (let chunkIndex = 0; chunkIndex < 8; chunkIndex++) {
      sequences(decoder, [packed([mediaRecord({ payload: part, chunkIndex, chunkCount: 8 })])]);
    }
    expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining('64 MiB')]);
  });
});

describe('bad records', () => {
  const good = mediaRecord({ sequence: 9 });
  const foreign = encodeAggregate('stream-1', [
    Buffer.from('{"not":"ours"}'),
    encodeMediaRecord(good),
    encodeMediaRecord(mediaRecord({ mediaType: 8 })),
  ]);

  test('are skipped one by one and reported with their sequence number', () => {
    const { decoder, errors } = collecting();
    const record = kinesisRecord(foreign);
    expect(sequences(decoder, [record])).toEqual([9]);
    const { sequenceNumber } = record;
    expect(errors.map(({ code, detail }) => ({ code, ...detail }))).toEqual([
      { code: 'record/malformed', sequenceNumber, subSequenceNumber: 0 },
      { code: 'record/malformed', sequenceNumber, subSequenceNumber: 2 },
    ]);
    expect(decoder.counts.bad).toBe(2);
  });

  test('are thrown when there is no onBadRecord, after the frames before them', () => {
    const record = packed([mediaRecord()]);
    const aggregate = kinesisRecord(
      encodeAggregate('stream-1', [record.data, Buffer.from('junk'), encodeMediaRecord(good)]),
    );
    const seen: number[] = [];
    const read = () => {
      for (const frame of new FrameDecoder().decode(aggregate)) seen.push(frame.sequence);
    };
    expect(read).toThrow('[record/malformed]');
    expect(seen).toEqual([1]);
  });

  test('include aggregates that point to a key they do not hold', () => {
    const { decoder, errors } = collecting();
    const data = Buffer.from(
      'f3899ac20a026d311a0508011a0178c05dacc22e835f26065c35008ea529b4',
      'hex',
    );
    expect(sequences(decoder, [kinesisRecord(data)])).toEqual([]);
    expect(errors).toMatchObject([{ code: 'record/bad-index' }]);
  });

  property.prop([fc.uint8Array({ maxLength: 400 })])(
    'that are random bytes give no frame',
    (data) => {
      const { decoder, errors } = collecting();
      expect(sequences(decoder, [kinesisRecord(data)])).toEqual([]);
      expect(errors).toHaveLength(1);
    },
  );

  property.prop([fc.nat(), fc.integer({ min: 1, max: 255 }), fc.boolean()])(
    'that are damaged anywhere never give a changed payload',
    (where, flip, isCut) => {
      const whole = [1, 2, 3].map((sequence) => mediaRecord({ sequence }));
      const record = packed(whole);
      const data = Buffer.from(record.data);
      const at = where % data.length;
      data[at] = (data[at] as number) ^ flip;
      const { decoder } = collecting();
      const damaged = { ...record, data: isCut ? data.subarray(0, at) : data };
      for (const frame of decoder.decode(damaged)) {
        expect(frame.payload.equals(Buffer.alloc(640, frame.sequence))).toBe(true);
      }
    },
  );
});
