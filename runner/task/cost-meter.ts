import { costPerMeetingHour, type RunnerPrices } from '../../shared/cost.ts';
import type { Metrics } from '../../shared/metrics.ts';

/** What a producer has written since its start. */
interface Written {
  readonly putUnits: number;
  readonly bytes: number;
}

/** Estimates in every metrics period what an hour of one meeting costs at the present rate. */
export class CostMeter {
  readonly #prices: RunnerPrices;
  readonly #metrics: Metrics;
  #before: Written = { putUnits: 0, bytes: 0 };
  #beforeMs = performance.now();

  constructor(prices: RunnerPrices, metrics: Metrics) {
    this.#prices = prices;
    this.#metrics = metrics;
  }

  /** To be called once a metrics period. */
  observe(sessions: number, producers: readonly Written[]): void {
    const nowMs = performance.now();
    const putUnits = producers.reduce((sum, written) => sum + written.putUnits, 0);
    const bytes = producers.reduce((sum, written) => sum + written.bytes, 0);
    const cost = costPerMeetingHour(this.#prices, {
      periodSeconds: (nowMs - this.#beforeMs) / 1000,
      sessions,
      putUnits: putUnits - this.#before.putUnits,
      bytesOut: bytes - this.#before.bytes,
    });
    this.#before = { putUnits, bytes };
    this.#beforeMs = nowMs;
    if (cost !== undefined) this.#metrics.observe('CostPerMeetingHour', cost);
  }
}
