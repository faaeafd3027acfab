import { Duration, Names } from 'aws-cdk-lib';
import { MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import {
  COMMON_DIMENSIONS,
  METRIC_NAMESPACE,
  METRICS,
  type MetricName,
} from '../../shared/metrics.ts';

const MINUTE = Duration.minutes(1);

/** Metrics of the webhook function. Runners emit the others, but for those of the synthetic meeting and the archive. */
const WEBHOOK_METRICS: ReadonlySet<MetricName> = new Set([
  'WebhookAccepted',
  'WebhookUnknownEvent',
  'WebhookRejected',
  'WebhookSignatureFailure',
  'WebhookStoreFailure',
  'WebhookSecretFailure',
  'WebhookDefect',
  'ConcurrencyLimited',
  'ConcurrencyShare',
]);

type Service = 'webhook' | 'runner' | 'synthetic' | 'archiver';

interface MetricOptions {
  /** Value of the metric's own dimension; required where `METRICS` gives it one. */
  readonly by?: string;
  /** Which service's values, where several emit the metric. @default what `serviceOf` says */
  readonly service?: Service;
  readonly label?: string;
  readonly color?: string;
}

/** The metrics of one deployment, told from those of others in the account by a dimension. */
export class DeploymentMetrics {
  readonly #deployment: string;

  constructor(deployment: string) {
    this.#deployment = deployment;
  }

  /**
   * A metric of ours, per minute, over all tasks.
   *
   * @throws Error when `by` is missing for a metric with a dimension of its own, or given for one without
   */
  of(metricName: MetricName, statistic: string, options: MetricOptions = {}): Metric {
    const dimension = dimensionOf(metricName);
    if ((dimension === undefined) !== (options.by === undefined)) {
      const by = dimension === undefined ? 'has no dimension of its own' : `needs a ${dimension}`;
      throw new Error(`${metricName} ${by}`);
    }
    return this.#metric(metricName, statistic, options);
  }

  /** A line for every value of the metric's own dimension. Graphs can show it; alarms cannot judge a search. */
  perValue(metricName: MetricName, statistic: string): MathExpression {
    const dimension = dimensionOf(metricName);
    if (dimension === undefined) throw new Error(`${metricName} has no dimension of its own`);
    const schema = [METRIC_NAMESPACE, ...COMMON_DIMENSIONS, dimension].join(',');
    const wanted = [
      `MetricName="${metricName}"`,
      `deployment="${this.#deployment}"`,
      `service="${serviceOf(metricName)}"`,
    ].join(' ');
    return new MathExpression({
      expression: `SEARCH('{${schema}} ${wanted}', '${statistic}', 60)`,
      label: `${metricName} \${PROP('Dim.${dimension}')}`,
      period: MINUTE,
    });
  }

  /** The sum over all values of the metric's own dimension, for metrics that are also emitted without it. */
  total(metricName: MetricName, options: Omit<MetricOptions, 'by'> = {}): Metric {
    if (!('total' in METRICS[metricName])) throw new Error(`${metricName} has no total`);
    return this.#metric(metricName, 'Sum', options);
  }

  /**
   * The share of meetings that were recorded whole, of those that ended in a time, %. Their three metrics are emitted
   * together, so none of them lacks where another one is.
   */
  wholeShare(period: Duration): MathExpression {
    const ended = (name: MetricName) => this.of(name, 'Sum').with({ period });
    return new MathExpression({
      expression: '100 * whole / (whole + part + missed)',
      usingMetrics: {
        whole: ended('MeetingsWhole'),
        part: ended('MeetingsInPart'),
        missed: ended('MeetingsMissed'),
      },
      label: 'recorded whole, %',
      period,
    });
  }

  /**
   * A level summed over the fleet. Tasks report levels at times of their own, and leave out states in which they have no
   * session, so a plain sum would count some of them twice and others never. Each of them reports `SlotsTotal` with
   * every report: the sum divided by the number of those reports is the average task's level.
   */
  fleetTotal(metricName: MetricName, label: string, options: MetricOptions = {}): MathExpression {
    const sum = `sum${metricName}${options.by ?? ''}`;
    return new MathExpression({
      expression: `FILL(${sum}, 0) / reports * tasks`,
      usingMetrics: {
        [sum]: this.of(metricName, 'Sum', options),
        reports: this.of('SlotsTotal', 'SampleCount'),
        tasks: this.of('Tasks', 'Average'),
      },
      label,
      period: MINUTE,
      ...(options.color !== undefined && { color: options.color }),
    });
  }

  #metric(metricName: MetricName, statistic: string, options: MetricOptions): Metric {
    const dimension = dimensionOf(metricName);
    return new Metric({
      namespace: METRIC_NAMESPACE,
      metricName,
      statistic,
      period: MINUTE,
      dimensionsMap: {
        deployment: this.#deployment,
        service: options.service ?? serviceOf(metricName),
        ...(dimension !== undefined && options.by !== undefined && { [dimension]: options.by }),
      },
      ...(options.label !== undefined && { label: options.label }),
      ...(options.color !== undefined && { color: options.color }),
    });
  }
}

function serviceOf(metricName: MetricName): Service {
  if (metricName.startsWith('Synthetic')) return 'synthetic';
  if (metricName.startsWith('Archive')) return 'archiver';
  return WEBHOOK_METRICS.has(metricName) ? 'webhook' : 'runner';
}

function dimensionOf(metricName: MetricName): string | undefined {
  const definition = METRICS[metricName];
  return 'by' in definition ? definition.by : undefined;
}

/** The construct's path, as in `RtmsKinesis-dev-Rtms`: unique in an account and Region as stack names are. */
export function defaultDeployment(scope: Construct): string {
  return Names.uniqueResourceName(scope, {
    maxLength: 64,
    separator: '-',
    allowedSpecialCharacters: '-',
  });
}
