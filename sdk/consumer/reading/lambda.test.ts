import { fc, test as property } from '@fast-check/vitest';
import type { Context, KinesisStreamEvent, KinesisStreamHandler } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { splitIntoChunks } from '../../../shared/record/encode-media-record.ts';
import {
  eventBytes,
  kinesisRecord,
  mediaRecord,
  packed,
  START_MS,
} from '../../../test/support/test-records.ts';
import type { KinesisRecord } from '../records/records.ts';
import { decodeKinesisEvent } from './lambda.ts';

/** @param agoS how long ago the records arrived; without it the event does not say */
const lambdaEvent = (records: readonly KinesisRecord[], agoS?: number) => ({
  Records: records.map(({ data, partitionKey, sequenceNumber }) => ({
    kinesis: {
      data: Buffer.from(data).toString('base64'),
      partitionKey,
      sequenceNumber,
      ...(agoS !== undefined && { approximateArrivalTimestamp: Date.now() / 1000 - agoS }),
    },
  })),
});
const line = kinesisRecord(eventBytes('sharing_stopped', { timestampMs: START_MS }));
const first = packed([1, 2].map((sequence) => mediaRecord({ sequence })));
const junk = kinesisRecord(Buffer.from('junk'));
const last = packed([mediaRecord({ sequence: 3 })]);

const chunks = splitIntoChunks(mediaRecord({ sequence: 3, payload: Buffer.alloc(3000, 1) }), 1000);
const chunkRecords = chunks.map((chunk) => kinesisRecord(chunk));

describe('decodeKinesisEvent', () => {
  test('fits the handler type of @types/aws-lambda', async () => {
    const handler: KinesisStreamHandler = async (event) => {
      const { frames, batchItemFailures } = decodeKinesisEvent(event, { badRecords: 'skip' });
      expect(frames).toHaveLength(2);
      return { batchItemFailures };
    };
    const event = lambdaEvent([first]) as unknown as KinesisStreamEvent;
    expect(await handler(event, {} as Context, () => undefined)).toEqual({ batchItemFailures: [] });
  });

  test.each(['skip', 'fail'] as const)(
    'names the first chunk of a frame that ends in the next batch (bad records: %s)',
    (badRecords) => {
      const [one, two, ...rest] = chunkRecords as [
        KinesisRecord,
        KinesisRecord,
        ...KinesisRecord[],
      ];
      const other = packed([mediaRecord({ sequence: 1, userId: 8 })]);
      const cut = decodeKinesisEvent(lambdaEvent([first, one, other, two]), { badRecords });
      expect(cut.batchItemFailures).toEqual([{ itemIdentifier: one.sequenceNumber }]);
      // What is behind that record comes again with it.
      expect(cut.frames.map(({ userId, sequence }) => `${userId} ${sequence}`)).toEqual([
        '7 1',
        '7 2',
      ]);
      const again = decodeKinesisEvent(lambdaEvent([one, other, two, ...rest]), { badRecords });
      expect([again.bad, again.batchItemFailures]).toEqual([[], []]);
      expect(again.frames).toHaveLength(2);
    },
  );

  test('reports a frame whose first chunk is old and begins the batch, when its rest has not come', () => {
    const event = chunkRecords.slice(0, 1);
    expect(decodeKinesisEvent(lambdaEvent(event, 5)).batchItemFailures).toHaveLength(1);
    const { bad, batchItemFailures } = decodeKinesisEvent(lambdaEvent(event, 90));
    expect(batchItemFailures).toEqual([]);
    expect(bad).toMatchObject([{ code: 'record/malformed' }]);
    const failing = decodeKinesisEvent(lambdaEvent(event, 90), { badRecords: 'fail' });
    expect(failing.batchItemFailures).toEqual([{ itemIdentifier: event[0]?.sequenceNumber }]);
  });

  test('sends a first chunk again that a function far behind reads last in its batch', () => {
    const [one] = chunkRecords as [KinesisRecord];
    const { bad, batchItemFailures } = decodeKinesisEvent(lambdaEvent([first, one], 3_600));
    expect([bad, batchItemFailures]).toEqual([[], [{ itemIdentifier: one.sequenceNumber }]]);
  });

  test('hands out a frame that begins before a failing record and ends behind it', () => {
    const [one, ...rest] = chunkRecords as [KinesisRecord, ...KinesisRecord[]];
    const { frames, batchItemFailures } = decodeKinesisEvent(
      lambdaEvent([one, junk, ...rest, last]),
      { badRecords: 'fail' },
    );
    expect(frames.map(({ payload }) => payload.length)).toEqual([3000]);
    expect(batchItemFailures).toEqual([{ itemIdentifier: junk.sequenceNumber }]);
  });

  test('names the record that holds the first chunk of a frame which its source did not finish', () => {
    const [one] = chunkRecords as [KinesisRecord];
    const next = packed([mediaRecord({ sequence: 4 })]);
    const { frames, batchItemFailures } = decodeKinesisEvent(lambdaEvent([first, one, next]), {
      badRecords: 'fail',
    });
    expect(frames).toHaveLength(2);
    expect(batchItemFailures).toEqual([{ itemIdentifier: one.sequenceNumber }]);
  });

  test('reads batches of either stream', () => {
    const { frames, events, bad, batchItemFailures } = decodeKinesisEvent(
      lambdaEvent([line, first, last]),
    );
    expect(frames.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    expect(events.map(({ name }) => name)).toEqual(['sharing_stopped']);
    expect([bad, batchItemFailures]).toEqual([[], []]);
  });

  test('skips bad records and reports them', () => {
    const { frames, bad, batchItemFailures } = decodeKinesisEvent(lambdaEvent([first, junk, last]));
    expect(frames).toHaveLength(3);
    expect(bad).toMatchObject([{ detail: { sequenceNumber: junk.sequenceNumber } }]);
    expect(batchItemFailures).toEqual([]);
  });

  test('names the first bad record as the failure on demand, and hands out nothing behind it', () => {
    const { frames, batchItemFailures } = decodeKinesisEvent(
      lambdaEvent([first, junk, last, junk]),
      { badRecords: 'fail' },
    );
    expect(frames).toHaveLength(2);
    expect(batchItemFailures).toEqual([{ itemIdentifier: junk.sequenceNumber }]);
  });

  test('reports a frame whose first chunk is in no record of the batch', () => {
    const { frames, bad } = decodeKinesisEvent(
      lambdaEvent(chunks.slice(1).map((chunk) => kinesisRecord(chunk))),
    );
    expect(frames).toEqual([]);
    expect(bad).toMatchObject([{ code: 'record/malformed', detail: { sequence: 3 } }]);
  });
});

/** One source's frames, some of them in several chunks, with foreign records among them. */
const streams = fc
  .array(fc.record({ chunks: fc.integer({ min: 1, max: 3 }), user: fc.nat(2), junk: fc.nat(3) }), {
    minLength: 1,
    maxLength: 12,
  })
  .map((parts) => {
    const sequences = new Map<number, number>();
    return parts.flatMap(({ chunks: count, user: userId, junk: foreign }) => {
      const sequence = (sequences.get(userId) ?? 0) + 1;
      sequences.set(userId, sequence);
      const payload = Buffer.alloc(150 * count, 1);
      const pieces = splitIntoChunks(mediaRecord({ sequence, userId, payload }), 300);
      const records = pieces.map((piece) => kinesisRecord(piece));
      if (foreign < 3) records.splice(foreign, 0, kinesisRecord(Buffer.from('junk')));
      return records;
    });
  })
  // Sequence numbers in the order of the stream, as Kinesis gives them.
  .map((records) =>
    records.map((record, index) => ({ ...record, sequenceNumber: String(1_000 + index) })),
  );

/**
 * Lambda's mapping with `ReportBatchItemFailures` and bisecting: it goes on with the record that was named. A batch that
 * fails at its first record is cut in half, and what fails alone goes to the destination.
 */
function poll(
  records: readonly KinesisRecord[],
  batchSize: number,
  badRecords: 'skip' | 'fail',
  agoS: number,
) {
  const found = new Set<string>();
  const destination: string[] = [];
  const reported = new Set<unknown>();
  let size = batchSize;
  for (let at = 0, calls = 0; at < records.length; calls++) {
    if (calls > 1_000) throw new Error('the batch fails for ever');
    const batch = records.slice(at, at + size);
    const { frames, bad, batchItemFailures } = decodeKinesisEvent(lambdaEvent(batch, agoS), {
      badRecords,
    });
    for (const { userId, sequence } of frames) found.add(`${userId}/${sequence}`);
    for (const { detail } of bad) reported.add(detail['sequenceNumber']);
    const name = batchItemFailures[0]?.itemIdentifier;
    const failed = batch.findIndex(({ sequenceNumber }) => sequenceNumber === name);
    if (name === undefined) at += batch.length;
    else if (failed > 0) at += failed;
    else if (batch.length > 1) {
      size = Math.ceil(batch.length / 2);
      continue;
    } else {
      destination.push(name);
      at += 1;
    }
    size = batchSize;
  }
  return { found, destination, reported };
}

property.prop([streams, fc.integer({ min: 5, max: 9 }), fc.constantFrom('skip', 'fail')])(
  'wherever batches end, every frame is handed out and every bad record is told',
  (records, batchSize, badRecords) => {
    const whole = poll(records, records.length, 'skip', 3_600);
    const cut = poll(records, batchSize, badRecords, 3_600);
    expect([...cut.found].sort()).toEqual([...whole.found].sort());
    const isJunk = ({ data }: KinesisRecord) => Buffer.from(data).toString() === 'junk';
    const junkNumbers = records.filter(isJunk).map(({ sequenceNumber }) => sequenceNumber);
    expect([...cut.reported]).toEqual(expect.arrayContaining(junkNumbers));
    expect(cut.destination).toEqual(badRecords === 'fail' ? junkNumbers : []);
  },
);
