import { PRODUCTS, type Product } from '../../../rtms/protocol/product.ts';
import { ServiceError } from '../../../shared/errors.ts';
import type { EventData, EventName } from '../../../shared/record/event-data.ts';
import { decodeAggregate } from '../../../shared/record/kpl.ts';
import { EpochFence, type FenceMark } from './epoch-fence.ts';
import { checkEventData, isEventName } from './event-data.ts';
import { type DecodeCounts, type DecodeOptions, type KinesisRecord, locate } from './records.ts';

interface EventFields {
  /** `<rtmsStreamId>/<epoch>/<sequence>`. */
  readonly id: string;
  readonly rtmsStreamId: string;
  readonly product: Product;
  readonly entityId: string;
  readonly epoch: number;
  /** Counts all events of the stream, from 1 in each epoch. */
  readonly sequence: number;
  /** When it happened at Zoom; where Zoom does not say, when the runner saw it. */
  readonly time: Date;
  /** The Kinesis record that brought it. */
  readonly partitionKey: string;
  readonly kinesisSequenceNumber: string;
  /** Set when it was read back from the disk of a runner that had died, see docs/records.md. */
  readonly recovered?: true;
}

type Known = {
  [Name in EventName]: EventFields & { readonly name: Name; readonly data: EventData[Name] };
};

/** One event of a given name. */
export type RtmsEventOf<Name extends EventName> = Known[Name];

/** One event of the `events` stream; `name` tells which `data` it has. `newer`: an event of a later version. */
export type ReceivedEvent =
  | Known[EventName]
  | (EventFields & { readonly name: 'newer'; readonly type: string; readonly data: unknown });

/** The form of our times. `Date` reads other texts too (`2026`, `Tue`, `1`), which are no times. */
const RFC_3339 = /^[+-]?\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** The source of every line in the fence: lines of all kinds share one numbering. */
const ALL_LINES = 0;

/**
 * Decodes records of the `events` stream to typed events. Drops repeats and late writers as `FrameDecoder` does. One
 * decoder must see all records of a partition key, in order.
 */
export class EventDecoder {
  readonly counts: DecodeCounts = { delivered: 0, repeated: 0, fenced: 0, bad: 0 };
  readonly #fence = new EpochFence();
  readonly #options: DecodeOptions;
  #subSequenceNumber = 0;

  constructor(options: DecodeOptions = {}) {
    this.#options = options;
  }

  /** Drops from now on what an earlier reader has seen, and what was fenced for it. */
  restore(seen: readonly FenceMark[]): void {
    this.#fence.restore(seen);
  }

  /** Position among the lines of its Kinesis record of the event yielded last, from 0. */
  get subSequenceNumber(): number {
    return this.#subSequenceNumber;
  }

  /** @returns how a checkpoint remembers an event */
  static markOf({ partitionKey, rtmsStreamId, epoch, sequence }: ReceivedEvent): FenceMark {
    return [partitionKey, rtmsStreamId, ALL_LINES, epoch, sequence];
  }

  /**
   * Yields the events of one record. It may hold several lines, also when Firehose has joined them.
   *
   * @throws ServiceError `record/malformed` at a bad line when there is no `onBadRecord`
   */
  *decode(record: KinesisRecord): Generator<ReceivedEvent, void, undefined> {
    for (const [position, line] of this.#lines(record).entries()) {
      const event = this.#event(line, position, record);
      if (!event || !this.#admit(event)) continue;
      this.counts.delivered += 1;
      this.#subSequenceNumber = position;
      yield event;
    }
  }

  #lines({ data, partitionKey, sequenceNumber }: KinesisRecord): string[] {
    try {
      const texts = decodeAggregate(data, partitionKey).map((user) => user.data.toString());
      return texts.flatMap((text) => text.split('\n').filter((line) => line.trim() !== ''));
    } catch (error) {
      this.#bad(error, sequenceNumber, 0);
      return [];
    }
  }

  #event(line: string, position: number, record: KinesisRecord): ReceivedEvent | undefined {
    try {
      return parseEvent(line, record);
    } catch (error) {
      this.#bad(error, record.sequenceNumber, position);
      return undefined;
    }
  }

  #admit(event: ReceivedEvent): boolean {
    const admission = this.#fence.check(event.partitionKey, event, ALL_LINES);
    if (admission === 'admitted') this.#fence.delivered(event.partitionKey, event, ALL_LINES);
    else this.counts[admission] += 1;
    return admission === 'admitted' || this.#options.repeats === 'keep';
  }

  #bad(error: unknown, sequenceNumber: string, position: number): void {
    this.counts.bad += 1;
    const located = locate(error, sequenceNumber, position);
    if (!this.#options.onBadRecord) throw located;
    this.#options.onBadRecord(located);
  }
}

/** @throws ServiceError `record/malformed` when the line is not one of our CloudEvents */
function parseEvent(line: string, { partitionKey, sequenceNumber }: KinesisRecord): ReceivedEvent {
  const document = parseJson(line);
  const { specversion, id, type, source, subject, time, epoch, sequence, data } = document;
  const name = match(type, /^rtms\.([a-z_]+)\.v\d+$/)?.[1];
  const [, product, entity] = match(source, /^\/zoom\/([a-z_]+)\/([^/]*)$/) ?? [];
  const at = new Date(typeof time === 'string' && RFC_3339.test(time) ? time : Number.NaN);
  const isOurs =
    specversion === '1.0' &&
    typeof id === 'string' &&
    typeof subject === 'string' &&
    subject !== '' &&
    name !== undefined &&
    PRODUCTS.includes(product as Product) &&
    !Number.isNaN(at.getTime()) &&
    isCount(epoch) &&
    isCount(sequence) &&
    typeof data === 'object' &&
    data !== null;
  if (!isOurs) throw new ServiceError('record/malformed', 'not an event of this project');
  const fields = {
    id,
    rtmsStreamId: subject,
    product: product as Product,
    entityId: decodeEntityId(entity as string),
    epoch,
    sequence,
    time: at,
    partitionKey,
    kinesisSequenceNumber: sequenceNumber,
    ...(document['recovered'] === true && { recovered: true as const }),
  };
  return isEventName(name) && type === `rtms.${name}.v1`
    ? ({ ...fields, name, data: checkEventData(name, data) } as ReceivedEvent)
    : { ...fields, name: 'newer', type: type as string, data };
}

function parseJson(line: string): Record<string, unknown> {
  try {
    const document: unknown = JSON.parse(line);
    if (typeof document === 'object' && document !== null) return { ...document };
  } catch (cause) {
    throw new ServiceError('record/malformed', 'event is not JSON', { cause });
  }
  throw new ServiceError('record/malformed', 'event is not a JSON object');
}

function decodeEntityId(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch (cause) {
    throw new ServiceError('record/malformed', 'event source is not percent-encoded', { cause });
  }
}

function match(value: unknown, pattern: RegExp): RegExpExecArray | undefined {
  return typeof value === 'string' ? (pattern.exec(value) ?? undefined) : undefined;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}
