import { DescribeStreamSummaryCommand, type KinesisClient } from '@aws-sdk/client-kinesis';
import { ServiceError } from '../../shared/errors.ts';
import { KINESIS_LIMITS } from '../../shared/kinesis-rules.ts';
import { toServiceError } from './kinesis-error.ts';

/** What a producer has to know of its stream. */
export interface StreamFacts {
  /** Most bytes of one Kinesis record, data and partition key. */
  readonly maxRecordBytes: number;
  readonly openShardCount: number;
}

/**
 * Checks a Kinesis stream before anything is written to it.
 *
 * @throws ServiceError `kinesis/stream-unfit` when Kinesis distributes the records itself (then partition keys mean
 *   nothing, order is lost, and the KCL silently drops aggregates) or when the stream is not active;
 *   `kinesis/stream-missing`; `kinesis/access-denied` when `kinesis:DescribeStreamSummary` is not granted;
 *   `kinesis/throttled` or `kinesis/write-failed` when the call itself failed
 */
export async function checkStream(
  client: KinesisClient,
  streamName: string,
  signal?: AbortSignal,
): Promise<StreamFacts> {
  const summary = await describe(client, streamName, signal);
  const detail = { stream: streamName };
  if (summary.RecordDistributionStrategy === 'AUTO') {
    throw new ServiceError(
      'kinesis/stream-unfit',
      'record distribution is AUTO; order and aggregation need USER_PARTITION_KEY',
      { detail },
    );
  }
  if (summary.StreamStatus !== 'ACTIVE' && summary.StreamStatus !== 'UPDATING') {
    throw new ServiceError('kinesis/stream-unfit', 'the Kinesis stream takes no records now', {
      detail: { ...detail, status: String(summary.StreamStatus) },
    });
  }
  return {
    maxRecordBytes: (summary.MaxRecordSizeInKiB ?? KINESIS_LIMITS.defaultRecordKiB) * 1024,
    openShardCount: summary.OpenShardCount ?? 1,
  };
}

async function describe(client: KinesisClient, streamName: string, signal?: AbortSignal) {
  try {
    const { StreamDescriptionSummary: summary } = await client.send(
      new DescribeStreamSummaryCommand({ StreamName: streamName }),
      signal ? { abortSignal: signal } : {},
    );
    if (summary) return summary;
  } catch (error) {
    throw toServiceError(error, 'the Kinesis stream cannot be described', streamName);
  }
  throw new ServiceError('kinesis/stream-unfit', 'DescribeStreamSummary answered nothing', {
    detail: { stream: streamName },
  });
}
