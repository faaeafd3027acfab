import type { Product } from '../../rtms/protocol/product.ts';
import type { EventData, EventName } from './event-data.ts';

/** What all events of one epoch of one rtmsStream share. */
export interface EventOrigin {
  readonly rtmsStreamId: string;
  readonly epoch: number;
  readonly product: Product;
  readonly entityId: string;
}

/** One line of the `events` stream: a CloudEvents 1.0 document in structured JSON mode. */
export interface RtmsEvent<Name extends EventName = EventName> {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: `rtms.${Name}.v1`;
  readonly subject: string;
  /** RFC 3339 with milliseconds. */
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly epoch: number;
  readonly sequence: number;
  readonly data: EventData[Name];
}

/** Beyond this no JavaScript date exists. */
const MAX_TIME_MS = 8.64e15;

/**
 * Builds one event.
 *
 * @param sequence from 1 in each epoch, over all event names of the rtmsStream
 * @param timeMs when it happened at Zoom, else when it was seen, Unix ms; a time no calendar has becomes
 *   the epoch's start, 1970
 */
export function buildEvent<Name extends EventName>(
  origin: EventOrigin,
  name: Name,
  sequence: number,
  timeMs: number,
  data: EventData[Name],
): RtmsEvent<Name> {
  const { rtmsStreamId, epoch, product, entityId } = origin;
  return {
    specversion: '1.0',
    id: `${rtmsStreamId}/${epoch}/${sequence}`,
    source: `/zoom/${product}/${encodeURIComponent(entityId.toWellFormed())}`,
    type: `rtms.${name}.v1`,
    subject: rtmsStreamId,
    time: new Date(Math.abs(timeMs) <= MAX_TIME_MS ? timeMs : 0).toISOString(),
    datacontenttype: 'application/json',
    epoch,
    sequence,
    data,
  };
}

/** The bytes of one event as they stand in the `events` stream: one JSON document ended by a newline. */
export function encodeEvent<Name extends EventName>(
  ...[origin, name, sequence, timeMs, data]: Parameters<typeof buildEvent<Name>>
): Buffer {
  return encodeEventText(origin, name, sequence, timeMs, JSON.stringify(data));
}

/** `encodeEvent` for data that is JSON text already: its size is known before it has a number. */
export function encodeEventText(
  origin: EventOrigin,
  name: EventName,
  sequence: number,
  timeMs: number,
  dataText: string,
): Buffer {
  const { data: _, ...attributes } = buildEvent(origin, name, sequence, timeMs, NO_DATA);
  return Buffer.from(`${JSON.stringify(attributes).slice(0, -1)},"data":${dataText}}\n`);
}

const NO_DATA = {} as EventData[EventName];
