import { checkCameras, type MediaRequest, parseMediaRequest } from '../rtms/protocol/params.ts';
import { type ProtocolRequest, parseProtocol } from '../rtms/protocol/protocol-settings.ts';
import { parseRunnerPrices, type RunnerPrices } from '../shared/cost.ts';
import {
  DEFAULT_PUT_MODE,
  type LocalEnv,
  type PutMode,
  parsePutMode,
  parseReconcile,
  type RunnerEnv,
  type ZoomReconcile,
} from '../shared/env.ts';
import { ServiceError } from '../shared/errors.ts';
import { type Packing, parsePacking } from '../shared/packing.ts';
import { type AllowedHosts, parseAllowedHosts } from '../shared/zoom/allowed-hosts.ts';
import { type ApiAddresses, apiAddressesFrom } from '../shared/zoom/api-credentials.ts';
import { LOG_LEVELS, type RunnerLogLevel } from './task/log.ts';

export interface RunnerConfig {
  readonly deployment: string;
  readonly region: string;
  /** Given outside ECS; in ECS the metadata of the task name it. */
  readonly taskId: string | undefined;
  /** Base of the ECS task metadata endpoint, version 4; undefined outside ECS. */
  readonly ecsMetadataUri: string | undefined;
  readonly sessionTable: string;
  readonly jobQueueUrl: string;
  /** Undefined when the deployment has no catcher. */
  readonly catcherQueueUrl: string | undefined;
  readonly secret: { readonly secretId: string; readonly refreshMs: number };
  readonly reconcile: ZoomReconcile;
  /** Where Zoom's REST API is asked. */
  readonly api: ApiAddresses;
  readonly allowedHosts: AllowedHosts;
  readonly mediaStream: string;
  readonly eventsStream: string;
  readonly media: MediaRequest;
  readonly protocol: ProtocolRequest;
  /** Slots of this task. */
  readonly capacity: number;
  /** 0 picks a free port. */
  readonly healthPort: number;
  /** Memory that this task may use, MiB. Without it the operating system is asked. */
  readonly memoryMib: number | undefined;
  /** How PutRecords calls are made. */
  readonly putMode: PutMode;
  readonly spoolDir: string;
  readonly spoolMaxBytes: number;
  readonly logLevel: RunnerLogLevel;
  /** What an hour of each resource costs. Without prices the cost of a meeting-hour is not estimated. */
  readonly prices: RunnerPrices | undefined;
  /** When and how sessions move to fuller tasks. Without it they stay where they are. */
  readonly packing: Packing | undefined;
}

type Variable = keyof RunnerEnv | keyof LocalEnv | 'AWS_REGION' | 'ECS_CONTAINER_METADATA_URI_V4';

/**
 * Reads the configuration of this process from its environment.
 *
 * @throws ServiceError `config/invalid` naming every variable that is missing or wrong at once
 */
export function readRunnerConfig(
  environment: Readonly<Record<string, string | undefined>>,
): RunnerConfig {
  const problems: string[] = [];
  const optional = (name: Variable) => environment[name] || undefined;
  const required = (name: Variable) => {
    const value = optional(name);
    if (value === undefined) problems.push(`${name} is missing`);
    return value ?? '';
  };
  /** @param fallback for a variable that need not be given */
  const integer = (
    name: Variable,
    least: number,
    most = Number.MAX_SAFE_INTEGER,
    fallback?: number,
  ) => {
    if (fallback !== undefined && optional(name) === undefined) return fallback;
    const text = required(name);
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    const range = most === Number.MAX_SAFE_INTEGER ? `${least}` : `${least} to ${most}`;
    if (text !== '') problems.push(`${name} must be a whole number from ${range}, not "${text}"`);
    return least;
  };
  const parsed = <T>(name: Variable, text: string, parse: (text: string) => T): T | undefined => {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      problems.push(`${name}: ${error.message}`);
      return undefined;
    }
  };

  const parsedIfGiven = <T>(name: Variable, parse: (text: string) => T): T | undefined => {
    const text = optional(name);
    return text === undefined ? undefined : parsed(name, text, parse);
  };

  const config = {
    deployment: required('DEPLOYMENT'),
    region: required('AWS_REGION'),
    taskId: optional('TASK_ID'),
    ecsMetadataUri: optional('ECS_CONTAINER_METADATA_URI_V4'),
    sessionTable: required('SESSION_TABLE'),
    jobQueueUrl: required('JOB_QUEUE_URL'),
    catcherQueueUrl: optional('CATCHER_QUEUE_URL'),
    secret: {
      secretId: required('ZOOM_SECRET_ID'),
      refreshMs: 1000 * integer('SECRET_REFRESH_SECONDS', 30, 3_600, 600),
    },
    reconcile: parsedIfGiven('ZOOM_RECONCILE', parseReconcile) ?? ('off' as const),
    api: apiAddressesFrom(environment),
    allowedHosts: parsed('ALLOWED_HOSTS', required('ALLOWED_HOSTS'), parseAllowedHosts),
    mediaStream: required('MEDIA_STREAM'),
    eventsStream: required('EVENTS_STREAM'),
    media: parsed('RTMS_MEDIA', optional('RTMS_MEDIA') ?? '{}', parseMediaRequest),
    protocol: parsedIfGiven('RTMS_PROTOCOL', parseProtocol) ?? {},
    capacity: integer('CAPACITY', 1),
    healthPort: integer('HEALTH_PORT', 0, 65_535),
    memoryMib: optional('MEMORY_MIB') === undefined ? undefined : integer('MEMORY_MIB', 1),
    putMode: parsedIfGiven('PUT_RECORDS', parsePutMode) ?? DEFAULT_PUT_MODE,
    spoolDir: required('SPOOL_DIR'),
    spoolMaxBytes: integer('SPOOL_MAX_BYTES', 0),
    prices: parsedIfGiven('PRICES', parseRunnerPrices),
    packing: parsedIfGiven('PACKING', parsePacking),
    logLevel: logLevel(environment['LOG_LEVEL'] ?? 'info', problems),
  };
  const { allowedHosts, media } = config;
  if (media !== undefined) parsed('RTMS_MEDIA', '', () => checkCameras(media, config.protocol));
  if (problems.length > 0 || allowedHosts === undefined || media === undefined) {
    throw new ServiceError('config/invalid', problems.join('; '), { detail: { problems } });
  }
  return Object.freeze({ ...config, allowedHosts, media });
}

function logLevel(text: string, problems: string[]): RunnerLogLevel {
  const level = LOG_LEVELS.find((name) => name === text.toLowerCase());
  if (level === undefined) problems.push(`LOG_LEVEL must be one of ${LOG_LEVELS.join(', ')}`);
  return level ?? 'info';
}
