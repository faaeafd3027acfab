import { describe, expect, test } from 'vitest';
import { splitIntoChunks } from '../../../shared/record/encode-media-record.ts';
import { encodeAggregate } from '../../../shared/record/kpl.ts';
import { mediaRecord, packed } from '../../../test/support/test-records.ts';
import { type Marks, remember } from '../reading/marks.ts';
import type { Frame } from '../records/frame.ts';
import { FrameDecoder, type KinesisRecord } from '../records/records.ts';
import { PageItems } from './page-items.ts';

const numbered = (sequenceNumber: string, record: KinesisRecord) => ({ ...record, sequenceNumber });
const frames = (from: number, count: number, userId = 7) =>
  Array.from({ length: count }, (_, index) => mediaRecord({ sequence: from + index, userId }));

describe('where everything is processed', () => {
  test('is behind each item of a record, and behind the record once all are', () => {
    const page = new PageItems<Frame>({ sequenceNumber: '1' }, undefined);
    const decoder = new FrameDecoder();
    page.take(decoder, numbered('2', packed(frames(1, 3))));
    page.take(decoder, numbered('3', packed(frames(4, 1))));
    expect(page.whole).toEqual({ sequenceNumber: '3' });
    expect(page.items.map((item) => page.positionOf(item))).toEqual([
      { sequenceNumber: '2', subSequenceNumber: 0 },
      { sequenceNumber: '2', subSequenceNumber: 1 },
      { sequenceNumber: '2', subSequenceNumber: 2 },
      { sequenceNumber: '3', subSequenceNumber: 0 },
    ]);
  });

  test('is not behind a frame whose last chunk has not come', () => {
    const page = new PageItems<Frame>({ sequenceNumber: '1' }, undefined);
    const decoder = new FrameDecoder();
    const share = mediaRecord({ mediaType: 4, codec: 5, payload: Buffer.alloc(3_000) });
    const [first, ...rest] = splitIntoChunks(share, 1_500);
    const audio = frames(1, 2).map((record) => splitIntoChunks(record, 10_000)[0] as Buffer);
    const open = encodeAggregate('stream-1', [
      audio[0] as Buffer,
      first as Buffer,
      audio[1] as Buffer,
    ]);
    page.take(decoder, { data: open, partitionKey: 'stream-1', sequenceNumber: '2' });
    expect(page.items).toHaveLength(2);
    const behindFirst = { sequenceNumber: '2', subSequenceNumber: 0 };
    expect(page.whole).toEqual(behindFirst);
    expect(page.items.map((item) => page.positionOf(item))).toEqual([behindFirst, behindFirst]);
    const next = new PageItems<Frame>(page.whole, undefined);
    const data = encodeAggregate('stream-1', rest);
    next.take(decoder, { data, partitionKey: 'stream-1', sequenceNumber: '3' });
    expect(next.items).toHaveLength(1);
    expect(next.whole).toEqual({ sequenceNumber: '3' });
  });

  test('leaves out what was processed of the record that reading began with', () => {
    const resumed = { sequenceNumber: '2', subSequenceNumber: 1 };
    const page = new PageItems<Frame>(resumed, resumed);
    page.take(new FrameDecoder(), numbered('2', packed(frames(1, 4))));
    expect(page.items.map(({ sequence }) => sequence)).toEqual([3, 4]);
  });
});

test('the marks of a page remember as much as those of each of its frames', () => {
  const decoder = new FrameDecoder();
  const records = [
    packed([...frames(1, 5), ...frames(1, 3, 8)], 'a'),
    packed(frames(9, 2), 'b'),
    packed([...frames(6, 2, 8), ...frames(4, 1, 8), ...frames(6, 1)], 'a'),
    packed([mediaRecord({ sequence: 1, epoch: 2, channelId: 'c' })], 'a'),
  ];
  const all = records.flatMap((record) => [...decoder.decode(record)]);
  const [each, newest]: Marks[] = [new Map(), new Map()];
  for (const frame of all) remember(each as Marks, FrameDecoder.markOf(frame));
  for (const mark of FrameDecoder.marksOf(all)) remember(newest as Marks, mark);
  expect(newest).toEqual(each);
  expect(FrameDecoder.marksOf(all)).toHaveLength(each?.size ?? 0);
});
