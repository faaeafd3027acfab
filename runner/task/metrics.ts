import { Metrics as EmfMetrics } from '@aws-lambda-powertools/metrics';
import { costPerMeetingHour, type RunnerPrices } from '../../shared/cost.ts';
import {
  type Counter,
  type CounterMetrics,
  METRIC_NAMESPACE,
  METRICS,
  type MetricName,
  type Metrics,
} from '../../shared/metrics.ts';

/** CloudWatch accepts 100 values of a metric in one line. At the 100th Powertools would print by itself. */
const MAX_VALUES = 99;

/** One metric with one dimension value. It is kept from period to period. */
class Series implements Counter {
  readonly name: MetricName;
  readonly by: string | undefined;
  /** All observations, or a uniform sample of MAX_VALUES of them. A counter has one value. */
  values: number[] = [];
  seen = 0;

  constructor(name: MetricName, by: string | undefined) {
    this.name = name;
    this.by = by;
  }

  add(value: number): void {
    this.values[0] = (this.values[0] ?? 0) + value;
  }
}

/** Collects metrics in memory, and prints one EMF line per dimension value and period on stdout. */
export class EmfEmitter implements CounterMetrics {
  readonly #deployment: string;
  readonly #series = new Map<MetricName, Map<string | undefined, Series>>();

  /** @param deployment dimension of every metric, which keeps two deployments of one account apart */
  constructor(deployment: string) {
    this.#deployment = deployment;
  }

  count(name: MetricName, value = 1, by?: string): void {
    this.#at(name, by).add(value);
    if (isInTotal(name, by)) this.#at(name, undefined).add(value);
  }

  counter(name: MetricName, by?: string): Counter {
    const own = this.#at(name, by);
    if (!isInTotal(name, by)) return own;
    const total = this.#at(name, undefined);
    return {
      add(value) {
        own.add(value);
        total.add(value);
      },
    };
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

  /** Prints what was collected since the last time, and begins anew. */
  flush(): void {
    const all = [...this.#series.values()]
      .flatMap((seriesOf) => [...seriesOf.values()])
      .filter(({ values }) => values.length > 0);
    const byDimension = Map.groupBy(all, ({ name, by }) =>
      by === undefined ? '' : `${dimensionOf(name)}=${by}`,
    );
    for (const group of byDimension.values()) {
      const emf = new EmfMetrics({ namespace: METRIC_NAMESPACE, serviceName: 'runner' });
      const { name: first, by } = group[0] as Series;
      emf.addDimension('deployment', this.#deployment);
      const dimension = dimensionOf(first);
      if (dimension !== undefined && by !== undefined) emf.addDimension(dimension, by);
      for (const series of group) {
        const { name } = series;
        for (const value of series.values) emf.addMetric(name, METRICS[name].unit, value);
        series.values = [];
        series.seen = 0;
      }
      emf.publishStoredMetrics();
    }
  }

  #at(name: MetricName, by: string | undefined): Series {
    let seriesOf = this.#series.get(name);
    if (seriesOf === undefined) {
      seriesOf = new Map();
      this.#series.set(name, seriesOf);
    }
    let series = seriesOf.get(by);
    if (series === undefined) {
      series = new Series(name, by);
      seriesOf.set(by, series);
    }
    return series;
  }
}

/** Alarms watch totals, because an alarm on one time series per cause would miss a new cause. */
function isInTotal(name: MetricName, by: string | undefined): boolean {
  const metric = METRICS[name];
  if (!('total' in metric) || by === undefined) return false;
  const left: readonly string[] = 'notInTotal' in metric ? metric.notInTotal : [];
  return !left.includes(by);
}

function dimensionOf(name: MetricName): string | undefined {
  const metric = METRICS[name];
  return 'by' in metric ? metric.by : undefined;
}

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
