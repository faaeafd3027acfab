import type { FirehoseTransformationEvent } from 'aws-lambda';

/** A batch as Firehose hands it to its transformation, with a Kinesis stream as its source. */
export function firehoseEvent(
  records: readonly { readonly data: Uint8Array; readonly partitionKey: string }[],
  arrivedAtMs = Date.UTC(2026, 10, 22, 10, 0, 5),
): FirehoseTransformationEvent {
  const account = 'us-east-1:111122223333';
  return {
    invocationId: '7a3f9b5e-1f5c-4a52-9a51-0d5f6f0f4c11',
    sourceKinesisStreamArn: `arn:aws:kinesis:${account}:stream/rtms-events`,
    deliveryStreamArn: `arn:aws:firehose:${account}:deliverystream/rtms-transcripts`,
    region: 'us-east-1',
    records: records.map(({ data, partitionKey }, index) => ({
      recordId: `4966604${String(index).padStart(5, '0')}000000`,
      approximateArrivalTimestamp: arrivedAtMs,
      data: Buffer.from(data).toString('base64'),
      kinesisRecordMetadata: {
        sequenceNumber: `49666040000000000000000000000000000000000000000${String(index).padStart(9, '0')}`,
        subsequenceNumber: '0',
        partitionKey,
        shardId: 'shardId-000000000000',
        approximateArrivalTimestamp: arrivedAtMs,
      },
    })),
  };
}
