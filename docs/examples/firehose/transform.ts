import type { FirehoseTransformationHandler, FirehoseTransformationResultRecord } from 'aws-lambda';
import {
  EventDecoder,
  type KinesisRecord,
  type ServiceError,
} from '../../../sdk/consumer/index.ts';
import { rowOf } from './columns.ts';

/**
 * Firehose's data transformation: makes table rows of records of the `events` stream. A record holds one line or several, and so does what
 * comes out of it: JSON documents one after the other, which the conversion to Parquet takes as rows.
 *
 * It drops no repeats: Firehose repeats batches, and no invocation knows of another. `event_id` tells them apart (transcripts.sql).
 */
export const handler: FirehoseTransformationHandler = async ({ records }) => ({
  records: records.map(({ recordId, data, approximateArrivalTimestamp, kinesisRecordMetadata }) => {
    const { partitionKey = '', sequenceNumber = recordId } = kinesisRecordMetadata ?? {};
    const record = { data: Buffer.from(data, 'base64'), partitionKey, sequenceNumber };
    return { recordId, ...transformed(record, data, approximateArrivalTimestamp) };
  }),
});

type Transformed = Omit<FirehoseTransformationResultRecord, 'recordId'>;

function transformed(record: KinesisRecord, original: string, arrivedAtMs: number): Transformed {
  const errors: ServiceError[] = [];
  // Made anew for each record, because a decoder that has seen a newer owner would call the records of the one before late.
  const decoder = new EventDecoder({ repeats: 'keep', onBadRecord: (error) => errors.push(error) });
  const rows = [...decoder.decode(record)].flatMap((event) => rowOf(event, arrivedAtMs) ?? []);
  for (const { code, message } of errors) console.error(JSON.stringify({ code, message }));
  // The whole record, with its good lines: Firehose stores it as it came, and it can be sent through once more.
  if (errors.length > 0) return { result: 'ProcessingFailed', data: original };
  if (rows.length === 0) return { result: 'Dropped', data: original };
  const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  return { result: 'Ok', data: Buffer.from(text).toString('base64') };
}
