import { cbor, tag } from '@smithy/core/cbor';
import { EventStreamCodec } from '@smithy/core/event-streams';
import { ApiError } from './api-error.ts';
import { asObject, type Input, parseInput } from './input.ts';

/** How the bodies of one request and its answer are written. */
export interface BodyFormat {
  readonly contentType: string;
  /** @throws ApiError SerializationException */
  parse(body: Buffer): Input;
  /** @param answer an object of AWS JSON, or its text */
  write(answer: object | string): string | Uint8Array;
}

const JSON_FORMAT: BodyFormat = {
  contentType: 'application/x-amz-json-1.1',
  parse: (body) => parseInput(body.toString()),
  write: (answer) => (typeof answer === 'string' ? answer : JSON.stringify(answer)),
};

/**
 * What AWS SDK for Java 1 and 2 speak to Kinesis unless told otherwise, and with them KCL and Flink: the members of AWS
 * JSON, but bytes are byte strings and times are whole milliseconds since 1970 with tag 1. (RFC 8949 has seconds for
 * that tag; the marshaller of AWS SDK for Java writes and reads milliseconds.)
 */
const CBOR_FORMAT: BodyFormat = {
  contentType: 'application/x-amz-cbor-1.1',
  parse(body) {
    if (body.length === 0) return {};
    let value: unknown;
    try {
      value = cbor.deserialize(body);
    } catch {
      throw new ApiError('SerializationException', 'The request body is not CBOR.');
    }
    return asObject(toJson(value));
  },
  write: (answer) =>
    cbor.serialize(toCbor('', typeof answer === 'string' ? JSON.parse(answer) : answer)),
};

/** A request of any other content type is read as JSON. */
export function bodyFormatOf(contentType: string | undefined): BodyFormat {
  return contentType === CBOR_FORMAT.contentType ? CBOR_FORMAT : JSON_FORMAT;
}

/** The operations of this server take members as AWS JSON has them: base64 for bytes, seconds for times. */
function toJson(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== 'object' || value === null) return value;
  if ('tag' in value && 'value' in value) return Number(value.value) / 1000;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, toJson(member)]));
}

/** The blob of the API of Kinesis. Its times all end in `Timestamp`. */
const BLOB = 'Data';
const TIME = /Timestamp$/;

function toCbor(name: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((member) => toCbor('', member));
  if (name === BLOB) return Buffer.from(String(value), 'base64');
  if (TIME.test(name)) return tag({ tag: 1, value: Math.round(Number(value) * 1000) });
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([member, inner]) => [member, toCbor(member, inner)]));
}

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
