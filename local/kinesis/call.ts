import type { Account } from './account.ts';
import { ApiError, type EntryErrorName } from './api-error.ts';
import { type Input, optionalText } from './input.ts';
import type { DataStream } from './stream.ts';
import type { Subscription } from './subscription.ts';

/** What an operation gets beside its input. */
export interface Call {
  readonly account: Account;
  readonly nowMs: number;
  /** Asks the fault script about the next record. @returns the code to refuse it with, or undefined */
  entryError(): EntryErrorName | undefined;
}

/** Carries out one call. @returns the answer: an object, JSON text where speed matters, or a stream of events */
export type Operation = (input: Input, call: Call) => object | string | Subscription;

export const STREAM_NAME = { min: 1, max: 128, pattern: /^[a-zA-Z0-9_.-]+$/ };
const ARN = /^arn:aws[\w-]*:kinesis:[\w-]+:\d{12}:stream\/([\w.-]+)$/;

/** Reads the name from StreamName or StreamARN. Whether the stream exists is not checked. */
export function streamNameIn(input: Input): string | undefined {
  const { StreamName: name, StreamARN: arn } = input;
  if (typeof name === 'string') return name;
  return typeof arn === 'string' ? ARN.exec(arn)?.[1] : undefined;
}

/**
 * Finds the data stream that a call names by StreamName, StreamARN or both.
 *
 * @throws ApiError ResourceNotFoundException, ValidationException, InvalidArgumentException
 */
export function streamOf(input: Input, account: Account): DataStream {
  const name = optionalText(input, 'StreamName', STREAM_NAME);
  const arn = optionalText(input, 'StreamARN', { pattern: ARN });
  const wanted = name ?? streamNameIn(input);
  if (wanted === undefined) {
    throw new ApiError('InvalidArgumentException', 'Either StreamName or StreamARN must be given.');
  }
  const stream = account.find(wanted);
  if (arn !== undefined && arn !== stream.arn) {
    const message = `Stream ${arn} under account ${account.id} not found.`;
    throw new ApiError('ResourceNotFoundException', message);
  }
  return stream;
}

/** AWS JSON has times as seconds since 1970, with the milliseconds as fraction. */
export function toTimestamp(ms: number): number {
  return ms / 1000;
}
