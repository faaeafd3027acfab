import type { WebhookEnv } from '../../shared/env.ts';
import { ServiceError } from '../../shared/errors.ts';
import {
  type AllowedHosts,
  DEFAULT_ALLOWED_HOSTS,
  parseAllowedHosts,
} from '../../shared/zoom/allowed-hosts.ts';

const LOG_LEVELS = ['DEBUG', 'INFO', 'WARN', 'ERROR'] as const;

export interface WebhookConfig {
  readonly deployment: string;
  readonly sessionTable: string;
  readonly jobQueueUrl: string;
  /** Undefined: the deployment has no catcher. */
  readonly catcherQueueUrl: string | undefined;
  readonly secret: { readonly secretId: string; readonly refreshMs: number };
  readonly allowedHosts: AllowedHosts;
  readonly maxSkewSeconds: number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads `WebhookEnv`. `ALLOWED_HOSTS` defaults to Zoom's hosts, `MAX_CLOCK_SKEW_SECONDS` to 300 and
 * `LOG_LEVEL` to INFO, `SECRET_REFRESH_SECONDS` to 600; the rest is required.
 *
 * @throws ServiceError `config/invalid` naming everything that is missing or wrong at once
 */
export function readWebhookConfig(environment: Environment): WebhookConfig {
  const problems: string[] = [];
  const text = (name: keyof WebhookEnv, fallback?: string): string => {
    const value = environment[name] || fallback;
    if (value === undefined) problems.push(`${name} is missing`);
    return value ?? '';
  };
  const config: WebhookConfig = {
    deployment: text('DEPLOYMENT'),
    sessionTable: text('SESSION_TABLE'),
    jobQueueUrl: text('JOB_QUEUE_URL'),
    catcherQueueUrl: environment['CATCHER_QUEUE_URL'] || undefined,
    secret: {
      secretId: text('ZOOM_WEBHOOK_SECRET_ID'),
      refreshMs: 1000 * readSeconds('SECRET_REFRESH_SECONDS', text, '600', 30, problems),
    },
    allowedHosts: readHosts(text('ALLOWED_HOSTS', DEFAULT_ALLOWED_HOSTS), problems),
    maxSkewSeconds: readSeconds('MAX_CLOCK_SKEW_SECONDS', text, '300', 1, problems),
    logLevel: readLogLevel(text('LOG_LEVEL', 'INFO'), problems),
  };
  if (problems.length > 0) {
    throw new ServiceError('config/invalid', problems.join('; '), { detail: { problems } });
  }
  return Object.freeze(config);
}

function readHosts(csv: string, problems: string[]): AllowedHosts {
  try {
    return parseAllowedHosts(csv);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    problems.push(`ALLOWED_HOSTS: ${error.message}`);
    return [];
  }
}

function readSeconds(
  name: keyof WebhookEnv,
  read: (name: keyof WebhookEnv, fallback: string) => string,
  fallback: string,
  least: number,
  problems: string[],
): number {
  const text = read(name, fallback);
  const seconds = Number(text);
  if (!/^\d+$/.test(text) || seconds < least || seconds > 3_600) {
    problems.push(`${name} must be a whole number from ${least} to 3600`);
  }
  return seconds;
}

function readLogLevel(text: string, problems: string[]): WebhookConfig['logLevel'] {
  const level = LOG_LEVELS.find((name) => name === text.toUpperCase());
  if (level === undefined) problems.push(`LOG_LEVEL must be one of ${LOG_LEVELS.join(', ')}`);
  return level ?? 'INFO';
}
