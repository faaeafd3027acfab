import type { MemoryPool } from '../../shared/memory-pool.ts';
import {
  aggregatedRecordSize,
  emptyAggregateSize,
  encodeAggregate,
} from '../../shared/record/kpl.ts';

/** How several user records of one partition key share a Kinesis record. A lone one is always written bare. */
export interface RecordFormat {
  /** Bytes of a shared record before the first user record is in it. @param keyBytes UTF-8 length of the key */
  readonly emptyBytes: (keyBytes: number) => number;
  /** Bytes by which a user record makes the shared record grow. */
  readonly grownBytes: (recordBytes: number) => number;
  /** The shared record, in memory acquired from `memory`. */
  readonly pack: (
    partitionKey: string,
    records: readonly Uint8Array[],
    memory: MemoryPool,
  ) => Buffer;
}

/** KPL aggregates: user records of any bytes, found again by their lengths. */
export const AGGREGATES: RecordFormat = {
  emptyBytes: emptyAggregateSize,
  grownBytes: aggregatedRecordSize,
  pack: (partitionKey, records, memory) =>
    encodeAggregate(partitionKey, records, (sizeBytes) => memory.acquire(sizeBytes)),
};

/**
 * Lines one after the other: newline-delimited text, which Firehose, Athena and `jq` read as it is. Every user record
 * must end with its newline, or two lines would become one.
 */
export const LINES: RecordFormat = {
  emptyBytes: () => 0,
  grownBytes: (recordBytes) => recordBytes,
  pack: (_partitionKey, records, memory) => {
    const total = records.reduce((sum, { length }) => sum + length, 0);
    const out = memory.acquire(total);
    let at = 0;
    for (const record of records) {
      out.set(record, at);
      at += record.length;
    }
    return out;
  },
};
