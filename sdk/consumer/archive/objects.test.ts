import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { event, frame, START_MS } from '../../../test/support/test-records.ts';
import type { Frame } from '../records/frame.ts';
import { archivedLine, EventSlice, eventsOfObject, sortedEvents } from './event-lines.ts';
import {
  deletionKey,
  eventsName,
  mediaName,
  minuteOf,
  parseArchiveUrl,
  parseName,
  sessionFolder,
} from './layout.ts';
import { framesOfObject, sortedMedia } from './media-object.ts';
import { MediaSlice } from './media-slice.ts';

describe('names', () => {
  test.each([
    ['s3://bucket', { bucket: 'bucket', prefix: '' }],
    ['s3://bucket/', { bucket: 'bucket', prefix: '' }],
    ['s3://my.bucket-1/a/b', { bucket: 'my.bucket-1', prefix: 'a/b/' }],
    ['s3://bucket/a/', { bucket: 'bucket', prefix: 'a/' }],
  ])('%s is an archive', (url, place) => {
    expect(parseArchiveUrl(url)).toEqual(place);
  });

  test.each(['bucket', 's3:/bucket', 's3://', 's3://B', 'https://bucket.s3.amazonaws.com'])(
    '%s is none',
    (url) => {
      expect(() => parseArchiveUrl(url)).toThrow(/config\/invalid/);
    },
  );

  test.each([
    [{ mediaType: 'audio', userId: 7 }, 'media/audio/user-7/2027-01-15T08-00Z.rtms'],
    [{ mediaType: 'video', userId: 0 }, 'media/video/user-0/2027-01-15T08-00Z.rtms'],
    [
      { mediaType: 'deskshare', channelId: 'c' },
      'media/deskshare/channel-c/2027-01-15T08-00Z.rtms',
    ],
  ] as const)('the frames of %o', (source, name) => {
    expect(mediaName(source, minuteOf(START_MS + 59_999))).toBe(name);
    const minuteMs = START_MS;
    expect(parseName(name)).toEqual({ kind: 'media', mediaType: source.mediaType, minuteMs });
  });

  test.each([0, START_MS, minuteOf(-1), minuteOf(8.64e15), minuteOf(-8.64e15 + 60_000)])(
    'the events of minute %i',
    (minuteMs) => {
      expect(parseName(eventsName(minuteMs))).toEqual({ kind: 'events', minuteMs });
    },
  );

  test.each([
    ['manifest.json', 'manifest'],
    ['meeting.mp4', 'meeting'],
    ['media/audio/user-7/x.rtms', 'other'],
    ['media/smell/user-7/2027-01-15T08-00Z.rtms', 'other'],
    ['events/2027-01-15T08-00Z.txt', 'other'],
  ])('%s is %s', (name, kind) => {
    expect(parseName(name)).toEqual({ kind });
  });

  test.prop([fc.string({ minLength: 1 }), fc.string({ minLength: 1 })])(
    'no id leaves its folder, and no two share one',
    (a, b) => {
      const folder = sessionFolder('p/', a);
      expect(folder).toMatch(/^p\/sessions\/[\w.=-]+\/$/);
      expect(folder).not.toContain('/../');
      if (a !== b) expect(sessionFolder('p/', b)).not.toBe(folder);
      expect(deletionKey('p/', a)).toMatch(/^p\/deletions\/[\w.=-]+\.json$/);
    },
  );
});

const sequences = (bytes: Buffer) => [...framesOfObject(bytes)].map(({ sequence }) => sequence);
const objectOf = (frames: readonly Frame[]) => {
  const slice = new MediaSlice();
  for (const one of frames) slice.add(one);
  return slice.bytes();
};

describe('an object of media', () => {
  test('holds frames as they were', () => {
    const frames = [
      frame({ sequence: 1 }),
      frame({ sequence: 2, userName: 'Ada Lovelace', codec: 4, sampleRateHz: 48_000 }),
      frame({ sequence: 3, recovered: true }),
      frame({ sequence: 4, payload: Buffer.alloc(100_000, 4) }),
      frame({ sequence: 1, epoch: 2, capturedAtMs: 0, payload: Buffer.alloc(0) }),
    ];
    const stripped = ({ kinesisSequenceNumber: _, ...rest }: Frame) => rest;
    const read = [...framesOfObject(objectOf(frames))];
    expect(read.map(stripped)).toEqual(frames.map(stripped));
  });

  test('grows by what is added, and says what memory it takes', () => {
    const slice = new MediaSlice();
    const before = slice.heldBytes;
    for (let sequence = 1; sequence <= 500; sequence += 1) slice.add(frame({ sequence }));
    expect(slice.heldBytes).toBeGreaterThan(before);
    const { length } = slice.bytes();
    expect(slice.heldBytes).toBeGreaterThanOrEqual(length);
    expect(slice.heldBytes).toBeLessThan(3 * length);
    expect(sequences(slice.bytes())).toHaveLength(500);
  });

  const identity = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 30 }));
  test.prop([fc.array(fc.array(identity, { maxLength: 20 }), { minLength: 1, maxLength: 4 })])(
    'the union of objects is the same in every order, sorted, and has each frame once',
    (parts) => {
      const objects = parts.map((part) =>
        objectOf(part.map(([epoch, sequence]) => frame({ epoch, sequence }))),
      );
      const union = sortedMedia(objects);
      expect(sortedMedia(objects.toReversed())).toEqual(union);
      expect(sortedMedia([union, ...objects])).toEqual(union);
      const step = objects.reduce((sum, object) => sortedMedia([sum, object]), Buffer.alloc(0));
      expect(step).toEqual(union);
      const wanted = new Set(parts.flat().map(([epoch, sequence]) => epoch * 100 + sequence));
      const found = [...framesOfObject(union)].map(({ epoch, sequence }) => epoch * 100 + sequence);
      expect(found).toEqual([...wanted].sort((a, b) => a - b));
    },
  );

  test.each([1, 5, 40])('that is cut %i bytes before its end is refused', (bytes) => {
    const whole = objectOf([frame({ sequence: 1 }), frame({ sequence: 2 })]);
    expect(() => sequences(whole.subarray(0, -bytes))).toThrow(/record\//);
  });

  test('of which a byte of the payload has changed is refused', () => {
    const damaged = Buffer.from(objectOf([frame({ sequence: 1 })]));
    damaged[damaged.length - 1] = 0xff;
    expect(() => sequences(damaged)).toThrow(/record\/bad-checksum/);
  });
});

describe('an object of events', () => {
  const chat = (sequence: number, epoch = 1) =>
    event(
      'transcript',
      { text: `line ${sequence} \u2028`, userId: 7, timestampMs: START_MS },
      sequence,
      { epoch },
    );

  test('holds events as they were, each once', () => {
    const slice = new EventSlice();
    for (const one of [chat(2), chat(1), chat(2), chat(1, 2)]) slice.add(one);
    const read = eventsOfObject(slice.bytes());
    expect(read.map(({ id }) => id)).toEqual(['stream-1/1/1', 'stream-1/1/2', 'stream-1/2/1']);
    expect(read[0]).toMatchObject({ name: 'transcript', data: chat(1).data, time: chat(1).time });
    expect(sortedEvents([slice.bytes(), slice.bytes()])).toEqual(slice.bytes());
  });

  test('keeps what a later version has written', () => {
    const line = archivedLine(chat(1)).toString().replace('rtms.transcript.v1', 'rtms.smell.v2');
    const [newer] = eventsOfObject(Buffer.from(line));
    expect(newer).toMatchObject({ name: 'newer', type: 'rtms.smell.v2' });
    expect(JSON.parse(Buffer.from(archivedLine(newer ?? chat(1))).toString())).toEqual(
      JSON.parse(line),
    );
  });

  test('keeps the mark of what was read back from a disk', () => {
    const line = archivedLine({ ...chat(1), recovered: true });
    expect(eventsOfObject(Buffer.from(line))[0]).toMatchObject({ recovered: true });
  });

  test('that ends inside a line is refused', () => {
    expect(() => eventsOfObject(Buffer.from(archivedLine(chat(1))).subarray(0, -1))).toThrow(
      /record\/malformed/,
    );
  });
});
