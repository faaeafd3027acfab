/** What Kinesis lets one UpdateShardCount do; more takes several. A stream takes ten calls in 24 hours. */
const CALLS_A_DAY = 10;

/**
 * The counts to go through, each at most double and at least half of the one before. They are spread evenly rather
 * than doubled to the end, so that no step splits shards which the next one merges.
 *
 * @see https://docs.aws.amazon.com/kinesis/latest/APIReference/API_UpdateShardCount.html (read 2026-11-27)
 * @returns nothing when the stream has that many already
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
