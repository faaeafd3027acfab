import pino from 'pino';
import { describeError } from '../../shared/describe-error.ts';
import type { LogFields, Logger } from '../../shared/logger.ts';
import { boundFields } from '../../shared/logger.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

export type RunnerLogLevel = (typeof LOG_LEVELS)[number];

/**
 * Writes JSON lines to stdout, where ECS collects them. Every line of a session carries `rtmsStreamId`, `epoch`, and
 * `event`, a stable name of the step.
 *
 * @param fields added to every line
 */
export function createLogger(level: RunnerLogLevel, fields: LogFields): Logger {
  const root = pino({
    level,
    base: fields,
    formatters: { level: (label) => ({ level: label }), log: boundFields },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { error: (error: unknown) => boundFields({ ...Object(describeError(error)) }) },
  });
  return wrap(root);
}

function wrap(logger: pino.Logger): Logger {
  return {
    debug: (message, fields = {}) => logger.debug(fields, message),
    info: (message, fields = {}) => logger.info(fields, message),
    warn: (message, fields = {}) => logger.warn(fields, message),
    error: (message, fields = {}) => logger.error(fields, message),
    child: (fields) => wrap(logger.child(fields)),
  };
}
