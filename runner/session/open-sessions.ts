import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { MediaRequest } from '../../rtms/protocol/params.ts';
import type { ProtocolRequest } from '../../rtms/protocol/protocol-settings.ts';
import { Standstills } from '../../rtms/wire/standstills.ts';
import type { ZoomReconcile } from '../../shared/env.ts';
import type { Logger } from '../../shared/logger.ts';
import type { MemoryPool } from '../../shared/memory-pool.ts';
import type { CounterMetrics } from '../../shared/metrics.ts';
import { encodeSessionJob, isCatcher, LOOK_AFTER_SECONDS } from '../../shared/session-job.ts';
import type { AllowedHosts } from '../../shared/zoom/allowed-hosts.ts';
import type { ApiAddresses } from '../../shared/zoom/api-credentials.ts';
import type { Producers } from '../kinesis/open-producers.ts';
import type { TaskOwnership } from '../ownership/open-ownership.ts';
import { RECONCILE_INTERVAL_MS } from '../ownership/reconcile.ts';
import type { DrainDeadline } from '../task/drain-deadline.ts';
import { HandshakeSecret } from '../task/handshake-secret.ts';
import type { Loops } from '../task/loop.ts';
import { CATCHER_POLL, type JobPollerOptions, pollJobs } from './job-poller.ts';
import { LoopUse } from './loop-share.ts';
import { SessionPool } from './pool.ts';
import type { SessionPoolOptions } from './pool-options.ts';
import { FrameUnits } from './recording/source-writer.ts';
import { LiveMeetings } from './restart/live-meetings.ts';
import { Restarts } from './restart/restarts.ts';
import { SESSION_STATES } from './session-state.ts';

/** How often the age of the secret is checked. */
const SECRET_INTERVAL_MS = 5_000;
/** How long a restart waits at most whose task has died: Zoom is to be asked within 5 s of the end. */
const RESTARTS_INTERVAL_MS = 2_000;
/** How often a task tries to get the comparison that one task makes every five minutes. */
const LIVE_INTERVAL_MS = 30_000;

export interface SessionsOptions {
  readonly config: {
    readonly media: MediaRequest;
    readonly protocol: ProtocolRequest;
    readonly allowedHosts: AllowedHosts;
    /** Slots of this task. */
    readonly capacity: number;
    readonly jobQueueUrl: string;
    /** The catcher's queue; undefined when the deployment has no catcher. */
    readonly catcherQueueUrl?: string | undefined;
    readonly secret: { readonly secretId: string; readonly refreshMs: number };
    /** What is done about live meetings without a stream. @default off */
    readonly reconcile?: ZoomReconcile;
    /** Where Zoom's REST API is asked. @default Zoom's own addresses */
    readonly api?: ApiAddresses;
  };
  /** `jobs` is for long polls alone: each occupies a connection. */
  readonly aws: {
    readonly jobs: SQSClient;
    readonly notify: SQSClient;
    readonly secrets: SecretsManagerClient;
  };
  readonly taskId: string;
  readonly producers: Producers;
  readonly ownership: TaskOwnership;
  /** Slots of a session with all media that are asked for. */
  readonly sessionSlots: number;
  readonly pressure: SessionPoolOptions['pressure'];
  readonly deadline: DrainDeadline;
  /** Where the memory of records comes from. */
  readonly memory: MemoryPool;
  /** Messages that are no jobs of streams: `JobPollerOptions.other`. The catcher's queue holds some. */
  readonly other?: JobPollerOptions['other'];
  readonly logger: Logger;
  readonly metrics: CounterMetrics;
}

export interface Sessions {
  readonly pool: SessionPool;
  /** Reads what signs the handshakes. @throws ServiceError `config/invalid` */
  readSecret(): Promise<void>;
  run(loops: Loops): void;
  /** To be called once a metrics period. */
  observeLevels(): void;
  /** Gives all sessions to other runners, until the flush deadline. */
  drain(): Promise<void>;
}

/** Opens what serves the streams of this task: the sessions, the jobs that bring them, and what signs their handshakes. */
export function openSessions(options: SessionsOptions): Sessions {
  const { config, aws, taskId, producers, ownership, sessionSlots, deadline } = options;
  const { memory, logger, metrics } = options;
  const { store, watch, heartbeat } = ownership;
  const { media, events, maxRecordBytes, maxLineBytes } = producers;
  const standstills = new Standstills();
  const secret = new HandshakeSecret(aws.secrets, config.secret, logger);
  const notify = (rtmsStreamId: string) => {
    // A catcher that gives a session to a task watches it, and takes it back itself.
    const isWatched = isCatcher(taskId) && ownership.yields && !pool.isDraining;
    return notifyOwners(options, rtmsStreamId, isWatched);
  };
  const restarts = new Restarts({
    taskId,
    store,
    events,
    apiCredentials: (app) => secret.api(app),
    credentials: (app, product) => secret.credentials(app, product),
    renewedCredentials: (app, product) => secret.renewed(app, product),
    addresses: config.api,
    notify,
    logger,
    metrics,
  });
  const { reconcile: mode = 'off' } = config;
  const liveMeetings =
    mode === 'off'
      ? undefined
      : new LiveMeetings({
          taskId,
          mode,
          store,
          apis: () =>
            new Map(
              secret.apps.flatMap((app) => {
                const api = restarts.api(app);
                return api === undefined ? [] : [[app, api] as const];
              }),
            ),
          credentials: (app, product) => secret.credentials(app, product),
          logger,
          metrics,
        });
  const pool = new SessionPool({
    context: {
      taskId,
      mediaRequest: config.media,
      loopUse: new LoopUse(),
      standstills,
      protocol: config.protocol,
      allowedHosts: config.allowedHosts,
      credentials: (app, product) => secret.credentials(app, product),
      renewedCredentials: (app, product) => secret.renewed(app, product),
      media,
      events,
      units: new FrameUnits(memory),
      maxRecordBytes,
      maxLineBytes,
      deadline,
      logger,
      metrics,
      row: (rtmsStreamId) => store.session(rtmsStreamId),
      restarts,
    },
    store,
    heartbeat,
    isExpired: (owner) => watch.isExpired(owner),
    isOverdue: (rtmsStreamId) => watch.isOverdue(rtmsStreamId),
    confirmDeath: (owner) => watch.confirmDeath(owner),
    yields: () => ownership.yields,
    backlogMs: () => producers.oldestAgeMs,
    wroteUntilMs: () => ownership.wroteUntilMs,
    capacity: config.capacity,
    sessionSlots,
    pressure: options.pressure,
    notify,
    onBusy: (isBusy) => ownership.busy(isBusy),
    logger,
    metrics,
  });
  const polling = new AbortController();
  return {
    pool,
    readSecret: () => secret.read(),
    run(loops) {
      const poller = {
        client: aws.jobs,
        ...queueOf(options),
        other: options.other,
        room: () => pool.room,
        offer: (rtmsStreamId: string) => pool.offer(rtmsStreamId),
        connected: (rtmsStreamId: string) => pool.connected(rtmsStreamId),
        onBeat: () => loops.beat('poller', 0),
        logger,
      };
      loops.follow('poller', pollJobs(poller, polling.signal));
      loops.start('reconcile', RECONCILE_INTERVAL_MS, () => pool.reconcile());
      loops.start('secret', SECRET_INTERVAL_MS, () => secret.refresh());
      if (liveMeetings !== undefined) {
        loops.start('live meetings', LIVE_INTERVAL_MS, () => liveMeetings.look());
      }
      loops.start('restarts', RESTARTS_INTERVAL_MS, async () => {
        if (!pool.isDraining) await restarts.look();
      });
    },
    observeLevels() {
      for (const state of SESSION_STATES) {
        const sessions = pool.sessions.filter((session) => session.state === state);
        metrics.observe('Sessions', sessions.length, state);
      }
      // Slots of a catcher say nothing of how full the tasks are, by which the service is scaled.
      if (isCatcher(taskId)) return;
      metrics.observe('SlotsUsed', pool.slotsUsed);
      metrics.observe('SlotsTotal', config.capacity);
      metrics.observe('SlotUtilization', (100 * pool.slotsUsed) / config.capacity);
    },
    async drain() {
      logger.info('draining', { event: 'drain_started', sessions: pool.sessions.length });
      pool.close('shutdown');
      await pool.handOverAll();
      // Not before: a message that an aborted long poll has taken along stays invisible for 30 s, while one that
      // arrives here is put back at once.
      polling.abort();
      // An execution of the catcher opens sessions with each invocation, and each would leave a timer behind.
      standstills.stop();
    },
  };
}

/** A catcher that serves takes what the next execution would, so that few executions hold many sessions. */
function queueOf({
  taskId,
  config,
}: Pick<SessionsOptions, 'taskId' | 'config'>): Pick<
  JobPollerOptions,
  'queueUrl' | 'visibilitySeconds' | 'waitSeconds'
> {
  const { jobQueueUrl, catcherQueueUrl } = config;
  if (!isCatcher(taskId) || catcherQueueUrl === undefined) return { queueUrl: jobQueueUrl };
  return { queueUrl: catcherQueueUrl, ...CATCHER_POLL };
}

/** Asks the tasks to look at a stream's row, and the catcher to look a moment later in case none of them has room. */
async function notifyOwners(
  { aws, config }: Pick<SessionsOptions, 'aws' | 'config'>,
  rtmsStreamId: string,
  isWatched: boolean,
): Promise<void> {
  const { jobQueueUrl, catcherQueueUrl } = config;
  const MessageBody = encodeSessionJob(rtmsStreamId);
  await aws.notify.send(new SendMessageCommand({ QueueUrl: jobQueueUrl, MessageBody }));
  if (catcherQueueUrl === undefined || isWatched) return;
  const later = { QueueUrl: catcherQueueUrl, DelaySeconds: LOOK_AFTER_SECONDS };
  await aws.notify.send(new SendMessageCommand({ ...later, MessageBody }));
}
