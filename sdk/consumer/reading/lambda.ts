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

export interface LambdaDecodeOptions {
  /**
   * `fail` names the first bad record as the failure of the batch, so that Lambda sends it again, bisects, and
   * at last hands it to the on-failure destination; what comes after it is not decoded. `skip` only reports.
   *
   * @default 'skip'
   */
  readonly badRecords?: 'skip' | 'fail';
}

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

/** A frame's chunks are written in one go: what lacks after this long will not come. */
const MAX_CHUNK_AGE_MS = 60_000;

/**
 * Decodes the batch that Lambda hands to a function, of either stream.
 *
 * A frame that was cut into chunks (only above the stream's record limit, 1 MiB unless raised) may begin in one batch
 * and end in the next. Then the record of its first chunk is named as the failure, in both modes: Lambda sends it again
 * with what follows, and what this batch holds from there on is not handed out yet.
 */
export function decodeKinesisEvent(
  event: KinesisLambdaEvent,
  { badRecords = 'skip' }: LambdaDecodeOptions = {},
): DecodedKinesisEvent {
  const bad: ServiceError[] = [];
  const options = { onBadRecord: (error: ServiceError) => void bad.push(error) };
  const frameDecoder = new FrameDecoder(options);
  const eventDecoder = new EventDecoder(options);
  const frames: Frame[] = [];
  const events: ReceivedEvent[] = [];
  for (const { kinesis } of event.Records) {
    const record = { ...kinesis, data: Buffer.from(kinesis.data, 'base64') };
    if (isJson(record)) events.push(...eventDecoder.decode(record));
    else frames.push(...frameDecoder.decode(record));
    if (badRecords === 'fail' && bad.length > 0) {
      const itemIdentifier = kinesis.sequenceNumber;
      return { frames, events, bad, batchItemFailures: [{ itemIdentifier }] };
    }
  }
  const itemIdentifier = frameDecoder.firstWaiting;
  const index = event.Records.findIndex(({ kinesis }) => kinesis.sequenceNumber === itemIdentifier);
  if (itemIdentifier !== undefined && mayStillCome(event.Records[index], index)) {
    const again = new Set(event.Records.slice(index).map(({ kinesis }) => kinesis.sequenceNumber));
    const isDone = ({ kinesisSequenceNumber }: Frame | ReceivedEvent) =>
      !again.has(kinesisSequenceNumber);
    return {
      frames: frames.filter(isDone),
      events: events.filter(isDone),
      bad: bad.filter(({ detail }) => !again.has(String(detail['sequenceNumber']))),
      batchItemFailures: [{ itemIdentifier }],
    };
  }
  frameDecoder.finish();
  return { frames, events, bad, batchItemFailures: [] };
}

/** Behind the first record of a batch the next one has room for more; as the first one it must be young. */
function mayStillCome(record: KinesisLambdaEvent['Records'][number] | undefined, index: number) {
  const arrivedS = record?.kinesis.approximateArrivalTimestamp;
  if (arrivedS === undefined) return index > 0;
  return Date.now() - arrivedS * 1000 < MAX_CHUNK_AGE_MS;
}

/** Media records begin with 0x0A, aggregates with 0xF3, events with an opening brace. */
function isJson({ data }: KinesisRecord): boolean {
  return data[0] === 0x7b;
}
