/** One meeting's writes to one stream. */
export interface WriteLoad {
  readonly bytesPerSecond: number;
  readonly putsPerSecond: number;
}

/** What one shard takes: "1 MB per second and 1,000 records per second", in MiB (aws-facts §1.1, §6). */
const SHARD_BYTES_PER_SECOND = 1024 * 1024;
const SHARD_RECORDS_PER_SECOND = 1000;

/**
 * Shards of a provisioned stream.
 *
 * @param shardLoad average share of each shard to use. Keys are placed by hash: with 113 kB/s keys, 0.5 %
 *   of the shards overflow at 0.4, and 6 % at 0.6
 * @returns at least 1
 */
export function shardsFor(load: WriteLoad, meetings: number, shardLoad: number): number {
  const perMeeting = Math.max(
    load.bytesPerSecond / SHARD_BYTES_PER_SECOND,
    load.putsPerSecond / SHARD_RECORDS_PER_SECOND,
  );
  return Math.max(1, Math.ceil((perMeeting * meetings) / shardLoad));
}
