import { Logger as Powertools } from '@aws-lambda-powertools/logger';
import { Metrics as PowertoolsMetrics } from '@aws-lambda-powertools/metrics';
import type { MetricUnit } from '@aws-lambda-powertools/metrics/types';
import { describeError, type LogFields, type Logger } from '../../shared/logger.ts';
import { METRIC_NAMESPACE, METRICS, type MetricName, type Metrics } from '../../shared/metrics.ts';
import type { WebhookConfig } from './config.ts';

const SERVICE = 'webhook';

/** One JSON line per message on stdout or stderr, by level. */
export function createFunctionLogger(
  logLevel: WebhookConfig['logLevel'],
  service = SERVICE,
): Logger {
  return wrap(new Powertools({ serviceName: service, logLevel }), {});
}

function wrap(powertools: Powertools, common: LogFields): Logger {
  return {
    debug: (message, fields = {}) => powertools.debug(message, loggable(common, fields)),
    info: (message, fields = {}) => powertools.info(message, loggable(common, fields)),
    warn: (message, fields = {}) => powertools.warn(message, loggable(common, fields)),
    error: (message, fields = {}) => powertools.error(message, loggable(common, fields)),
    child: (fields) => wrap(powertools, { ...common, ...fields }),
  };
}

/** Describes an error by code and detail. Powertools itself would write its message and whole stack. */
function loggable(common: LogFields, fields: LogFields): LogFields {
  const { error } = fields;
  return { ...common, ...fields, ...(error !== undefined && { error: describeError(error) }) };
}

/** Writes each value at once as a line of its own in CloudWatch's embedded metric format. */
export function createFunctionMetrics(deployment: string, service = SERVICE): Metrics {
  const powertools = new PowertoolsMetrics({ namespace: METRIC_NAMESPACE, serviceName: service });
  const emit = (name: MetricName, value: number, by: string | undefined) => {
    const definition = METRICS[name];
    const metric = powertools.singleMetric();
    metric.addDimension('deployment', deployment);
    if ('by' in definition && by !== undefined) metric.addDimension(definition.by, by);
    metric.addMetric(name, definition.unit as MetricUnit, value);
  };
  return {
    count: (name, value = 1, by) => emit(name, value, by),
    observe: emit,
  };
}
