/** What a runner's work costs, US dollars; infra computes it from the stage's price table. */
export interface RunnerPrices {
  /** One task for an hour, address included. */
  readonly taskHour: number;
  /** One meeting's share of the shards for an hour; 0 with on-demand streams. */
  readonly shardsPerMeetingHour: number;
  readonly millionPutUnits: number;
  /** Written to Kinesis, GiB; 0 with provisioned streams. */
  readonly gigabyteIn: number;
}

/** What one task did in a period. */
export interface RunnerUsage {
  readonly periodSeconds: number;
  /** Sessions it held, on average. */
  readonly sessions: number;
  readonly putUnits: number;
  readonly bytesOut: number;
}

/** @returns dollars for one meeting of an hour at this rate; undefined when there is no meeting to share them */
export function costPerMeetingHour(prices: RunnerPrices, usage: RunnerUsage): number | undefined {
  const { periodSeconds, sessions, putUnits, bytesOut } = usage;
  if (sessions <= 0 || periodSeconds <= 0) return undefined;
  const written =
    (putUnits / 1e6) * prices.millionPutUnits + (bytesOut / 1024 ** 3) * prices.gigabyteIn;
  const sharedPerHour = prices.taskHour + (written * 3600) / periodSeconds;
  return sharedPerHour / sessions + prices.shardsPerMeetingHour;
}
