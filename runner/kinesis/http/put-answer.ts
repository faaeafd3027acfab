import { cbor } from '@smithy/core/cbor';
import type { PutResult } from '../put-client.ts';
import type { WireAnswer } from './answer-reader.ts';

/** The SDK's name of an error whose answer does not say which one it is. */
const NAMELESS = 'UnknownError';

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
 * @throws BadBodyError when the body of a success is not what its content type says
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
  const { __type: type, code, message, Message } = told;
  const found = [headers.get('x-amzn-errortype'), code, type].find(
    (name) => typeof name === 'string' && name !== '',
  ) as string | undefined;
  const text = [message, Message].find((one) => typeof one === 'string') as string | undefined;
  throw new PutRefusedError(shortName(found), text ?? `HTTP ${status}`, status);
}

/** A success whose body cannot be read: what became of the records, nobody knows. */
export class BadBodyError extends Error {
  override readonly name = 'BadBodyError';
}

/** @throws BadBodyError */
function decode({ headers, body }: WireAnswer): Readonly<Record<string, unknown>> {
  const isCbor = headers.get('content-type')?.includes('cbor');
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
  const name = told?.split(',')[0]?.split(':')[0];
  return name?.slice(name.indexOf('#') + 1) || NAMELESS;
}

/** Names of errors that a service has for a body it cannot read. */
const FORMAT_ERRORS = [
  'SerializationException',
  'UnknownOperationException',
  'UnsupportedMediaTypeException',
  NAMELESS,
];

/**
 * Whether an error may mean that the service, or an emulator of it, does not take the format of the request. Then the
 * call has had no effect, and may be made in another format. An error of the service itself, 5xx, never means that; see
 * {@link isBrokenOverFormat} for one without a name.
 */
export function isFormatRefused(error: unknown): boolean {
  if (!(error instanceof PutRefusedError)) return false;
  const { status, name } = error;
  if (status === 415 || status === 501) return true;
  return status >= 400 && status < 500 && FORMAT_ERRORS.includes(name);
}

/**
 * Whether a service that has not taken a call in this format yet may have broken over it: emulators answer 500 with a page of HTML then.
 * The service itself names its errors. What became of the call, nobody knows.
 */
export function isBrokenOverFormat(error: unknown): boolean {
  return error instanceof PutRefusedError && error.status === 500 && error.name === NAMELESS;
}
