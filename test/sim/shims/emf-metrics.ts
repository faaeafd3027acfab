/** Powertools without its output: nobody reads metrics here, and printing them would cost more than a meeting. */
export class Metrics {
  addDimension(): void {}
  addDimensions(): void {}
  addMetric(): void {}
  addMetadata(): void {}
  clearMetrics(): void {}
  captureColdStartMetric(): void {}
  singleMetric(): Metrics {
    return this;
  }
  setDefaultDimensions(): void {}
  publishStoredMetrics(): void {}
  hasStoredMetrics(): boolean {
    return false;
  }
}

export const MetricUnit = new Proxy({}, { get: (_, name) => name });
export const MetricResolution = { Standard: 60, High: 1 };
