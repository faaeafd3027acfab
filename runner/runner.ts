import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { Logger } from '../shared/logger.ts';
import type { Metrics } from '../shared/metrics.ts';
import { markRecoveredFrame, markRecoveredLine } from '../shared/record/recovered.ts';
import { encodeSessionJob } from '../shared/session-job.ts';
import { UnreadableRows } from '../shared/session-table/parse-row.ts';
import { costOfRequest } from '../shared/slots.ts';
import { type AwsClients, createAwsClients } from './aws.ts';
import type { RunnerConfig } from './config.ts';
import { Producer } from './kinesis/producer.ts';
import { openSpool, type Spool, type SpoolOptions } from './kinesis/spool/spool.ts';
import { checkStream } from './kinesis/stream-check.ts';
import { Heartbeat } from './ownership/heartbeat.ts';
import { OrphanWatch } from './ownership/orphans.ts';
import { Packer } from './ownership/packer.ts';
import { RECONCILE_INTERVAL_MS } from './ownership/reconcile.ts';
import { RevisionMover } from './ownership/revision-mover.ts';
import { SessionStore } from './ownership/store.ts';
import { fenceWrites } from './ownership/write-fence.ts';
import { SESSION_STATES } from './session/context.ts';
import { LastResort } from './session/guard.ts';
import { pollJobs } from './session/job-poller.ts';
import { LoopUse } from './session/loop-share.ts';
import { SessionPool } from './session/pool.ts';
import { CostMeter } from './task/cost-meter.ts';
import type { DrainDeadline } from './task/drain-deadline.ts';
import { EcsProtection } from './task/ecs-protection.ts';
import { describeOwnTask, type EcsTask } from './task/ecs-task.ts';
import { HandshakeSecret } from './task/handshake-secret.ts';
import {
  EventLoopDelay,
  LoopTurns,
  memoryLimitBytes,
  memoryShare,
  startHealthServer,
} from './task/health.ts';
import { createLogger } from './task/log.ts';
import { type LoopOptions, runLoop } from './task/loop.ts';
import { EmfEmitter } from './task/metrics.ts';
import { isOfRevision, primaryRevision, revisionOf } from './task/service-revision.ts';
import { StartUp } from './task/start-up.ts';

const ORPHAN_INTERVAL_MS = 1_000;
/** How often the secret's age is looked at. */
const SECRET_INTERVAL_MS = 5_000;
const METRICS_INTERVAL_MS = 10_000;
const MOVE_INTERVAL_MS = 500;
/** So much longer than a newer revision with room this task leaves a stream waiting. */
const YIELD_MS = 5_000;
/** Events are few, small and the last to go: a tenth of the disk is theirs. */
const EVENTS_SPOOL_SHARE = 0.1;

export interface Runner {
  readonly taskId: string;
  readonly healthPort: number;
  /** Hands all sessions over and ends; what is left at the flush deadline is reported as lost. */
  stop(): Promise<void>;
}

/**
 * One runner task, wired by hand and started.
 *
 * @throws ServiceError when something it cannot do without is missing: streams, table, secret, port
 */
export async function startRunner(
  config: RunnerConfig,
  {
    revisionIntervalMs,
    deadline,
  }: { readonly revisionIntervalMs: number; readonly deadline: DrainDeadline },
): Promise<Runner> {
  const { taskId, ecsTask, logger, startUp } = await identify(config);
  const metrics = new EmfEmitter(config.deployment);
  const turns = new LoopTurns();
  const delay = new EventLoopDelay();
  const memoryLimit = memoryLimitBytes(config.memoryMib);
  const aws = createAwsClients(config.region);
  const { maxRecordBytes, maxLineBytes, media, events } = await openProducers(
    config,
    aws,
    startUp,
    logger,
    metrics,
  );
  const unreadable = new UnreadableRows(logger, metrics);
  const store = new SessionStore(aws.table, config.sessionTable, (row) => unreadable.report(row));
  const secret = new HandshakeSecret(aws.secrets, config.secret, logger);
  const cost = costOfRequest(config.media);
  const revision = ecsTask && (await revisionOf(aws.ecs, ecsTask, logger));
  const yields = () => mover.yields || packer?.yields === true;
  const holdBackMs = () => (yields() ? YIELD_MS : 0);
  const watch = new OrphanWatch({ store, taskId, cost, holdBackMs });
  const protection =
    ecsTask && new EcsProtection({ client: aws.ecs, task: ecsTask, logger, metrics });

  const lastResort = new LastResort(logger, metrics, () => process.kill(process.pid, 'SIGTERM'));
  const heartbeat = new Heartbeat({
    store,
    task: () => ({
      taskId,
      slotsUsed: pool.slotsUsed,
      slotsTotal: config.capacity,
      draining: pool.isDraining,
      ...(revision === undefined ? {} : { revision }),
    }),
    onFenced: (sinceRenewalMs) => pool.fence(sinceRenewalMs),
    onRenewed: (term) => void pool.proveAll(term),
    logger,
    metrics,
  });
  const pool: SessionPool = new SessionPool({
    context: {
      taskId,
      mediaRequest: config.media,
      loopUse: new LoopUse(),
      protocol: config.protocol,
      allowedHosts: config.allowedHosts,
      credentials: (app, product) => secret.credentials(app, product),
      renewedCredentials: (app, product) => secret.renewed(app, product),
      media,
      events,
      maxRecordBytes,
      maxLineBytes,
      deadline,
      logger,
      metrics,
      row: (rtmsStreamId) => store.session(rtmsStreamId),
    },
    store,
    heartbeat,
    isExpired: (owner) => watch.isExpired(owner),
    isOverdue: (rtmsStreamId) => watch.isOverdue(rtmsStreamId),
    confirmDeath: (owner) => watch.confirmDeath(owner),
    yields,
    capacity: config.capacity,
    cost,
    pressure: () => ({ eventLoopDelayMs: delay.p99Ms, memoryShare: memoryShare(memoryLimit) }),
    ring: (rtmsStreamId) => ring(aws.bell, config.jobQueueUrl, rtmsStreamId),
    onBusy: (isBusy) => protection?.busy(isBusy),
    logger,
    metrics,
  });

  const mover: RevisionMover = new RevisionMover({
    taskId,
    store,
    tasks: () => watch.liveTasks,
    isExpired: (owner) => watch.isExpired(owner),
    pool,
    cost,
    logger,
    metrics,
  });
  const packer: Packer | undefined =
    config.packing &&
    new Packer({
      packing: config.packing,
      taskId,
      store,
      tasks: () => watch.liveTasks,
      isExpired: (owner) => watch.isExpired(owner),
      pool,
      cost,
      logger,
      metrics,
    });
  for (const client of [aws.media, aws.events]) {
    fenceWrites(client, () => heartbeat.term !== undefined && pool.mayWrite);
  }
  const health = await startHealthServer({
    port: config.healthPort,
    turns,
    delay,
    isReady: () => heartbeat.term !== undefined && !pool.isDraining,
  });
  await startUp.attempt('Zoom secret', () => secret.read());
  await startUp.attempt('first heartbeat', () => heartbeat.start());

  const costMeter = config.prices && new CostMeter(config.prices, metrics);
  const polling = new AbortController();
  const ending = new AbortController();
  const loop = (name: string, intervalMs: number, step: () => Promise<void>) => {
    const options: LoopOptions = { name, intervalMs, turns, logger };
    return runLoop(step, options, ending.signal);
  };
  const loops = [
    pollJobs(
      {
        client: aws.jobs,
        queueUrl: config.jobQueueUrl,
        room: () => pool.room,
        offer: (rtmsStreamId) => pool.offer(rtmsStreamId),
        connected: (rtmsStreamId) => pool.connected(rtmsStreamId),
        onTurn: () => turns.turned('poller', 0),
        logger,
      },
      polling.signal,
    ).then(() => turns.ended('poller')),
    loop('reconcile', RECONCILE_INTERVAL_MS, () => pool.reconcile()),
    loop('orphans', ORPHAN_INTERVAL_MS, async () => {
      await pool.takeAll(await watch.look(Date.now()));
    }),
    loop('secret', SECRET_INTERVAL_MS, () => secret.refresh()),
    loop('metrics', METRICS_INTERVAL_MS, async () => {
      emitLevels(pool, config.capacity, metrics);
      metrics.observe('OldestWaiting', watch.oldestWaitingMs);
      if (watch.fleet !== undefined) {
        metrics.observe('Tasks', watch.fleet.tasks);
        metrics.observe('FreeSlots', watch.fleet.freeSlots);
      }
      metrics.observe('EventLoopDelay', delay.p99Ms);
      media.observeLevels();
      events.observeLevels();
      costMeter?.observe(pool.sessions.length, [media.stats(), events.stats()]);
      metrics.flush();
    }),
    ...(ecsTask && revision !== undefined
      ? [
          loop('revision', revisionIntervalMs, () =>
            followRevision(aws, { task: ecsTask, revision }, mover, logger),
          ),
          loop('move', MOVE_INTERVAL_MS, () => mover.step()),
        ]
      : []),
    ...(packer ? [loop('pack', MOVE_INTERVAL_MS, () => packer.step())] : []),
  ];
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
      logger.info('draining', { event: 'drain_started', sessions: pool.sessions.length });
      pool.close('shutdown');
      await pool.handOverAll();
      // Only now: a message that a broken-off long poll took with it stays away for 30 s, while one that
      // arrives is put back at once.
      polling.abort();
      const closing = deadline.closeProducers();
      await Promise.all([media.close(closing), events.close(closing)]);
      heartbeat.stop();
      ending.abort();
      await Promise.all(loops);
      protection?.stop();
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
 * Who this process is. Outside ECS and without `TASK_ID` it draws an id: the process id is 1 in every container, and
 * two runners of one id take each other's sessions.
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

/**
 * A task whose disk cannot be used starts all the same: what memory cannot hold is then dropped and told, while a task
 * that does not start serves nobody.
 */
async function spoolOrNone(
  options: SpoolOptions & { logger: Logger },
  metrics: Metrics,
): Promise<{ spool?: Spool }> {
  try {
    return { spool: await openSpool(options) };
  } catch (error) {
    metrics.count('SpoolUnavailable');
    options.logger.error('no spool: memory alone', { event: 'spool_unavailable', error });
    return {};
  }
}

async function openProducers(
  config: RunnerConfig,
  aws: AwsClients,
  startUp: StartUp,
  logger: Logger,
  metrics: Metrics,
): Promise<{ maxRecordBytes: number; maxLineBytes: number; media: Producer; events: Producer }> {
  const { mediaStream, eventsStream, spoolDir, spoolMaxBytes } = config;
  const [{ maxRecordBytes }, { maxRecordBytes: maxLineBytes }] = await Promise.all([
    startUp.attempt('media stream', () => checkStream(aws.media, mediaStream)),
    startUp.attempt('events stream', () => checkStream(aws.events, eventsStream)),
  ]);
  const spoolOf = (name: string, share: number, markRecovered: SpoolOptions['markRecovered']) =>
    spoolOrNone(
      {
        directory: join(spoolDir, name),
        maxBytes: Math.floor(spoolMaxBytes * share),
        logger,
        ...(markRecovered && { markRecovered }),
      },
      metrics,
    );
  const shared = { logger, metrics };
  const media = new Producer({
    ...shared,
    client: aws.media,
    streamName: mediaStream,
    aggregate: true,
    ...(await spoolOf('media', 1 - EVENTS_SPOOL_SHARE, markRecoveredFrame)),
  });
  const events = new Producer({
    ...shared,
    client: aws.events,
    streamName: eventsStream,
    aggregate: false,
    ...(await spoolOf('events', EVENTS_SPOOL_SHARE, markRecoveredLine)),
  });
  return { maxRecordBytes, maxLineBytes, media, events };
}

async function ring(client: SQSClient, queueUrl: string, rtmsStreamId: string): Promise<void> {
  const MessageBody = encodeSessionJob(rtmsStreamId);
  await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody }));
}

/** Asks ECS whether there is a newer revision of the service than this task's, with tasks that run. */
async function followRevision(
  aws: AwsClients,
  own: { readonly task: EcsTask; readonly revision: string },
  mover: RevisionMover,
  logger: Logger,
): Promise<void> {
  const primary = await primaryRevision(aws.ecs, own.task, logger);
  if (primary === undefined) return;
  const superseded = !isOfRevision(primary, own.revision) && primary.runningCount > 0;
  if (superseded !== mover.isSuperseded) {
    logger.info('service revision changed', { event: 'revision', superseded });
  }
  mover.supersededBy(superseded ? primary : undefined);
}

function emitLevels(pool: SessionPool, capacity: number, metrics: Metrics): void {
  for (const state of SESSION_STATES) {
    const sessions = pool.sessions.filter((session) => session.state === state);
    metrics.observe('Sessions', sessions.length, state);
  }
  metrics.observe('SlotsUsed', pool.slotsUsed);
  metrics.observe('SlotsTotal', capacity);
  metrics.observe('SlotUtilization', (100 * pool.slotsUsed) / capacity);
}
