/** How many UpdateShardCount calls Kinesis allows for a stream in 24 hours. */
const CALLS_A_DAY = 10;

/**
 * Plans the shard counts from `current` to `target`, each at most double and at least half of the one before, as one
 * UpdateShardCount call allows.
 *
 * @see https://docs.aws.amazon.com/kinesis/latest/APIReference/API_UpdateShardCount.html (read 2026-11-27)
 * @returns no step when the stream has that many shards already
 */
export function reshardSteps(current: number, target: number): readonly number[] {
  const steps: number[] = [];
  for (let count = current; count !== target; ) {
    const next =
      target > count ? Math.min(target, count * 2) : Math.max(target, Math.ceil(count / 2));
    steps.push(next);
    count = next;
  }
  return steps;
}

export const fitsADay = (steps: readonly number[]): boolean => steps.length <= CALLS_A_DAY;
