import type { Logger } from '../shared/logger.ts';
import { processMemory } from '../shared/memory-pool.ts';
import { slotsOfRequest } from '../shared/session-table/slots.ts';
import { createRunnerAws } from './aws.ts';
import type { RunnerConfig } from './config.ts';
import { openProducers, type Producers } from './kinesis/open-producers.ts';
import { MARK_INTERVAL_MS } from './kinesis/written-mark.ts';
import {
  type OwnershipOptions,
  openOwnership,
  type TaskOwnership,
} from './ownership/open-ownership.ts';
import { openSessions, type Sessions, type SessionsOptions } from './session/open-sessions.ts';
import type { DrainDeadline } from './task/drain-deadline.ts';
import type { EcsTask } from './task/ecs.ts';
import { EventLoopDelay, memoryLimitBytes, memoryShare } from './task/health.ts';
import { Loops } from './task/loop.ts';
import type { EmfEmitter } from './task/metrics.ts';
import type { StartUp } from './task/start-up.ts';

const METRICS_INTERVAL_MS = 10_000;

export interface ServingOptions {
  readonly config: RunnerConfig;
  /** Owner of the streams: the id of a task, or of an execution of the catcher. */
  readonly taskId: string;
  /** Undefined outside ECS, and for a task without a service. */
  readonly ecsTask?: EcsTask | undefined;
  /** In ECS: how often the service is asked for its newest revision. */
  readonly revisionIntervalMs: number;
  readonly deadline: DrainDeadline;
  readonly startUp: StartUp;
  readonly other?: SessionsOptions['other'];
  readonly onHeartbeat?: OwnershipOptions['onHeartbeat'];
  /** Called once a metrics period, before the values are printed. */
  readonly observe?: (serving: Serving) => void;
  readonly logger: Logger;
  readonly metrics: EmfEmitter;
}

/** What serves streams, whatever process it runs in. */
export interface Serving {
  readonly sessions: Sessions;
  readonly ownership: TaskOwnership;
  readonly producers: Producers;
  readonly loops: Loops;
  readonly delay: EventLoopDelay;
  readonly memoryLimit: number | undefined;
  /** May this owner serve at the moment (heartbeat)? */
  mayServe(): boolean;
  pressure(): { readonly eventLoopDelayMs: number; readonly memoryShare: number };
  /** Reads the secret, renews the heartbeat for the first time, and starts the loops. */
  start(): Promise<void>;
  /** Hands all sessions over and ends; what is left at the flush deadline is reported as lost. */
  stop(): Promise<void>;
}

/**
 * Opens what serves streams, in a task and in the catcher alike:
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
 * @throws ServiceError when something is missing that no owner can do without: streams, table
 */
export async function openServing(options: ServingOptions): Promise<Serving> {
  const { config, taskId, ecsTask, deadline, startUp, logger, metrics } = options;
  const aws = createRunnerAws(config.region, { putMode: config.putMode, logger });
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
    revisionIntervalMs: options.revisionIntervalMs,
    backlogMs: () => producers.oldestAgeMs,
    wroteUntilMs: () => producers.mark.untilMs,
    onHeartbeat: options.onHeartbeat,
    sessions: () => sessions.pool,
  });
  const pressure = () => ({
    eventLoopDelayMs: delay.p99Ms,
    memoryShare: memoryShare(memoryLimit),
  });
  const sessions: Sessions = openSessions({
    ...shared,
    producers,
    ownership,
    deadline,
    pressure,
    other: options.other,
  });
  const mayServe = () => ownership.heartbeat.term !== undefined;
  for (const puts of [aws.mediaPuts, aws.eventPuts]) {
    puts.fence(() => {
      const { term } = ownership.heartbeat;
      return sessions.pool.mayWrite ? term : undefined;
    });
  }
  const serving: Serving = {
    sessions,
    ownership,
    producers,
    loops,
    delay,
    memoryLimit,
    mayServe,
    pressure,
    async start() {
      await startUp.attempt('Zoom secret', () => sessions.readSecret());
      await startUp.attempt('first heartbeat', () => ownership.start());
      sessions.run(loops);
      ownership.run(loops);
      loops.start('written', MARK_INTERVAL_MS, async () => producers.mark.step());
      loops.start('metrics', METRICS_INTERVAL_MS, async () => observeLevels());
    },
    async stop() {
      await sessions.drain();
      await producers.drain(deadline.closeProducers());
      ownership.stop();
      await loops.stop();
      delay.stop();
    },
  };
  const observeLevels = () => {
    sessions.observeLevels();
    ownership.observeLevels();
    metrics.observe('EventLoopDelay', delay.p99Ms);
    producers.observeLevels();
    options.observe?.(serving);
    metrics.flush();
  };
  return serving;
}
