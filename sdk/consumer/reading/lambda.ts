import type { ServiceError } from '../../../shared/errors.ts';
import { EventDecoder, type ReceivedEvent } from '../records/event-record.ts';
import type { Frame } from '../records/frame.ts';
import { FrameDecoder, type KinesisRecord } from '../records/records.ts';

/** The part of a Lambda event from a Kinesis stream that is read here. */
export interface KinesisLambdaEvent {
  readonly Records: readonly {
    readonly kinesis: {
      /** Base64. */
      readonly data: string;
      readonly partitionKey: string;
      readonly sequenceNumber: string;
      /** Unix seconds. */
      readonly approximateArrivalTimestamp?: number;
    };
  }[];
}

/** Options of `decodeKinesisEvent`. */
export interface LambdaDecodeOptions {
  /**
   * `skip` only reports a bad record. `fail` also names the first one as the failure of the batch: Lambda then sends it
   * again, bisects, and at last hands it to the on-failure destination. What stands behind it is not handed out yet.
   *
   * @default 'skip'
   */
  readonly badRecords?: 'skip' | 'fail';
}

/** What a batch of Lambda holds. */
export interface DecodedKinesisEvent {
  /** From the `media` stream, in order. */
  readonly frames: Frame[];
  /** From the `events` stream, in order. */
  readonly events: ReceivedEvent[];
  /** What was foreign, truncated or corrupt; `detail.sequenceNumber` is the Kinesis record's. */
  readonly bad: ServiceError[];
  /** To be returned by the handler; needs `ReportBatchItemFailures` in the event source mapping. */
  readonly batchItemFailures: { itemIdentifier: string }[];
}

/** The chunks of a frame are written within a second: those that are missing after this time do not come any more. */
const MAX_CHUNK_AGE_MS = 60_000;

/** Something decoded, and the index in the batch of the record that holds its beginning. */
interface Found<Item> {
  readonly item: Item;
  readonly index: number;
}

/**
 * Decodes the batch that Lambda hands to a function, of either stream.
 *
 * A frame that was cut into chunks (only above the stream's record limit, 1 MiB unless raised) may begin in one batch
 * and end in the next. Then the record of its first chunk is named as the failure, in both modes: Lambda sends it again
 * with what follows, and this call hands out nothing from there on.
 *
 * The record named is always the first one that is still needed, because Lambda never sends again what stands before it.
 * A frame that begins before a bad record and ends behind it is handed out whole for that reason. When the bad record
 * comes again, the frame's last chunks come with it and are reported in `bad`, but they fail nothing.
 */
export function decodeKinesisEvent(
  event: KinesisLambdaEvent,
  { badRecords = 'skip' }: LambdaDecodeOptions = {},
): DecodedKinesisEvent {
  const indexes = new Map<string, number>();
  for (const [index, { kinesis }] of event.Records.entries()) {
    if (!indexes.has(kinesis.sequenceNumber)) indexes.set(kinesis.sequenceNumber, index);
  }
  const indexOf = (sequenceNumber: unknown) => indexes.get(String(sequenceNumber)) ?? 0;
  const bad: Found<ServiceError>[] = [];
  const onBadRecord = (item: ServiceError) =>
    void bad.push({ item, index: indexOf(item.detail['sequenceNumber']) });
  const frameDecoder = new FrameDecoder({ onBadRecord });
  const eventDecoder = new EventDecoder({ onBadRecord });
  const frames: Found<Frame>[] = [];
  const events: Found<ReceivedEvent>[] = [];
  for (const [index, { kinesis }] of event.Records.entries()) {
    const record = { ...kinesis, data: Buffer.from(kinesis.data, 'base64') };
    if (isJson(record)) {
      for (const item of eventDecoder.decode(record)) events.push({ item, index });
      continue;
    }
    for (const item of frameDecoder.decode(record))
      frames.push({ item, index: indexOf(frameDecoder.beganAt) });
  }
  const stillToCome = frameDecoder.waitingSince
    .map(indexOf)
    .filter((index) => mayStillCome(event.Records[index], index));
  frameDecoder.finish();
  const failing = badRecords === 'fail' ? bad.filter(isFailing).map(({ index }) => index) : [];
  const againFrom = Math.min(...stillToCome);
  const failed = Math.min(againFrom, ...failing);
  // The good part of a bad record is handed out: in the end its record goes to the on-failure destination.
  const isHandedOut = ({ index }: Found<unknown>) => index < againFrom && index <= failed;
  const items = <Item>(found: readonly Found<Item>[]) =>
    found.filter(isHandedOut).map(({ item }) => item);
  const itemIdentifier = event.Records[failed]?.kinesis.sequenceNumber;
  return {
    frames: items(frames),
    events: items(events),
    bad: items(bad),
    batchItemFailures: itemIdentifier === undefined ? [] : [{ itemIdentifier }],
  };
}

/**
 * A batch that begins in the middle of a frame cannot be mended by sending it again: the first chunk is in an earlier
 * batch, and that call has handed the frame out or reported it.
 */
function isFailing({ item }: Found<ServiceError>): boolean {
  const { chunkIndex } = item.detail;
  return typeof chunkIndex !== 'number' || chunkIndex === 0;
}

/**
 * Lambda may add records when it sends a part of a batch again, so a first chunk that is not the first record is sent
 * again whatever its age: a function that is behind reads old records. A batch that begins with the chunk had its
 * chance, and is repeated only while the rest can still be on its way.
 */
function mayStillCome(
  record: KinesisLambdaEvent['Records'][number] | undefined,
  index: number,
): boolean {
  if (index > 0) return true;
  const arrivedS = record?.kinesis.approximateArrivalTimestamp;
  return arrivedS !== undefined && Date.now() - arrivedS * 1000 < MAX_CHUNK_AGE_MS;
}

/** Media records begin with 0x0A, aggregates with 0xF3, events with an opening brace. */
function isJson({ data }: KinesisRecord): boolean {
  return data[0] === 0x7b;
}
