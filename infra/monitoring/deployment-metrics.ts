import { Duration } from 'aws-cdk-lib';
import { MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import {
  COMMON_DIMENSIONS,
  METRIC_NAMESPACE,
  METRICS,
  type MetricName,
} from '../../shared/metrics.ts';

const MINUTE = Duration.minutes(1);

/** Emitted by the webhook function; all others come from the runner. */
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

type Service = 'webhook' | 'runner' | 'synthetic';

interface MetricOptions {
  /** Value of the metric's own dimension; required where `METRICS` gives it one. */
  readonly by?: string;
  /** Who emits it, where more than one does. @default the one that `serviceOf` names */
  readonly service?: Service;
  readonly label?: string;
  readonly color?: string;
}

/** The metrics of one deployment: two deployments of an account never see each other's. */
export class DeploymentMetrics {
  readonly #deployment: string;

  constructor(deployment: string) {
    this.#deployment = deployment;
  }

  /** One of our own metrics, per minute, over all tasks. */
  of(metricName: MetricName, statistic: string, options: MetricOptions = {}): Metric {
    const dimension = dimensionOf(metricName);
    if ((dimension === undefined) !== (options.by === undefined)) {
      throw new Error(`${metricName} is dimensioned by ${dimension ?? 'nothing of its own'}`);
    }
    return this.#metric(metricName, statistic, options);
  }

  /** A line for every value that the metric's own dimension takes; for graphs, not for alarms. */
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

  /** The sum over all values of the metric's own dimension, which is emitted as such. */
  total(metricName: MetricName, options: Omit<MetricOptions, 'by'> = {}): Metric {
    if (!('total' in METRICS[metricName])) throw new Error(`${metricName} has no total`);
    return this.#metric(metricName, 'Sum', options);
  }

  /**
   * A level summed over the fleet. Every task reports `SlotsTotal` whenever it reports levels at all, and
   * leaves out states in which it has no session: the sum over that count is the average task's level,
   * however often tasks report.
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
  return WEBHOOK_METRICS.has(metricName) ? 'webhook' : 'runner';
}

function dimensionOf(metricName: MetricName): string | undefined {
  const definition = METRICS[metricName];
  return 'by' in definition ? definition.by : undefined;
}
