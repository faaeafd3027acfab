import { ApiError } from './api-error.ts';
import { type Call, streamOf, toTimestamp } from './call.ts';
import { type Input, optionalInteger, optionalText, optionalTimestampMs, text } from './input.ts';
import { decodeIterator, encodeIterator } from './iterators.ts';
import { KINESIS_QUOTAS } from './limits.ts';
import type { Shard, StoredRecord } from './shard.ts';
import type { DataStream } from './stream.ts';

const ITERATOR_TYPES = [
  'AT_SEQUENCE_NUMBER',
  'AFTER_SEQUENCE_NUMBER',
  'TRIM_HORIZON',
  'LATEST',
  'AT_TIMESTAMP',
] as const;

type PositionType = (typeof ITERATOR_TYPES)[number];

export function getShardIterator(input: Input, call: Call): object {
  const stream = streamOf(input, call.account);
  stream.expire(call.nowMs);
  const shard = stream.shard(text(input, 'ShardId'));
  const type = text(input, 'ShardIteratorType', { oneOf: ITERATOR_TYPES }) as PositionType;
  const sequenceNumber = optionalText(input, 'StartingSequenceNumber');
  const timestampMs = optionalTimestampMs(input, 'Timestamp');
  const position = startPosition({ type, sequenceNumber, timestampMs }, shard, call.nowMs);
  return { ShardIterator: encodeIterator(stream, shard.id, position, call.nowMs) };
}

/** Reads the StartingPosition of SubscribeToShard, which means the same as the members of GetShardIterator. */
export function subscribePosition(input: Input, shard: Shard, nowMs: number): number {
  const type = text(input, 'Type', { oneOf: ITERATOR_TYPES }) as PositionType;
  const sequenceNumber = optionalText(input, 'SequenceNumber');
  const timestampMs = optionalTimestampMs(input, 'Timestamp');
  return startPosition({ type, sequenceNumber, timestampMs }, shard, nowMs);
}

interface StartingPosition {
  readonly type: PositionType;
  readonly sequenceNumber: string | undefined;
  readonly timestampMs: number | undefined;
}

function startPosition(start: StartingPosition, shard: Shard, nowMs: number): number {
  switch (start.type) {
    case 'TRIM_HORIZON':
      return shard.firstPosition;
    case 'LATEST':
      return shard.endPosition;
    case 'AT_TIMESTAMP': {
      const { timestampMs } = start;
      if (timestampMs === undefined) {
        const message = 'Must specify Timestamp parameter for AT_TIMESTAMP iterator.';
        throw new ApiError('InvalidArgumentException', message);
      }
      if (timestampMs > nowMs) {
        const message = `The timestampInMillis parameter cannot be greater than the currentTimestampInMillis.`;
        throw new ApiError('InvalidArgumentException', message);
      }
      return shard.positionAtTime(timestampMs);
    }
    case 'AT_SEQUENCE_NUMBER':
      return Math.max(0, knownPosition(start, shard));
    case 'AFTER_SEQUENCE_NUMBER':
      return knownPosition(start, shard) + 1;
  }
}

function knownPosition({ type, sequenceNumber }: StartingPosition, shard: Shard): number {
  if (sequenceNumber === undefined) {
    const message = `Must specify StartingSequenceNumber parameter for ${type} iterator.`;
    throw new ApiError('InvalidArgumentException', message);
  }
  const position = shard.positionOf(sequenceNumber);
  if (position !== undefined) return position;
  throw new ApiError(
    'InvalidArgumentException',
    `StartingSequenceNumber ${sequenceNumber} used in GetShardIterator on shard ${shard.id} is invalid ` +
      'because it did not come from this stream.',
  );
}

export function getRecords(input: Input, call: Call): string {
  const { account, nowMs } = call;
  const limit =
    optionalInteger(input, 'Limit', 1, KINESIS_QUOTAS.recordsPerRead) ??
    KINESIS_QUOTAS.recordsPerRead;
  const from = decodeIterator(text(input, 'ShardIterator', { min: 1 }), nowMs);
  const stream = account.find(from.streamName);
  if (stream.createdAtMs !== from.streamCreatedAtMs) {
    const message = `Stream ${stream.name} under account ${account.id} was created anew.`;
    throw new ApiError('ResourceNotFoundException', message);
  }
  stream.expire(nowMs);
  const shard = stream.shard(from.shardId);
  const { counters } = stream;
  counters.readCalls += 1;
  if (!shard.admitRead(nowMs)) {
    counters.throttled += 1;
    throw new ApiError(
      'ProvisionedThroughputExceededException',
      `Rate exceeded for shard ${shard.id} in stream ${stream.name} under account ${account.id}.`,
    );
  }
  const first = Math.max(from.position, shard.firstPosition);
  const records = shard.read(first, limit);
  const next = first + records.length;
  counters.recordsOut += records.length;
  for (const record of records) counters.bytesOut += record.sizeBytes;

  const parts = recordsJson(shard, first, records);
  let answer = `{"MillisBehindLatest":${millisBehind(shard, next, records.at(-1), nowMs)}`;
  if (shard.closedAtMs !== undefined && next === shard.endPosition) {
    answer += `,"ChildShards":${JSON.stringify(childShards(stream, shard))}`;
  } else {
    answer += `,"NextShardIterator":"${encodeIterator(stream, shard.id, next, nowMs)}"`;
  }
  return `${answer},"Records":[${parts}]}`;
}

/** @returns the members of a JSON array: records of the shard, the first of them at `first` */
export function recordsJson(shard: Shard, first: number, records: readonly StoredRecord[]): string {
  return records
    .map((record, index) => recordJson(record, shard.sequenceNumberAt(first + index)))
    .join(',');
}

/** Written without JSON.stringify: base64 and sequence numbers need no escaping, and scanning the data is slow. */
function recordJson(record: StoredRecord, sequenceNumber: string): string {
  return (
    `{"ApproximateArrivalTimestamp":${toTimestamp(record.arrivedAtMs)},"Data":"${record.data}",` +
    `"PartitionKey":${JSON.stringify(record.partitionKey)},"SequenceNumber":"${sequenceNumber}"}`
  );
}

/** @returns 0 at the tip of the shard; before it the age of the last record read, else of the first unread one, ms */
export function millisBehind(
  shard: Shard,
  next: number,
  last: StoredRecord | undefined,
  nowMs: number,
): number {
  if (next === shard.endPosition) return 0;
  const reference = last ?? shard.recordAt(next);
  return Math.max(1, nowMs - (reference?.arrivedAtMs ?? nowMs));
}

export function childShards(stream: DataStream, shard: Shard): object[] {
  return stream.childrenOf(shard).map((child) => ({
    ShardId: child.id,
    ParentShards: child.parentIds,
    HashKeyRange: {
      StartingHashKey: String(child.range.start),
      EndingHashKey: String(child.range.end),
    },
  }));
}
