import { Duration } from 'aws-cdk-lib';
import { MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { FargateService } from 'aws-cdk-lib/aws-ecs';
import { METRIC_NAMESPACE, METRICS, type MetricName } from '../shared/metrics.ts';

const MINUTE = Duration.minutes(1);

/** Emitted by the webhook function; all others come from the runner. */
const WEBHOOK_METRICS: ReadonlySet<MetricName> = new Set([
  'WebhookAccepted',
  'WebhookUnknownEvent',
  'WebhookRejected',
  'WebhookSignatureFailure',
  'WebhookStoreFailure',
  'ConcurrencyLimited',
  'ConcurrencyShare',
]);

interface MetricOptions {
  /** Value of the metric's own dimension; required where `METRICS` gives it one. */
  readonly by?: string;
  readonly label?: string;
  readonly color?: string;
}

/** One of our own metrics, per minute, over all tasks. */
export function metric(
  metricName: MetricName,
  statistic: string,
  options: MetricOptions = {},
): Metric {
  const dimension = dimensionOf(metricName);
  if ((dimension === undefined) !== (options.by === undefined)) {
    throw new Error(`${metricName} is dimensioned by ${dimension ?? 'service only'}`);
  }
  return new Metric({
    namespace: METRIC_NAMESPACE,
    metricName,
    statistic,
    period: MINUTE,
    dimensionsMap: {
      service: serviceOf(metricName),
      ...(dimension !== undefined && options.by !== undefined && { [dimension]: options.by }),
    },
    ...(options.label !== undefined && { label: options.label }),
    ...(options.color !== undefined && { color: options.color }),
  });
}

/** One of our metrics with a line for every value its dimension takes; for graphs, not for alarms. */
export function metricPerValue(metricName: MetricName, statistic: string): MathExpression {
  const dimension = dimensionOf(metricName);
  if (dimension === undefined) throw new Error(`${metricName} has no dimension of its own`);
  return new MathExpression({
    expression: `SEARCH('{${METRIC_NAMESPACE},${dimension},service} MetricName="${metricName}" service="${serviceOf(metricName)}"', '${statistic}', 60)`,
    label: `${metricName} \${PROP('Dim.${dimension}')}`,
    period: MINUTE,
  });
}

/**
 * A level summed over the fleet. Every task reports `SlotsTotal` whenever it reports levels at all, and
 * leaves out states in which it has no session: the sum over that count is the average task's level,
 * however often tasks report.
 */
export function fleetTotal(
  service: FargateService,
  metricName: MetricName,
  label: string,
  options: MetricOptions = {},
): MathExpression {
  const sum = `sum${metricName}${options.by ?? ''}`;
  return new MathExpression({
    expression: `FILL(${sum}, 0) / reports * tasks`,
    usingMetrics: {
      [sum]: metric(metricName, 'Sum', options),
      reports: metric('SlotsTotal', 'SampleCount'),
      tasks: runningTasks(service),
    },
    label,
    period: MINUTE,
    ...(options.color !== undefined && { color: options.color }),
  });
}

/** Tasks of the service, as Container Insights counts them. */
export function runningTasks(service: FargateService): Metric {
  return new Metric({
    namespace: 'ECS/ContainerInsights',
    metricName: 'RunningTaskCount',
    dimensionsMap: {
      ClusterName: service.cluster.clusterName,
      ServiceName: service.serviceName,
    },
    statistic: 'Average',
    period: MINUTE,
    label: 'tasks',
  });
}

/** The sum over the named values of the metric's dimension, zero where nothing was emitted; for alarms. */
export function metricSum(
  metricName: MetricName,
  values: readonly string[],
  label: string,
  color?: string,
): MathExpression {
  const usingMetrics = Object.fromEntries(
    values.map((by, index) => [`m${index}`, metric(metricName, 'Sum', { by })]),
  );
  return new MathExpression({
    expression: Object.keys(usingMetrics)
      .map((id) => `FILL(${id}, 0)`)
      .join(' + '),
    usingMetrics,
    label,
    period: MINUTE,
    ...(color !== undefined && { color }),
  });
}

function serviceOf(metricName: MetricName): 'webhook' | 'runner' {
  return WEBHOOK_METRICS.has(metricName) ? 'webhook' : 'runner';
}

function dimensionOf(metricName: MetricName): string | undefined {
  const definition = METRICS[metricName];
  return 'by' in definition ? definition.by : undefined;
}
