import type { Context, KinesisStreamEvent, KinesisStreamHandler } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
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

const lambdaEvent = (records: readonly KinesisRecord[]) => ({
  Records: records.map(({ data, partitionKey, sequenceNumber }) => ({
    kinesis: { data: Buffer.from(data).toString('base64'), partitionKey, sequenceNumber },
  })),
});
const line = kinesisRecord(eventBytes('sharing_stopped', { timestampMs: START_MS }));
const first = packed([1, 2].map((sequence) => mediaRecord({ sequence })));
const junk = kinesisRecord(Buffer.from('junk'));
const last = packed([mediaRecord({ sequence: 3 })]);

const chunks = splitIntoChunks(mediaRecord({ sequence: 3, payload: Buffer.alloc(3000, 1) }), 1000);
const chunkRecords = chunks.map((chunk) => kinesisRecord(chunk));

describe('decodeKinesisEvent', () => {
  it('fits the handler type of @types/aws-lambda', async () => {
    const handler: KinesisStreamHandler = async (event) => {
      const { frames, batchItemFailures } = decodeKinesisEvent(event, { badRecords: 'skip' });
      expect(frames).toHaveLength(2);
      return { batchItemFailures };
    };
    const event = lambdaEvent([first]) as unknown as KinesisStreamEvent;
    expect(await handler(event, {} as Context, () => undefined)).toEqual({ batchItemFailures: [] });
  });

  it.each(['skip', 'fail'] as const)(
    'names the first chunk of a frame that the next batch ends, when bad records %s',
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

  it('gives a frame up whose first chunk is old and whose rest never came', () => {
    const event = lambdaEvent(chunkRecords.slice(0, 1));
    const aged = (agoS: number) => ({
      Records: event.Records.map(({ kinesis }) => ({
        kinesis: { ...kinesis, approximateArrivalTimestamp: Date.now() / 1000 - agoS },
      })),
    });
    expect(decodeKinesisEvent(aged(5)).batchItemFailures).toHaveLength(1);
    const { bad, batchItemFailures } = decodeKinesisEvent(aged(90));
    expect(batchItemFailures).toEqual([]);
    expect(bad).toMatchObject([{ code: 'record/malformed' }]);
  });

  it('reads batches of either stream', () => {
    const { frames, events, bad, batchItemFailures } = decodeKinesisEvent(
      lambdaEvent([line, first, last]),
    );
    expect(frames.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    expect(events.map(({ name }) => name)).toEqual(['sharing_stopped']);
    expect([bad, batchItemFailures]).toEqual([[], []]);
  });

  it('skips bad records and reports them', () => {
    const { frames, bad, batchItemFailures } = decodeKinesisEvent(lambdaEvent([first, junk, last]));
    expect(frames).toHaveLength(3);
    expect(bad).toMatchObject([{ detail: { sequenceNumber: junk.sequenceNumber } }]);
    expect(batchItemFailures).toEqual([]);
  });

  it('names the first bad record as the failure on demand, and stops there', () => {
    const { frames, batchItemFailures } = decodeKinesisEvent(
      lambdaEvent([first, junk, last, junk]),
      { badRecords: 'fail' },
    );
    expect(frames).toHaveLength(2);
    expect(batchItemFailures).toEqual([{ itemIdentifier: junk.sequenceNumber }]);
  });

  it('reports a frame whose chunks the batch does not all hold', () => {
    const { frames, bad } = decodeKinesisEvent(
      lambdaEvent(chunks.slice(1).map((chunk) => kinesisRecord(chunk))),
    );
    expect(frames).toEqual([]);
    expect(bad).toMatchObject([{ code: 'record/malformed', detail: { sequence: 3 } }]);
  });
});
