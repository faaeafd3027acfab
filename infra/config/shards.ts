import { KINESIS_LIMITS } from '../../shared/kinesis-limits.ts';

/** One meeting's writes to one stream. */
export interface WriteLoad {
  readonly bytesPerSecond: number;
  readonly putsPerSecond: number;
}

/**
 * Shards of a provisioned stream.
 *
 * @param shardLoad average share of each shard to use. Keys are placed by hash: with 113 kB/s keys, 0.5 %
 *   of the shards overflow at 0.4, and 6 % at 0.6
 * @returns at least 1
 */
export function shardsFor(load: WriteLoad, meetings: number, shardLoad: number): number {
  const perMeeting = Math.max(
    load.bytesPerSecond / KINESIS_LIMITS.plannedShardBytesPerSecond,
    load.putsPerSecond / KINESIS_LIMITS.shardRecordsPerSecond,
  );
  return Math.max(1, Math.ceil((perMeeting * meetings) / shardLoad));
}
