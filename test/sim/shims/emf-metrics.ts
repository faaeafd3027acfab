import { running } from '../world/machine.ts';

/**
 * Powertools without its output: nobody reads metrics here, and printing them would cost more than a meeting. What a line says
 * last of each metric is kept with the process, for the judge of leaks.
 */
export class Metrics {
  readonly #line = new Map<string, number>();

  addDimension(): void {}
  addDimensions(): void {}
  addMetric(name: string, _unit: string, value: number): void {
    this.#line.set(name, Math.max(value, this.#line.get(name) ?? 0));
  }
  addMetadata(): void {}
  clearMetrics(): void {}
  captureColdStartMetric(): void {}
  singleMetric(): Metrics {
    return this;
  }
  setDefaultDimensions(): void {}
  publishStoredMetrics(): void {
    const levels = running()?.levels;
    for (const [name, value] of this.#line) levels?.set(name, value);
    this.#line.clear();
  }
  hasStoredMetrics(): boolean {
    return false;
  }
}

export const MetricUnit = new Proxy({}, { get: (_, name) => name });
export const MetricResolution = { Standard: 60, High: 1 };
