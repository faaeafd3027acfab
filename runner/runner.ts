import { randomUUID } from 'node:crypto';
import type { RunnerConfig } from './config.ts';
import { openServing } from './serving.ts';
import { LastResort } from './session/guard.ts';
import type { DrainDeadline } from './task/drain-deadline.ts';
import { describeOwnTask } from './task/ecs.ts';
import { startHealthServer } from './task/health.ts';
import { createLogger } from './task/log.ts';
import { CostMeter, EmfEmitter } from './task/metrics.ts';
import { StartUp } from './task/start-up.ts';

export interface RunnerOptions {
  /** In ECS: how often the service is asked for its newest revision. */
  readonly revisionIntervalMs: number;
  readonly deadline: DrainDeadline;
  /** Called once when this process cannot be trusted any more: it has to be drained and ended. */
  readonly requestStop: () => void;
}

export interface Runner {
  readonly taskId: string;
  readonly healthPort: number;
  /** Hands all sessions over and ends; what is left at the flush deadline is reported as lost. */
  stop(): Promise<void>;
}

/**
 * Starts one runner task: what serves streams (serving.ts), with the health check, the cost estimate and the last resort
 * that only a task has.
 *
 * @throws ServiceError when something is missing that a task cannot do without: streams, table, secret, port
 */
export async function startRunner(config: RunnerConfig, options: RunnerOptions): Promise<Runner> {
  const { deadline, revisionIntervalMs } = options;
  const { taskId, ecsTask, logger, startUp } = await identify(config);
  const metrics = new EmfEmitter(config.deployment);
  const costMeter = config.prices && new CostMeter(config.prices, metrics);
  const serving = await openServing({
    config,
    taskId,
    ecsTask,
    revisionIntervalMs,
    deadline,
    startUp,
    logger,
    metrics,
    observe({ sessions, producers }) {
      const { media, events } = producers;
      costMeter?.observe(sessions.pool.sessions.length, [media.stats(), events.stats()]);
    },
  });
  const { loops, delay, sessions } = serving;
  const health = await startHealthServer({
    port: config.healthPort,
    loops,
    delay,
    isReady: () => serving.mayServe() && !sessions.pool.isDraining,
  });
  await serving.start();
  const lastResort = new LastResort(logger, metrics, options.requestStop);
  lastResort.install();
  logger.info('ready', {
    event: 'runner_ready',
    healthPort: health.port,
    capacity: config.capacity,
    memoryLimitBytes: serving.memoryLimit,
  });

  return {
    taskId,
    healthPort: health.port,
    async stop() {
      const startedAtMs = performance.now();
      await serving.stop();
      health.server.close();
      lastResort.uninstall();
      const durationMs = Math.round(performance.now() - startedAtMs);
      metrics.observe('DrainDuration', durationMs);
      metrics.flush();
      logger.info('drained', { event: 'drained', durationMs });
    },
  };
}

/**
 * Finds out who this process is. Outside ECS and without `TASK_ID` the id is random: the process id is 1 in every
 * container, and two runners of one id would take each other's sessions.
 */
async function identify(config: RunnerConfig) {
  const { ecsMetadataUri, taskId: given = `task-${randomUUID()}`, logLevel } = config;
  const beforeKnown = createLogger(logLevel, { service: 'runner', taskId: given });
  const startUp = new StartUp(beforeKnown);
  const own =
    ecsMetadataUri === undefined
      ? undefined
      : await startUp.attempt('ECS task metadata', () => describeOwnTask(ecsMetadataUri));
  const taskId = own?.taskId ?? given;
  const logger = createLogger(logLevel, { service: 'runner', taskId });
  return { taskId, ecsTask: own?.service, logger, startUp };
}
