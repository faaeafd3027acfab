import { aggregatedRecordSize, emptyAggregateSize } from '../../shared/record/kpl.ts';

/** Bytes of the aggregate that `encodeAggregate` makes of records of these sizes, as a batcher adds them up. */
export function aggregateSize(partitionKeyBytes: number, recordSizes: readonly number[]): number {
  return recordSizes.reduce(
    (total, size) => total + aggregatedRecordSize(size),
    emptyAggregateSize(partitionKeyBytes),
  );
}
