import type { ECSClient } from '@aws-sdk/client-ecs';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { Heartbeat } from '../../shared/lease/heartbeat.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Metrics } from '../../shared/metrics.ts';
import type { Packing } from '../../shared/packing.ts';
import { isCatcher } from '../../shared/session-job.ts';
import { UnreadableRows } from '../../shared/session-table/parse-row.ts';
import type { SessionRow, TaskRow } from '../../shared/session-table/session-row.ts';
import {
  EcsProtection,
  type EcsTask,
  isOfRevision,
  primaryRevision,
  revisionOf,
} from '../task/ecs.ts';
import type { Loops } from '../task/loop.ts';
import { OrphanWatch } from './orphans.ts';
import { Packer } from './packer.ts';
import { SessionStore } from './store.ts';
import { type MoveTarget, TaskMover } from './task-mover.ts';
import { TASK_LEASE } from './tenure.ts';
import type { MovableSessions } from './watch-move.ts';

const ORPHAN_INTERVAL_MS = 1_000;
const MOVE_INTERVAL_MS = 500;
/** While other tasks should take what is new and have room, this task leaves a new stream waiting this much longer. */
const YIELD_MS = 5_000;

/** A catcher gives its sessions to any task. */
const ANY_TASK: MoveTarget = { cause: 'caught', includes: (task) => task !== undefined };

/** The sessions of this task, as far as ownership is concerned. */
export interface OwnedSessions extends MovableSessions {
  readonly slotsUsed: number;
  /** Are sessions refused because memory or event loop are over their limits? */
  readonly isStrained: boolean;
  /** Does a heartbeat count as a sign that this task receives all streams that the table says are its own? */
  readonly vouches: boolean;
  /** The heartbeat has lapsed `sinceRenewalMs` after the last renewal: nothing more may be written. */
  fence(sinceRenewalMs: number): void;
  /** The heartbeat is renewed: whatever is suspended has to prove its row in this term. */
  proveAll(term: number): Promise<void>;
  /** Claims orphans whose window here has come. */
  takeAll(rows: readonly SessionRow[]): Promise<void>;
}

export interface OwnershipOptions {
  readonly config: {
    readonly sessionTable: string;
    /** Slots of this task. */
    readonly capacity: number;
    /** When and how sessions move to fuller tasks. Without it they stay where they are. */
    readonly packing: Packing | undefined;
  };
  readonly aws: { readonly table: DynamoDBDocumentClient; readonly ecs: ECSClient };
  readonly taskId: string;
  /** Undefined outside ECS, and for a task without a service. */
  readonly ecsTask: EcsTask | undefined;
  /** Slots of a session with all media that are asked for. */
  readonly sessionSlots: number;
  /** The sessions, which are opened after ownership: called only once `start` has been. */
  readonly sessions: () => OwnedSessions;
  /** How long the oldest record has waited for Kinesis, ms. @default 0 */
  readonly backlogMs?: () => number;
  /** Until when everything that this task had received is written, or told as lost, Unix ms. */
  readonly wroteUntilMs?: () => number;
  /** Called with the value of each renewal that was answered. */
  readonly onHeartbeat?: ((heartbeat: TaskRow['heartbeat']) => void) | undefined;
  /** How often ECS is asked for the newest revision. */
  readonly revisionIntervalMs: number;
  /** Of the lease: monotonic, ms. @default performance.now */
  readonly clock?: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface TaskOwnership {
  readonly store: SessionStore;
  readonly heartbeat: Heartbeat;
  readonly watch: OrphanWatch;
  /** Should other tasks take what is new? */
  readonly yields: boolean;
  /** Is a session on its way to another task that may have to be taken back? */
  readonly isMoving: boolean;
  /** What the last heartbeat said is written, of those that count for every stream of this task, Unix ms. */
  readonly wroteUntilMs: number | undefined;
  /** Notes whether this task owns sessions, for the protection that ECS grants. */
  busy(isBusy: boolean): void;
  /** Renews the heartbeat for the first time. @throws ServiceError `session/store-failed` */
  start(): Promise<void>;
  run(loops: Loops): void;
  /** To be called once a metrics period. */
  observeLevels(): void;
  stop(): void;
}

/** Opens everything that decides which streams are this task's: heartbeat, orphans, and moves to other tasks. */
export async function openOwnership(options: OwnershipOptions): Promise<TaskOwnership> {
  const { config, aws, taskId, ecsTask, sessionSlots, sessions, logger, metrics } = options;
  const unreadable = new UnreadableRows(logger, metrics);
  const store = new SessionStore(aws.table, config.sessionTable, (row) => unreadable.report(row));
  const revision = ecsTask && (await revisionOf(aws.ecs, ecsTask, logger));
  const task = () => ({
    taskId,
    slotsUsed: sessions().slotsUsed,
    slotsTotal: config.capacity,
    draining: sessions().isDraining,
    strained: sessions().isStrained,
    ...(revision !== undefined && { revision }),
  });
  // Before the first claim, so that what an earlier process of this name has left is older.
  const startedAtMs = Date.now();
  let servedAtMs = startedAtMs;
  let wroteUntilMs = options.wroteUntilMs?.();
  const heartbeat = new Heartbeat({
    times: TASK_LEASE,
    ...(options.clock && { clock: options.clock }),
    async renew(signal, hasLapsed) {
      const nowMs = Date.now();
      if (!hasLapsed && sessions().vouches) {
        servedAtMs = nowMs;
        // What is dropped with a session that was fenced is told by no gap. So this stays with the time of which it speaks.
        wroteUntilMs = options.wroteUntilMs?.();
      }
      const written = wroteUntilMs === undefined ? {} : { wroteUntilMs };
      const report = { ...task(), servedAtMs, startedAtMs, ...written };
      const value = await store.renew(report, nowMs, signal);
      if (value !== undefined) options.onHeartbeat?.(value);
    },
    onFenced(sinceRenewalMs) {
      metrics.count('FencedByHeartbeat');
      logger.error('heartbeat lost, nothing is written', { event: 'fenced' });
      sessions().fence(sinceRenewalMs);
    },
    onRenewed: (term) => void sessions().proveAll(term),
    onFailed(error) {
      logger.warn('heartbeat not renewed', { event: 'heartbeat_failed', error });
    },
  });
  const yields = () => mover.yields || packer?.yields === true;
  const holdBackMs = () => (yields() ? YIELD_MS : 0);
  const watch = new OrphanWatch({ store, taskId, sessionSlots, holdBackMs });
  const moving = {
    taskId,
    store,
    tasks: () => watch.liveTasks,
    isExpired: (owner: string) => watch.isExpired(owner),
    sessions,
    sessionSlots,
    backlogMs: options.backlogMs,
    logger,
    metrics,
  };
  const mover = new TaskMover(moving);
  if (isCatcher(taskId)) mover.moveTo(ANY_TASK);
  const { packing } = config;
  const packer = packing && new Packer({ packing, ...moving });
  const protection =
    ecsTask && new EcsProtection({ client: aws.ecs, task: ecsTask, logger, metrics });
  return {
    store,
    heartbeat,
    watch,
    get yields() {
      return yields();
    },
    get isMoving() {
      return mover.isMoving;
    },
    get wroteUntilMs() {
      return wroteUntilMs;
    },
    busy: (isBusy) => protection?.busy(isBusy),
    start: () => heartbeat.start(),
    run(loops) {
      loops.start('orphans', ORPHAN_INTERVAL_MS, async () => {
        await sessions().takeAll(await watch.look(Date.now()));
      });
      if (packer) loops.start('pack', MOVE_INTERVAL_MS, () => packer.step());
      if (isCatcher(taskId)) loops.start('move', MOVE_INTERVAL_MS, () => mover.step());
      if (ecsTask === undefined || revision === undefined) return;
      loops.start('revision', options.revisionIntervalMs, () =>
        followRevision(options, { task: ecsTask, revision }, mover),
      );
      loops.start('move', MOVE_INTERVAL_MS, () => mover.step());
    },
    observeLevels() {
      metrics.observe('OldestWaiting', watch.oldestWaitingMs);
      if (watch.fleet === undefined) return;
      metrics.observe('Tasks', watch.fleet.tasks);
      metrics.observe('FreeSlots', watch.fleet.freeSlots);
    },
    stop() {
      heartbeat.stop();
      protection?.stop();
    },
  };
}

/** Asks ECS whether the service has a newer revision than this task's, with tasks that run. */
async function followRevision(
  { aws, logger }: Pick<OwnershipOptions, 'aws' | 'logger'>,
  own: { readonly task: EcsTask; readonly revision: string },
  mover: TaskMover,
): Promise<void> {
  const primary = await primaryRevision(aws.ecs, own.task, logger);
  if (primary === undefined) return;
  const superseded = !isOfRevision(primary, own.revision) && primary.runningCount > 0;
  if (superseded !== mover.hasTarget) {
    logger.info('service revision changed', { event: 'revision', superseded });
  }
  const includes: MoveTarget['includes'] = (task) => isOfRevision(primary, task?.revision);
  mover.moveTo(superseded ? { cause: 'revision', includes } : undefined);
}
