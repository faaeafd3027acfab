import { ApiError } from './api-error.ts';
import { KINESIS_QUOTAS } from './limits.ts';
import type { DataStream } from './stream.ts';

/** Where a shard iterator stands. The token itself contains it, so that the server keeps no iterators. */
export interface ShardPosition {
  readonly streamName: string;
  /** Tells a stream from one of the same name that was deleted. */
  readonly streamCreatedAtMs: number;
  readonly shardId: string;
  readonly position: number;
}

const TOKEN = /^v1 ([\w.-]+) (\d+) (shardId-\d{12}) (\d+) (\d+)$/;

export function encodeIterator(
  stream: DataStream,
  shardId: string,
  position: number,
  nowMs: number,
): string {
  const text = `v1 ${stream.name} ${stream.createdAtMs} ${shardId} ${position} ${nowMs}`;
  return Buffer.from(text, 'latin1').toString('base64');
}

/**
 * @throws ApiError InvalidArgumentException for text that is not from `encodeIterator`; ExpiredIteratorException
 *   after five minutes
 */
export function decodeIterator(token: string, nowMs: number): ShardPosition {
  const match = TOKEN.exec(Buffer.from(token, 'base64').toString('latin1'));
  if (match === null) throw new ApiError('InvalidArgumentException', 'Invalid ShardIterator.');
  const [, streamName = '', createdAt, shardId = '', position, issuedAt] = match;
  if (nowMs - Number(issuedAt) > KINESIS_QUOTAS.iteratorAgeMs) {
    throw new ApiError(
      'ExpiredIteratorException',
      `Iterator expired. The iterator was created at time ${new Date(Number(issuedAt)).toUTCString()} ` +
        `while right now it is ${new Date(nowMs).toUTCString()} which is further in the future than ` +
        `the tolerated delay of ${KINESIS_QUOTAS.iteratorAgeMs} milliseconds.`,
    );
  }
  return {
    streamName,
    streamCreatedAtMs: Number(createdAt),
    shardId,
    position: Number(position),
  };
}
