import type { DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { ServiceError } from '../../../shared/errors.ts';
import type { Trimmed } from '../reading/read-error.ts';
import { requireOption } from '../reading/reader-options.ts';
import type { KinesisSender } from '../reading/shard-reader.ts';
import type { ReceivedEvent } from '../records/event-record.ts';
import type { Frame } from '../records/frame.ts';
import type { KinesisRecord } from '../records/records.ts';

/** What a handler is told beside the frames or events. */
export interface Batch<Item> {
  readonly shardId: string;
  /**
   * The fencing token: it grows with every owner of the shard. Whoever writes somewhere on behalf of this batch writes it
   * along, and refuses there what comes with a lower one: a worker that was frozen finishes its handler when it goes on.
   */
  readonly fence: number;
  /** Aborts when the shard is not this worker's any more. */
  readonly signal: AbortSignal;
  /** Whether the shard is still this worker's, by the clock. Exact also right after a freeze, when `signal` may be late. */
  holds(): boolean;
  /** How far behind the newest record of the shard this batch is, ms, as Kinesis says. */
  readonly millisBehindLatest: number | undefined;
  /** When the first record of this batch arrived in the shard, Unix ms by Kinesis' clock; undefined where the service does not say it. */
  readonly arrivedAtMs: number | undefined;
  /**
   * Saves that everything up to and including `item` is processed, so that a crash repeats only what is behind it. The
   * whole batch is saved when the handler has returned.
   *
   * @throws ServiceError `group/not-owner`; `config/invalid` while an earlier batch is held
   */
  checkpoint(item: Item): Promise<void>;
  /**
   * Keeps this batch, and with it all later ones of the shard, out of the checkpoint after the handler has returned: for
   * whoever gathers several batches before anything is durable. To be called before the handler returns.
   *
   * @returns to be called when the batch is processed. Resolves when that is saved, as far as no earlier batch is held;
   *   never rejects: who has lost the shard saves nothing
   */
  hold(): () => Promise<void>;
}

interface AnyGroup {
  /** The `KinesisClient` of the AWS SDK, any version 3. With `consumer` it has to speak HTTP/2, as it does by default. */
  readonly client: KinesisSender;
  readonly streamName: string;
  /** DynamoDB table of this group alone, with the string keys `pk` and `sk`: `rtms.grantConsume` makes one. */
  readonly table: string;
  /** Unique among the workers of the group, such as an ECS task's id or a host name. */
  readonly workerId: string;
  /** Configuration of the DynamoDB client. @default Region and credentials of the environment */
  readonly dynamodb?: DynamoDBClientConfig;
  /**
   * Read by enhanced fan-out, as the registered consumer of this name, which is registered unless it is there; or of this
   * ARN, as `rtms.grantConsume` gives it. Kinesis then pushes records, the consumer has 2 MB/s of each shard for itself,
   * and AWS charges for it.
   *
   * @default none: the shards are polled
   */
  readonly consumer?: string;
  /**
   * Where the group begins when its table is new. Later it goes on where it was.
   *
   * @default 'TRIM_HORIZON', the oldest record kept
   */
  readonly startAt?: 'TRIM_HORIZON' | 'LATEST' | Date;
  /** Pause between two calls per shard when there is nothing newer, ms, at least 210. @default 500 */
  readonly pollMs?: number;
  /** Calls per shard and second when polling, of the five that all readers of a shard share. @default 5 */
  readonly maxCallsPerSecond?: number;
  /**
   * The dead letters: called for every record that is foreign, truncated or corrupt, with the Kinesis record it came in.
   * The checkpoint moves behind it when this has returned. `error.detail` has `sequenceNumber` and `subSequenceNumber`.
   *
   * @default the error ends this worker
   */
  readonly onBadRecord?: (error: ServiceError, record: KinesisRecord) => Promise<void> | void;
  /** Called when a call failed for a reason that may pass, before the next try: Kinesis or the table is busy or away. */
  readonly onRetry?: (error: ServiceError) => void;
  /**
   * Called when records expired before this group had read them. It goes on with the oldest record kept, once this has returned.
   *
   * @default `kinesis/trimmed` ends this worker
   */
  readonly onTrimmed?: (trimmed: Trimmed) => Promise<void> | void;
  /**
   * Called when the stream was deleted and made again under its name. The group goes on with all of the new stream.
   *
   * @default `group/stream-recreated` ends this worker
   */
  readonly onRecreated?: () => void;
  /**
   * For handlers that hold batches (`Batch.hold`): called when this worker is about to give a shard away, and waits up to
   * 5 s for what it holds of it, or when the shard was read to its end, and its children wait.
   */
  readonly onFlush?: (shardId: string) => Promise<void> | void;
}

/** A group that reads the `media` stream. */
export interface FrameGroup extends AnyGroup {
  /**
   * Called for one batch of a shard after the other; the next one is read when this has returned. What it throws ends
   * this worker, after its shards were given away, and the batch comes again.
   */
  readonly onFrames: (frames: Frame[], batch: Batch<Frame>) => Promise<void> | void;
}

/** A group that reads the `events` stream. */
export interface EventGroup extends AnyGroup {
  /** As `onFrames`. */
  readonly onEvents: (events: ReceivedEvent[], batch: Batch<ReceivedEvent>) => Promise<void> | void;
}

const isFunction = (value: unknown) => typeof value === 'function';
const isText = (value: unknown) => typeof value === 'string' && value !== '';
const isDate = (value: unknown) => value instanceof Date && !Number.isNaN(value.getTime());
const isNumber = (value: unknown, min: number, max: number) =>
  typeof value === 'number' && value >= min && value <= max;

/** Every option of a group, and whether a value of it can be used. */
const KNOWN: Readonly<Record<string, (value: unknown) => boolean>> = {
  client: (value) => isFunction((value as { send?: unknown } | null)?.send),
  streamName: isText,
  table: isText,
  workerId: (value) => isText(value) && String(value).length <= 256,
  dynamodb: (value) => typeof value === 'object' && value !== null,
  consumer: (value) => /^(arn:\S+|[a-zA-Z0-9_.-]{1,128})$/.test(String(value)),
  startAt: (value) => value === 'TRIM_HORIZON' || value === 'LATEST' || isDate(value),
  pollMs: (value) => isNumber(value, 0, 600_000),
  maxCallsPerSecond: (value) => isNumber(value, 0.001, 5),
  onFrames: isFunction,
  onEvents: isFunction,
  onBadRecord: isFunction,
  onRetry: isFunction,
  onTrimmed: isFunction,
  onRecreated: isFunction,
  onFlush: isFunction,
};

/** @throws ServiceError `config/invalid` that names the option: one that is missing, misspelt or cannot be used */
export function checkGroup(options: FrameGroup | EventGroup): void {
  const given: Readonly<Record<string, unknown>> = { ...options };
  for (const name of ['client', 'streamName', 'table', 'workerId'])
    requireOption(name, given[name]);
  for (const [name, value] of Object.entries(given)) {
    const isFine = Object.hasOwn(KNOWN, name) ? KNOWN[name] : undefined;
    if (isFine === undefined) {
      const what = `no such option: ${name}; there are ${Object.keys(KNOWN).join(', ')}`;
      throw new ServiceError('config/invalid', what);
    }
    if (value === undefined || isFine(value)) continue;
    throw new ServiceError('config/invalid', `the option ${name} has a value that cannot be used`);
  }
  if ((given['onFrames'] === undefined) === (given['onEvents'] === undefined)) {
    throw new ServiceError('config/invalid', 'a group has either onFrames or onEvents');
  }
}
