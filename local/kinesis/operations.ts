import { ApiError } from './api-error.ts';
import { type Operation, streamNameIn } from './call.ts';
import {
  deregisterStreamConsumer,
  describeStreamConsumer,
  listStreamConsumers,
  registerStreamConsumer,
  subscribeToShard,
} from './consumer-operations.ts';
import type { Input } from './input.ts';
import { decodeIterator } from './iterators.ts';
import { putRecord, putRecordsOperation } from './put-operations.ts';
import { getRecords, getShardIterator } from './read-operations.ts';
import { listShards, mergeShards, splitShard, updateShardCount } from './shard-operations.ts';
import {
  createStream,
  decreaseRetention,
  deleteStream,
  describeLimits,
  describeStream,
  describeStreamSummary,
  increaseRetention,
  listStreams,
  updateMaxRecordSize,
  updateRecordDistribution,
  updateStreamMode,
} from './stream-operations.ts';

const TARGET = /^Kinesis_20131202\.(\w+)$/;

const OPERATIONS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ['CreateStream', createStream],
  ['DecreaseStreamRetentionPeriod', decreaseRetention],
  ['DeleteStream', deleteStream],
  ['DeregisterStreamConsumer', deregisterStreamConsumer],
  ['DescribeLimits', describeLimits],
  ['DescribeStream', describeStream],
  ['DescribeStreamConsumer', describeStreamConsumer],
  ['DescribeStreamSummary', describeStreamSummary],
  ['GetRecords', getRecords],
  ['GetShardIterator', getShardIterator],
  ['IncreaseStreamRetentionPeriod', increaseRetention],
  ['ListShards', listShards],
  ['ListStreamConsumers', listStreamConsumers],
  ['ListStreams', listStreams],
  ['MergeShards', mergeShards],
  ['PutRecord', putRecord],
  ['PutRecords', putRecordsOperation],
  ['RegisterStreamConsumer', registerStreamConsumer],
  ['SplitShard', splitShard],
  ['SubscribeToShard', subscribeToShard],
  ['UpdateMaxRecordSize', updateMaxRecordSize],
  ['UpdateShardCount', updateShardCount],
  ['UpdateStreamMode', updateStreamMode],
  ['UpdateStreamRecordDistributionStrategy', updateRecordDistribution],
]);

/** An operation of the API, and the name by which fault scripts and counts know it. */
export interface NamedOperation {
  readonly name: string;
  readonly run: Operation;
}

/**
 * @param target the `x-amz-target` header
 * @throws ApiError UnknownOperationException, also for operations of Kinesis that this server does not have
 */
export function findOperation(target: string): NamedOperation {
  const name = TARGET.exec(target)?.[1] ?? '';
  const run = OPERATIONS.get(name);
  if (run !== undefined) return { name, run };
  const message = `The local Kinesis does not know the operation ${name || 'in x-amz-target'}.`;
  throw new ApiError('UnknownOperationException', message);
}

/** The name of the data stream that a call is about, for the fault script; undefined when the call names none. */
export function streamNameOf(operation: string, input: Input): string | undefined {
  const { ShardIterator: token } = input;
  const { ConsumerARN: consumer } = input;
  if (typeof consumer === 'string') return consumer.split('/')[1];
  if (operation !== 'GetRecords' || typeof token !== 'string') return streamNameIn(input);
  try {
    // Time 0 makes no iterator too old: only its stream matters here.
    return decodeIterator(token, 0).streamName;
  } catch {
    return undefined;
  }
}
