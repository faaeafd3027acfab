import { ApiError } from './api-error.ts';
import { type Call, streamNameIn, streamOf } from './call.ts';
import {
  type Input,
  integer,
  optionalInteger,
  optionalObject,
  optionalText,
  optionalTimestampMs,
  text,
} from './input.ts';
import { HOUR_MS, KINESIS_QUOTAS } from './limits.ts';
import { parseHashKey, type Shard } from './shard.ts';
import type { DataStream } from './stream.ts';

const MAX_SHARDS_PER_PAGE = 10_000;

/** A shard as ListShards and DescribeStream answer it. */
export function describeShard(shard: Shard): object {
  const [parent, adjacentParent] = shard.parentIds;
  return {
    ShardId: shard.id,
    ParentShardId: parent,
    AdjacentParentShardId: adjacentParent,
    HashKeyRange: {
      StartingHashKey: String(shard.range.start),
      EndingHashKey: String(shard.range.end),
    },
    SequenceNumberRange: {
      StartingSequenceNumber: shard.startingSequenceNumber,
      EndingSequenceNumber: shard.endingSequenceNumber,
    },
  };
}

export function listShards(input: Input, call: Call): object {
  const { account, nowMs } = call;
  const page = readNextToken(input, nowMs) ?? {
    streamName: streamOf(input, account).name,
    after: optionalText(input, 'ExclusiveStartShardId') ?? '',
    filter: optionalObject(input, 'ShardFilter'),
  };
  const stream = account.find(page.streamName);
  stream.expire(nowMs);
  const size = optionalInteger(input, 'MaxResults', 1, MAX_SHARDS_PER_PAGE) ?? 1_000;
  const matches = shardFilter(page.filter, stream, nowMs);
  const found = stream.shards.filter((shard) => shard.id > page.after && matches(shard));
  const shards = found.slice(0, size);
  const after = found.length > size ? shards.at(-1)?.id : undefined;
  return {
    Shards: shards.map(describeShard),
    ...(after === undefined ? {} : { NextToken: writeNextToken({ ...page, after }, nowMs) }),
  };
}

/** The contents of a NextToken of ListShards. */
interface ShardPage {
  readonly streamName: string;
  /** Id of the last shard on the page before; '' for the first page. */
  readonly after: string;
  readonly filter: Input | undefined;
}

function writeNextToken(page: ShardPage, nowMs: number): string {
  return Buffer.from(JSON.stringify({ ...page, issuedAtMs: nowMs })).toString('base64');
}

function readNextToken(input: Input, nowMs: number): ShardPage | undefined {
  const token = optionalText(input, 'NextToken', { min: 1 });
  if (token === undefined) return undefined;
  if (streamNameIn(input) !== undefined) {
    const message = 'NextToken and StreamName cannot be provided together.';
    throw new ApiError('InvalidArgumentException', message);
  }
  const page = parseNextToken(token);
  if (nowMs - page.issuedAtMs <= KINESIS_QUOTAS.nextTokenAgeMs) return page;
  throw new ApiError('ExpiredNextTokenException', 'NextToken has expired.');
}

function parseNextToken(token: string): ShardPage & { readonly issuedAtMs: number } {
  try {
    const page = JSON.parse(Buffer.from(token, 'base64').toString());
    if (typeof page.streamName === 'string' && typeof page.after === 'string') return page;
  } catch {
    // Text that is no JSON is no token of this server either.
  }
  throw new ApiError('InvalidArgumentException', 'Invalid NextToken.');
}

/** @see the API reference of ShardFilter for the six types */
function shardFilter(
  filter: Input | undefined,
  stream: DataStream,
  nowMs: number,
): (shard: Shard) => boolean {
  if (filter === undefined) return () => true;
  const type = text(filter, 'Type');
  const horizonMs = Math.max(stream.createdAtMs, nowMs - stream.retentionHours * HOUR_MS);
  const closedAfter = (shard: Shard, ms: number) => (shard.closedAtMs ?? Infinity) > ms;
  switch (type) {
    case 'AFTER_SHARD_ID': {
      const shardId = text(filter, 'ShardId');
      return (shard) => shard.id > shardId;
    }
    case 'AT_TRIM_HORIZON':
      return (shard) => shard.createdAtMs <= horizonMs && closedAfter(shard, horizonMs);
    case 'FROM_TRIM_HORIZON':
      return (shard) => closedAfter(shard, horizonMs);
    case 'AT_LATEST':
      return (shard) => shard.closedAtMs === undefined;
    case 'AT_TIMESTAMP': {
      const atMs = Math.max(horizonMs, timestampOf(filter));
      return (shard) => shard.createdAtMs <= atMs && closedAfter(shard, atMs - 1);
    }
    case 'FROM_TIMESTAMP': {
      const fromMs = Math.max(horizonMs, timestampOf(filter));
      return (shard) => closedAfter(shard, fromMs - 1);
    }
    default:
      throw new ApiError('ValidationException', `Unknown ShardFilter type ${type}.`);
  }
}

function timestampOf(filter: Input): number {
  const timestampMs = optionalTimestampMs(filter, 'Timestamp');
  if (timestampMs !== undefined) return timestampMs;
  throw new ApiError('InvalidArgumentException', 'ShardFilter needs a Timestamp for this type.');
}

export function splitShard(input: Input, call: Call): object {
  const stream = provisioned(streamOf(input, call.account));
  const shard = openShard(stream, text(input, 'ShardToSplit'));
  const at = parseHashKey(text(input, 'NewStartingHashKey'));
  if (at === undefined || at <= shard.range.start || at > shard.range.end) {
    throw new ApiError(
      'InvalidArgumentException',
      `NewStartingHashKey used in SplitShard() on shard ${shard.id} in stream ${stream.name} is not ` +
        'inside the range of hash keys of the shard.',
    );
  }
  call.account.requireShards(1);
  stream.split(shard, at, call.nowMs);
  return {};
}

export function mergeShards(input: Input, call: Call): object {
  const stream = provisioned(streamOf(input, call.account));
  const one = openShard(stream, text(input, 'ShardToMerge'));
  const other = openShard(stream, text(input, 'AdjacentShardToMerge'));
  const [lower, upper] = one.range.start < other.range.start ? [one, other] : [other, one];
  if (lower.range.end + 1n !== upper.range.start) {
    throw new ApiError(
      'InvalidArgumentException',
      `Shards ${one.id} and ${other.id} in stream ${stream.name} are not an adjacent pair of shards.`,
    );
  }
  stream.merge(lower, upper, call.nowMs);
  return {};
}

export function updateShardCount(input: Input, call: Call): object {
  const stream = provisioned(streamOf(input, call.account));
  const target = integer(input, 'TargetShardCount', 1, 10_000);
  text(input, 'ScalingType', { oneOf: ['UNIFORM_SCALING'] });
  const current = stream.openShards.length;
  if (target > current * 2 || target < current / 2) {
    throw new ApiError(
      'InvalidArgumentException',
      `UpdateShardCount cannot scale from ${current} to ${target}: at most double, at least half.`,
    );
  }
  call.account.requireShards(target - current);
  stream.scaleTo(target, call.nowMs);
  return {
    StreamName: stream.name,
    StreamARN: stream.arn,
    CurrentShardCount: current,
    TargetShardCount: target,
  };
}

function openShard(stream: DataStream, id: string): Shard {
  const shard = stream.shard(id);
  if (shard.closedAtMs === undefined) return shard;
  const message = `Shard ${id} in stream ${stream.name} is closed.`;
  throw new ApiError('InvalidArgumentException', message);
}

/** API reference: "This API is only supported for the data streams with the provisioned capacity mode." */
function provisioned(stream: DataStream): DataStream {
  if (stream.mode === 'PROVISIONED') return stream;
  const message = `Stream ${stream.name} is in on-demand capacity mode; this call needs provisioned mode.`;
  throw new ApiError('ValidationException', message);
}
