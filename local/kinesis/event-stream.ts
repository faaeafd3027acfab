import { EventStreamCodec } from '@smithy/core/event-streams';
import type { ApiError } from './api-error.ts';
import type { BodyFormat } from './body-format.ts';

/** The content type of an answer that is a stream of events. */
export const EVENT_STREAM = 'application/vnd.amazon.eventstream';

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes as Uint8Array).toString(),
  (text) => Buffer.from(text),
);

/** @param type for example `SubscribeToShardEvent`; `initial-response` holds the members that are no events */
export function encodeStreamEvent(type: string, json: string, format: BodyFormat): Uint8Array {
  return encode({ ':message-type': 'event', ':event-type': type }, json, format);
}

/** Encodes an error that a client throws from its iteration. */
export function encodeStreamError({ name, message }: ApiError, format: BodyFormat): Uint8Array {
  return encode({ ':message-type': 'exception', ':exception-type': name }, { message }, format);
}

function encode(
  headers: Readonly<Record<string, string>>,
  content: object | string,
  format: BodyFormat,
): Uint8Array {
  const all = { ...headers, ':content-type': format.contentType };
  return codec.encode({
    headers: Object.fromEntries(
      Object.entries(all).map(([name, value]) => [name, { type: 'string', value }]),
    ),
    body: Buffer.from(format.write(content)),
  });
}
