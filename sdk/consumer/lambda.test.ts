import { describe, expect, it } from 'vitest';
import { splitIntoChunks } from '../../shared/record/encode-media-record.ts';
import { decodeKinesisEvent } from './lambda.ts';
import type { KinesisRecord } from './records.ts';
import { eventBytes, kinesisRecord, mediaRecord, packed, START_MS } from './test-records.ts';

const lambdaEvent = (records: readonly KinesisRecord[]) => ({
  Records: records.map(({ data, partitionKey, sequenceNumber }) => ({
    kinesis: { data: Buffer.from(data).toString('base64'), partitionKey, sequenceNumber },
  })),
});
const line = kinesisRecord(eventBytes('sharing_stopped', { timestampMs: START_MS }));
const first = packed([1, 2].map((sequence) => mediaRecord({ sequence })));
const junk = kinesisRecord(Buffer.from('junk'));
const last = packed([mediaRecord({ sequence: 3 })]);

describe('decodeKinesisEvent', () => {
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
    const chunks = splitIntoChunks(mediaRecord({ payload: Buffer.alloc(3000, 1) }), 1000);
    const { frames, bad } = decodeKinesisEvent(
      lambdaEvent(chunks.slice(1).map((chunk) => kinesisRecord(chunk))),
    );
    expect(frames).toEqual([]);
    expect(bad).toMatchObject([{ code: 'record/malformed', detail: { sequence: 1 } }]);
  });
});
