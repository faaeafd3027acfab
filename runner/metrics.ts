import { Metrics as EmfMetrics } from '@aws-lambda-powertools/metrics';
import { METRIC_NAMESPACE, METRICS, type MetricName, type Metrics } from '../shared/metrics.ts';

/** CloudWatch takes 100 values of one metric in one line; at the 100th Powertools prints by itself. */
const MAX_VALUES = 99;

interface Series {
  readonly name: MetricName;
  readonly by: string | undefined;
  /** Observations, a uniform sample of them when there are more than MAX_VALUES; a counter has one. */
  readonly values: number[];
  seen: number;
}

/** Collects in memory and prints one EMF line per dimension value and period on stdout. */
export class EmfEmitter implements Metrics {
  readonly #series = new Map<MetricName, Map<string | undefined, Series>>();

  count(name: MetricName, value = 1, by?: string): void {
    const { values } = this.#at(name, by);
    values[0] = (values[0] ?? 0) + value;
  }

  observe(name: MetricName, value: number, by?: string): void {
    const series = this.#at(name, by);
    series.seen += 1;
    if (series.values.length < MAX_VALUES) {
      series.values.push(value);
      return;
    }
    const place = Math.floor(Math.random() * series.seen);
    if (place < MAX_VALUES) series.values[place] = value;
  }

  /** Prints what was collected since the last time, and forgets it. */
  flush(): void {
    const all = [...this.#series.values()].flatMap((seriesOf) => [...seriesOf.values()]);
    const byDimension = Map.groupBy(all, ({ name, by }) =>
      by === undefined ? '' : `${dimensionOf(name)}=${by}`,
    );
    this.#series.clear();
    for (const group of byDimension.values()) {
      const emf = new EmfMetrics({ namespace: METRIC_NAMESPACE, serviceName: 'runner' });
      const { name: first, by } = group[0] as Series;
      const dimension = dimensionOf(first);
      if (dimension !== undefined && by !== undefined) emf.addDimension(dimension, by);
      for (const { name, values } of group) {
        for (const value of values) emf.addMetric(name, METRICS[name].unit, value);
      }
      emf.publishStoredMetrics();
    }
  }

  /** Asked several times a frame: no key is put together. */
  #at(name: MetricName, by: string | undefined): Series {
    let seriesOf = this.#series.get(name);
    if (seriesOf === undefined) {
      seriesOf = new Map();
      this.#series.set(name, seriesOf);
    }
    let series = seriesOf.get(by);
    if (series === undefined) {
      series = { name, by, values: [], seen: 0 };
      seriesOf.set(by, series);
    }
    return series;
  }
}

function dimensionOf(name: MetricName): string | undefined {
  const metric = METRICS[name];
  return 'by' in metric ? metric.by : undefined;
}
