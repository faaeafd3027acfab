import pino from 'pino';
import { boundFields, describeError, type LogFields, type Logger } from '../../shared/logger.ts';

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

/** Lines of one message that pass at once: more than a healthy session writes. */
const BURST = 20;
/** After a burst, one line passes per this time. */
const EVERY_MS = 10_000;
/** Far more than there are messages: they are static texts. */
const MAX_MESSAGES = 200;

interface Bucket {
  tokens: number;
  filledAtMs: number;
  suppressed: number;
}

/** A logger that also knows how many lines it has left out since the last line that said so. */
export interface LimitedLogger extends Logger {
  readonly suppressed: number;
}

/**
 * Lets a session write each message 20 times, then once in 10 s with the number of lines that were left out
 * (`suppressed`). Otherwise a peer, which decides how often a state changes, could write megabytes a minute into the log.
 * Children share the limits of their parent.
 *
 * @param now a monotonic clock, ms
 */
export function limitLog(
  logger: Logger,
  now: () => number = () => performance.now(),
): LimitedLogger {
  return limited(logger, new Map(), now);
}

function limited(logger: Logger, buckets: Map<string, Bucket>, now: () => number): LimitedLogger {
  const say =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields: LogFields = {}) => {
      const before = admit(buckets, message, now());
      if (before === undefined) return;
      logger[level](message, before === 0 ? fields : { ...fields, suppressed: before });
    };
  return {
    debug: say('debug'),
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    child: (fields) => limited(logger.child(fields), buckets, now),
    get suppressed() {
      let total = 0;
      for (const { suppressed } of buckets.values()) total += suppressed;
      return total;
    },
  };
}

/** @returns how many lines of this message were left out before this one; undefined when this one is left out too */
function admit(buckets: Map<string, Bucket>, message: string, nowMs: number): number | undefined {
  let bucket = buckets.get(message);
  if (bucket === undefined) {
    if (buckets.size >= MAX_MESSAGES) buckets.clear();
    bucket = { tokens: BURST, filledAtMs: nowMs, suppressed: 0 };
    buckets.set(message, bucket);
  }
  const filled = Math.floor((nowMs - bucket.filledAtMs) / EVERY_MS);
  if (filled > 0) {
    bucket.tokens = Math.min(BURST, bucket.tokens + filled);
    bucket.filledAtMs += filled * EVERY_MS;
  }
  if (bucket.tokens === 0) {
    bucket.suppressed += 1;
    return undefined;
  }
  bucket.tokens -= 1;
  const { suppressed } = bucket;
  bucket.suppressed = 0;
  return suppressed;
}
