import { ApiError } from './api-error.ts';
import { type Call, STREAM_NAME, streamOf, toTimestamp } from './call.ts';
import {
  type Input,
  integer,
  optionalInteger,
  optionalObject,
  optionalText,
  text,
} from './input.ts';
import { KINESIS_QUOTAS } from './limits.ts';
import { describeShard } from './shard-operations.ts';
import type { DataStream, RecordDistributionStrategy, StreamMode } from './stream.ts';

const MODES = ['PROVISIONED', 'ON_DEMAND'] as const satisfies StreamMode[];
const STRATEGIES = ['USER_PARTITION_KEY', 'AUTO'] as const satisfies RecordDistributionStrategy[];

/** Every change is complete when its call returns, so an existing data stream is always ACTIVE. */
const STREAM_STATUS = 'ACTIVE';

export function createStream(input: Input, call: Call): object {
  const mode = optionalMode(input) ?? 'PROVISIONED';
  const shardCount = optionalInteger(input, 'ShardCount', 1, 10_000);
  if (mode === 'ON_DEMAND' && shardCount !== undefined) {
    const message = 'ShardCount cannot be given for a stream in on-demand capacity mode.';
    throw new ApiError('ValidationException', message);
  }
  if (mode === 'PROVISIONED' && shardCount === undefined) {
    const message = 'ShardCount is needed for a stream in provisioned capacity mode.';
    throw new ApiError('ValidationException', message);
  }
  const options = {
    name: text(input, 'StreamName', STREAM_NAME),
    mode,
    shardCount: shardCount ?? KINESIS_QUOTAS.onDemandShards,
    maxRecordKiB:
      optionalInteger(
        input,
        'MaxRecordSizeInKiB',
        KINESIS_QUOTAS.minRecordKiB,
        KINESIS_QUOTAS.maxRecordKiB,
      ) ?? KINESIS_QUOTAS.defaultRecordKiB,
    recordDistribution: requireDistribution(
      (optionalText(input, 'RecordDistributionStrategy', { oneOf: STRATEGIES }) ??
        'USER_PARTITION_KEY') as RecordDistributionStrategy,
      mode,
    ),
  };
  call.account.create(options, call.nowMs);
  return {};
}

export function deleteStream(input: Input, call: Call): object {
  const stream = streamOf(input, call.account);
  call.account.delete(stream);
  for (const consumer of stream.consumers.values()) consumer.remove();
  return {};
}

export function describeStream(input: Input, call: Call): object {
  const stream = streamOf(input, call.account);
  stream.expire(call.nowMs);
  const limit = optionalInteger(input, 'Limit', 1, 10_000) ?? 100;
  const after = optionalText(input, 'ExclusiveStartShardId') ?? '';
  const shards = stream.shards.filter((shard) => shard.id > after);
  return {
    StreamDescription: {
      ...describe(stream),
      Shards: shards.slice(0, limit).map(describeShard),
      HasMoreShards: shards.length > limit,
    },
  };
}

export function describeStreamSummary(input: Input, call: Call): object {
  const stream = streamOf(input, call.account);
  return {
    StreamDescriptionSummary: {
      ...describe(stream),
      OpenShardCount: stream.openShards.length,
      ConsumerCount: stream.consumers.size,
      MaxRecordSizeInKiB: stream.maxRecordKiB,
      RecordDistributionStrategy: stream.recordDistribution,
    },
  };
}

function describe(stream: DataStream): object {
  return {
    ...summarize(stream),
    RetentionPeriodHours: stream.retentionHours,
    EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
    EncryptionType: 'NONE',
  };
}

function summarize(stream: DataStream): object {
  return {
    StreamName: stream.name,
    StreamARN: stream.arn,
    StreamStatus: STREAM_STATUS,
    StreamModeDetails: { StreamMode: stream.mode },
    StreamCreationTimestamp: toTimestamp(stream.createdAtMs),
  };
}

export function listStreams(input: Input, call: Call): object {
  const limit = optionalInteger(input, 'Limit', 1, 10_000) ?? 100;
  const after =
    optionalText(input, 'NextToken') ?? optionalText(input, 'ExclusiveStartStreamName') ?? '';
  const found = call.account.streams.filter((stream) => stream.name > after);
  const page = found.slice(0, limit);
  return {
    StreamNames: page.map((stream) => stream.name),
    StreamSummaries: page.map(summarize),
    HasMoreStreams: found.length > limit,
    ...(found.length > limit ? { NextToken: page.at(-1)?.name } : {}),
  };
}

export function describeLimits(_input: Input, call: Call): object {
  const { openShardCount, streams } = call.account;
  return {
    ShardLimit: KINESIS_QUOTAS.shardsPerAccount,
    OpenShardCount: openShardCount,
    OnDemandStreamCount: streams.filter((stream) => stream.mode === 'ON_DEMAND').length,
    OnDemandStreamCountLimit: KINESIS_QUOTAS.onDemandStreams,
  };
}

export function updateStreamMode(input: Input, call: Call): object {
  const stream = streamOf(input, call.account);
  const mode = optionalMode(input);
  if (mode === undefined) {
    throw new ApiError('ValidationException', 'StreamModeDetails must not be null.');
  }
  requireDistribution(stream.recordDistribution, mode);
  stream.mode = mode;
  return {};
}

export function updateMaxRecordSize(input: Input, call: Call): object {
  const stream = streamOf(input, call.account);
  const { minRecordKiB, maxRecordKiB } = KINESIS_QUOTAS;
  stream.maxRecordKiB = integer(input, 'MaxRecordSizeInKiB', minRecordKiB, maxRecordKiB);
  return {};
}

export function updateRecordDistribution(input: Input, call: Call): object {
  const stream = streamOf(input, call.account);
  const strategy = text(input, 'RecordDistributionStrategy', { oneOf: STRATEGIES });
  stream.recordDistribution = requireDistribution(
    strategy as RecordDistributionStrategy,
    stream.mode,
  );
  return {};
}

export function increaseRetention(input: Input, call: Call): object {
  const stream = streamOf(input, call.account);
  const hours = retentionHours(input);
  if (hours < stream.retentionHours) throw wrongDirection(stream, hours, 'shorter');
  stream.retentionHours = hours;
  return {};
}

export function decreaseRetention(input: Input, call: Call): object {
  const stream = streamOf(input, call.account);
  const hours = retentionHours(input);
  if (hours > stream.retentionHours) throw wrongDirection(stream, hours, 'longer');
  stream.retentionHours = hours;
  return {};
}

function retentionHours(input: Input): number {
  const hours = integer(input, 'RetentionPeriodHours', 1, KINESIS_QUOTAS.maxRetentionHours);
  if (hours >= KINESIS_QUOTAS.minRetentionHours) return hours;
  const message = `Minimum allowed retention period is ${KINESIS_QUOTAS.minRetentionHours} hours.`;
  throw new ApiError('InvalidArgumentException', message);
}

function wrongDirection(stream: DataStream, hours: number, word: string): ApiError {
  return new ApiError(
    'InvalidArgumentException',
    `Requested retention period (${hours} hours) for stream ${stream.name} must not be ${word} than ` +
      `existing retention period (${stream.retentionHours} hours).`,
  );
}

function optionalMode(input: Input): StreamMode | undefined {
  const details = optionalObject(input, 'StreamModeDetails');
  if (details === undefined) return undefined;
  return text(details, 'StreamMode', { oneOf: MODES }) as StreamMode;
}

/** Refuses AUTO outside on-demand mode (API reference of CreateStream). */
function requireDistribution(
  strategy: RecordDistributionStrategy,
  mode: StreamMode,
): RecordDistributionStrategy {
  if (strategy === 'USER_PARTITION_KEY' || mode === 'ON_DEMAND') return strategy;
  const message = 'RecordDistributionStrategy AUTO needs a stream in on-demand capacity mode.';
  throw new ApiError('ValidationException', message);
}
