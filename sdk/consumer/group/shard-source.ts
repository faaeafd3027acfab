import type * as Kinesis from '@aws-sdk/client-kinesis';
import type { ServiceError } from '../../../shared/errors.ts';
import { type Position, type ShardInfo, ShardReader } from '../reading/shard-reader.ts';
import { EventDecoder } from '../records/event-record.ts';
import { FrameDecoder, type Page } from '../records/records.ts';
import type { EventGroup, FrameGroup } from './group-options.ts';
import { PushReader } from './push-reader.ts';
import { ShardWork, type ShardWorkOptions } from './shard-work.ts';

/** What the options of a group say about reading one shard of it. */

const DEFAULT_POLL_MS = 500;

export function shardReader(
  kinesis: typeof Kinesis,
  options: FrameGroup | EventGroup,
  signal: AbortSignal,
): ShardReader {
  const { client, streamName, pollMs, maxCallsPerSecond, onRetry, onTrimmed } = options;
  const settings = {
    pollMs: pollMs ?? DEFAULT_POLL_MS,
    stopAtTip: false,
    ...(maxCallsPerSecond !== undefined && { maxCallsPerSecond }),
    ...(onRetry && { onRetry }),
    ...(onTrimmed && { onTrimmed }),
  };
  return new ShardReader(kinesis, client, streamName, settings, signal);
}

/** @param consumerArn push when given, else poll */
export function pagesOf(
  kinesis: typeof Kinesis,
  options: FrameGroup | EventGroup,
  consumerArn: string | undefined,
  [shard, start]: readonly [ShardInfo, Position],
  signal: AbortSignal,
): AsyncGenerator<Page, void, undefined> {
  const polling = shardReader(kinesis, options, signal);
  if (consumerArn === undefined) return polling.pages(shard, start);
  const { client, streamName } = options;
  const onRetry = (error: ServiceError) => options.onRetry?.(error);
  const settings = { client, streamName, consumerArn, signal, polling, onRetry };
  return new PushReader(kinesis, settings).pages(shard, start);
}

type OfItems = 'decoder' | 'marksOf' | 'handler' | 'onBadRecord' | 'onRetry' | 'onFlush';

/** Frames or events: from here on nobody asks which. */
export type AnyShardWork = Pick<ShardWork<never>, 'run' | 'leave'>;

export function openWork(
  group: FrameGroup | EventGroup,
  options: Omit<ShardWorkOptions<never>, OfItems>,
): AnyShardWork {
  const common: Omit<ShardWorkOptions<never>, 'decoder' | 'marksOf' | 'handler'> = {
    ...options,
    onBadRecord: (error, record) => {
      if (!group.onBadRecord) throw error;
      return group.onBadRecord(error, record);
    },
    onRetry: (error) => group.onRetry?.(error),
    onFlush: () => group.onFlush?.(options.claim.shardId),
  };
  if ('onFrames' in group) {
    return new ShardWork({
      ...common,
      decoder: (onBadRecord) => new FrameDecoder({ onBadRecord }),
      marksOf: FrameDecoder.marksOf,
      handler: group.onFrames,
    });
  }
  return new ShardWork({
    ...common,
    decoder: (onBadRecord) => new EventDecoder({ onBadRecord }),
    marksOf: (items) => items.map(EventDecoder.markOf),
    handler: group.onEvents,
  });
}
