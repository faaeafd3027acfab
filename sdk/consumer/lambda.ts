import type { ServiceError } from '../../shared/errors.ts';
import { EventDecoder, type ReceivedEvent } from './event-record.ts';
import type { Frame } from './frame.ts';
import { FrameDecoder, type KinesisRecord } from './records.ts';

/** The part of a Lambda event from a Kinesis stream that is read here. */
export interface KinesisLambdaEvent {
  readonly Records: readonly {
    readonly kinesis: {
      /** Base64. */
      readonly data: string;
      readonly partitionKey: string;
      readonly sequenceNumber: string;
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
  readonly frames: readonly Frame[];
  /** From the `events` stream, in order. */
  readonly events: readonly ReceivedEvent[];
  /** What was foreign, truncated or corrupt; `detail.sequenceNumber` is the Kinesis record's. */
  readonly bad: readonly ServiceError[];
  /** To be returned by the handler; needs `ReportBatchItemFailures` in the event source mapping. */
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

/**
 * Decodes the batch that Lambda hands to a function, of either stream.
 *
 * A frame that was cut into chunks (only above the stream's record limit, 1 MiB unless raised) is whole only
 * when one batch holds all of its chunks; otherwise it is reported in `bad`.
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
  frameDecoder.finish();
  return { frames, events, bad, batchItemFailures: [] };
}

/** Media records begin with 0x0A, aggregates with 0xF3, events with an opening brace. */
function isJson({ data }: KinesisRecord): boolean {
  return data[0] === 0x7b;
}
