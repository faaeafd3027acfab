import { cbor } from '@smithy/core/cbor';
import type { PutResult } from '../put-client.ts';
import type { WireAnswer } from './answer-reader.ts';

/** The SDK's name of an error whose answer does not say which one it is. */
const NAMELESS = 'Unknown';

/** The service, or somebody on the way to it, has refused a call as a whole. */
export class PutRefusedError extends Error {
  override readonly name: string;
  readonly status: number;

  constructor(name: string, message: string, status: number) {
    super(message);
    this.name = name;
    this.status = status;
  }
}

/**
 * The results in an answer to PutRecords.
 *
 * @throws PutRefusedError for an error of the service, under its own name, as the SDK throws it
 * @throws BadBodyError when the body of a success cannot be read
 */
export function readPutAnswer(answer: WireAnswer): readonly PutResult[] {
  const { status, headers } = answer;
  if (status >= 200 && status < 300) {
    const { Records: results } = decode(answer);
    return Array.isArray(results) ? results.map((result) => asObject(result) ?? {}) : [];
  }
  let told: Readonly<Record<string, unknown>> = {};
  try {
    told = decode(answer);
  } catch {
    // A proxy answers in HTML.
  }
  const { __type: type, message, Message } = told;
  const code = Object.keys(told).find((key) => key.toLowerCase() === 'code') ?? '';
  // Where they differ, the SDK takes the first one.
  const found = [type, told[code], headers.get('x-amzn-errortype')].find(
    (name) => typeof name === 'string' && name !== '',
  ) as string | undefined;
  const text = [message, Message].find((one) => typeof one === 'string') as string | undefined;
  throw new PutRefusedError(shortName(found), text ?? `HTTP ${status}`, status);
}

/** A success whose body cannot be read: what became of the records, nobody knows. */
export class BadBodyError extends Error {
  override readonly name = 'BadBodyError';
}

/**
 * A map of CBOR begins with 0xa0 to 0xbf, and no JSON does. The content type is not asked, as the SDK does not: whoever stands
 * on the way leaves it out or names another one, and a body that is not read costs its records twice.
 *
 * @throws BadBodyError
 */
function decode({ body }: WireAnswer): Readonly<Record<string, unknown>> {
  const isCbor = (body[0] ?? 0) >> 5 === 5;
  let value: unknown;
  try {
    value = isCbor ? cbor.deserialize(body) : JSON.parse(body.toString());
  } catch (cause) {
    throw new BadBodyError('the body of the answer cannot be read', { cause });
  }
  const object = asObject(value);
  if (object === undefined) throw new BadBodyError('the body of the answer is no object');
  return object;
}

function asObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)
    : undefined;
}

/** `com.amazonaws.kinesis#Name:http://...` is `Name`, as the SDK reads it. */
function shortName(told: string | undefined): string {
  const name = told?.split(',')[0]?.split(':')[0]?.split('#');
  return name?.[1] ?? name?.[0] ?? NAMELESS;
}

/** Names of errors that a service has for a body it cannot read. */
const FORMAT_ERRORS = [
  'SerializationException',
  'UnknownOperationException',
  'UnsupportedMediaTypeException',
];
/**
 * What a service, or an emulator of it, answers that cannot read a body and says no more. Others of 4xx speak of something else:
 * rights (401, 403, 407), a call that came too slowly (408) and may have had an effect, its size (413), too many calls (429).
 */
const FORMAT_STATUSES = [400, 404, 405, 406, 415, 422, 501];

/**
 * Whether an error may mean that the service, or an emulator of it, does not take the format of the request. Then the
 * call has had no effect, and may be made in another format. An error of the service itself, 5xx, never means that; see
 * {@link isBrokenOverFormat} for one without a name.
 */
export function isFormatRefused(error: unknown): error is PutRefusedError {
  if (!(error instanceof PutRefusedError)) return false;
  const { status, name } = error;
  if (status === 415 || status === 501) return true;
  if (name === NAMELESS) return FORMAT_STATUSES.includes(status);
  return status >= 400 && status < 500 && FORMAT_ERRORS.includes(name);
}

/**
 * Whether a service that has not taken a call in this format yet may have broken over it: emulators answer 500 with a page of HTML then,
 * or a success that cannot be read. The service itself names its errors. What became of the call, nobody knows.
 */
export function isBrokenOverFormat(error: unknown): error is PutRefusedError | BadBodyError {
  if (error instanceof BadBodyError) return true;
  return error instanceof PutRefusedError && error.status === 500 && error.name === NAMELESS;
}
