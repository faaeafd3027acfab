import { type RunnerConfig, readRunnerConfig } from '../../runner/config.ts';
import type { CatcherEnv } from '../../shared/env.ts';
import { ServiceError } from '../../shared/errors.ts';

export interface CatcherConfig {
  /** As a runner reads it, so that the same session code takes it. */
  readonly runner: RunnerConfig;
  readonly catcherQueueUrl: string;
  /** The service of the runners. */
  readonly service: { readonly cluster: string; readonly name: string };
  /** Slots of one task of the service. */
  readonly taskCapacity: number;
  readonly maxTasks: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads `CatcherEnv`. What only a task has is left out: a health check, moves to fuller tasks, a cost estimate.
 *
 * @throws ServiceError `config/invalid` naming what is missing or wrong
 */
export function readCatcherConfig(environment: Environment): CatcherConfig {
  const runner = readRunnerConfig({
    ...environment,
    HEALTH_PORT: '0',
    MEMORY_MIB: environment['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'],
    ECS_CONTAINER_METADATA_URI_V4: undefined,
    PACKING: undefined,
    PRICES: undefined,
  });
  const problems: string[] = [];
  const required = (name: keyof CatcherEnv) => {
    const value = environment[name] || undefined;
    if (value === undefined) problems.push(`${name} is missing`);
    return value ?? '';
  };
  const count = (name: keyof CatcherEnv) => {
    const text = required(name);
    if (/^[1-9]\d*$/.test(text)) return Number(text);
    if (text !== '') problems.push(`${name} must be a whole number from 1, not "${text}"`);
    return 1;
  };
  const config = {
    runner,
    catcherQueueUrl: required('CATCHER_QUEUE_URL'),
    service: { cluster: required('RUNNER_CLUSTER'), name: required('RUNNER_SERVICE') },
    taskCapacity: count('TASK_CAPACITY'),
    maxTasks: count('MAX_TASKS'),
  };
  if (problems.length > 0) {
    throw new ServiceError('config/invalid', problems.join('; '), { detail: { problems } });
  }
  return Object.freeze(config);
}
