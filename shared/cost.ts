import * as v from 'valibot';
import { ServiceError } from './errors.ts';

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

/**
 * Reads the `PRICES` variable.
 *
 * @throws ServiceError `config/invalid` naming the price that is missing or no number
 */
export function parseRunnerPrices(json: string): RunnerPrices {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new ServiceError('config/invalid', 'the prices are not JSON');
  }
  const parsed = v.safeParse(RUNNER_PRICES, value);
  if (parsed.success) return parsed.output;
  const fields = parsed.issues.map((issue) => v.getDotPath(issue) ?? 'the whole');
  throw new ServiceError('config/invalid', `prices are wrong at ${fields.join(', ')}`);
}

const price = v.pipe(v.number(), v.minValue(0));
const RUNNER_PRICES = v.object({
  taskHour: price,
  shardsPerMeetingHour: price,
  millionPutUnits: price,
  gigabyteIn: price,
} satisfies Record<keyof RunnerPrices, unknown>);
