import { randomUUID } from 'node:crypto';
import { processMemory } from '../shared/memory-pool.ts';
import { slotsOfRequest } from '../shared/session-table/slots.ts';
import { createRunnerAws } from './aws.ts';
import type { RunnerConfig } from './config.ts';
import { openProducers } from './kinesis/open-producers.ts';
import { openOwnership } from './ownership/open-ownership.ts';
import { fenceWrites } from './ownership/write-fence.ts';
import { LastResort } from './session/guard.ts';
import { openSessions, type Sessions } from './session/open-sessions.ts';
import { CostMeter } from './task/cost-meter.ts';
import type { DrainDeadline } from './task/drain-deadline.ts';
import { describeOwnTask } from './task/ecs.ts';
import { EventLoopDelay, memoryLimitBytes, memoryShare, startHealthServer } from './task/health.ts';
import { createLogger } from './task/log.ts';
import { Loops } from './task/loop.ts';
import { EmfEmitter } from './task/metrics.ts';
import { StartUp } from './task/start-up.ts';

const METRICS_INTERVAL_MS = 10_000;

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
 * Starts one runner task:
 *
 * ```text
 *   producers   Kinesis, memory and disk      runner/kinesis/open-producers.ts
 *   ownership   which streams are ours        runner/ownership/open-ownership.ts
 *   sessions    what serves them              runner/session/open-sessions.ts
 * ```
 *
 * Ownership asks the sessions what they weigh and tells them when the heartbeat lapses; the sessions claim under
 * ownership and write to the producers; no call to Kinesis leaves while ownership is in doubt. A drain goes the same
 * way back: the sessions are handed over first, then the producers send what they hold, and only then the heartbeat
 * stops, because nothing may be written without it.
 *
 * @throws ServiceError when something is missing that a task cannot do without: streams, table, secret, port
 */
export async function startRunner(config: RunnerConfig, options: RunnerOptions): Promise<Runner> {
  const { deadline, revisionIntervalMs } = options;
  const { taskId, ecsTask, logger, startUp } = await identify(config);
  const metrics = new EmfEmitter(config.deployment);
  const aws = createRunnerAws(config.region);
  const loops = new Loops(logger);
  const delay = new EventLoopDelay();
  const memoryLimit = memoryLimitBytes(config.memoryMib);
  const sessionSlots = slotsOfRequest(config.media);
  const memory = processMemory;
  const shared = { config, aws, taskId, sessionSlots, memory, logger, metrics };

  const producers = await openProducers({
    ...shared,
    attempt: (what, call) => startUp.attempt(what, call),
  });
  const ownership = await openOwnership({
    ...shared,
    ecsTask,
    revisionIntervalMs,
    sessions: () => sessions.pool,
  });
  const pressure = () => ({
    eventLoopDelayMs: delay.p99Ms,
    memoryShare: memoryShare(memoryLimit),
  });
  const sessions: Sessions = openSessions({ ...shared, producers, ownership, deadline, pressure });
  const mayServe = () => ownership.heartbeat.term !== undefined;
  for (const client of [aws.media, aws.events]) {
    fenceWrites(client, () => mayServe() && sessions.pool.mayWrite);
  }

  const health = await startHealthServer({
    port: config.healthPort,
    loops,
    delay,
    isReady: () => mayServe() && !sessions.pool.isDraining,
  });
  await startUp.attempt('Zoom secret', () => sessions.readSecret());
  await startUp.attempt('first heartbeat', () => ownership.start());
  sessions.run(loops);
  ownership.run(loops);
  const costMeter = config.prices && new CostMeter(config.prices, metrics);
  loops.start('metrics', METRICS_INTERVAL_MS, async () => {
    sessions.observeLevels();
    ownership.observeLevels();
    metrics.observe('EventLoopDelay', delay.p99Ms);
    producers.observeLevels();
    const { media, events } = producers;
    costMeter?.observe(sessions.pool.sessions.length, [media.stats(), events.stats()]);
    metrics.flush();
  });
  const lastResort = new LastResort(logger, metrics, options.requestStop);
  lastResort.install();
  logger.info('ready', {
    event: 'runner_ready',
    healthPort: health.port,
    capacity: config.capacity,
    memoryLimitBytes: memoryLimit,
  });

  return {
    taskId,
    healthPort: health.port,
    async stop() {
      const startedAtMs = performance.now();
      await sessions.drain();
      await producers.drain(deadline.closeProducers());
      ownership.stop();
      await loops.stop();
      delay.stop();
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
