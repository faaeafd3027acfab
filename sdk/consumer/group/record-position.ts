import { SHARD_END } from '../reading/checkpoints.ts';

/** Up to where a shard has been processed. */
export interface RecordPosition {
  /** Of the last Kinesis record that was processed, whole or in part; or `SHARD_END`. */
  readonly sequenceNumber: string;
  /** Of the last user record in it that was processed, from 0. Absent when all of them were. */
  readonly subSequenceNumber?: number;
}

/** @returns below 0 when `a` comes before `b` in their shard */
export function comparePositions(a: RecordPosition, b: RecordPosition): number {
  if (a.sequenceNumber !== b.sequenceNumber) {
    return numberOf(a) < numberOf(b) ? -1 : 1;
  }
  const [subA, subB] = [a.subSequenceNumber ?? Infinity, b.subSequenceNumber ?? Infinity];
  return subA === subB ? 0 : subA - subB;
}

/** Sequence numbers have up to 56 digits, and not always as many. The end of a shard comes behind all of them. */
function numberOf({ sequenceNumber }: RecordPosition): bigint {
  return sequenceNumber === SHARD_END ? 2n ** 256n : BigInt(sequenceNumber);
}
