import type { RunnerAws } from '../../runner/aws.ts';
import { openServing, type Serving } from '../../runner/serving.ts';
import { LastResort } from '../../runner/session/guard.ts';
import { DrainDeadline } from '../../runner/task/drain-deadline.ts';
import { createLogger } from '../../runner/task/log.ts';
import { sleep } from '../../runner/task/loop.ts';
import { EmfEmitter } from '../../runner/task/metrics.ts';
import { StartUp } from '../../runner/task/start-up.ts';
import type { Logger } from '../../shared/logger.ts';
import { type CatcherLook, decodeCatcherLook, newCatcherId } from '../../shared/session-job.ts';
import type { SessionRow, TaskRow } from '../../shared/session-table/session-row.ts';
import type { CatcherConfig } from './config.ts';
import { type DeadCatcher, deleteIfAtRest, type LookQueue, lookAtCatcher } from './looks.ts';
import { startTasks } from './start-tasks.ts';

const LOOK_MS = 250;
/** How often ECS is asked again while sessions are held here. */
const TASKS_INTERVAL_MS = 10_000;
/** A catcher is of no revision of the service, so ECS is not asked for the newest one. */
const NEVER_MS = 3_600_000;
/** A catcher that cannot be opened in this time leaves its streams to the next look. */
const OPEN_WITHIN_MS = 10_000;

export interface Caught {
  readonly rows: readonly SessionRow[];
  readonly dead: readonly DeadCatcher[];
}

export interface CatcherTools {
  readonly config: CatcherConfig;
  readonly aws: Pick<RunnerAws, 'ecs'>;
  readonly queue: LookQueue;
  /** Of this invocation, ms. */
  readonly remainingMs: () => number;
}

/**
 * Serves streams that no task has claimed, as a task would, until tasks have them. One invocation is one owner, with an
 * id, a row and a heartbeat of its own: the next invocation of the same execution begins anew, because its heartbeat had
 * lapsed while the execution was frozen.
 *
 * ```text
 *   claims ─── serves, and takes what else comes to its queue ─── gives each session to a task ─── ends
 *      └ asks ECS for tasks                                   └ after 13 minutes: to whoever looks first
 * ```
 *
 * @returns when no session is left here, and so no socket to Zoom
 */
export async function serveCaught(caught: Caught, tools: CatcherTools): Promise<void> {
  const { config, aws, queue, remainingMs } = tools;
  const taskId = newCatcherId();
  const logger = createLogger(config.runner.logLevel, { service: 'catcher', taskId });
  const metrics = new EmfEmitter(config.runner.deployment);
  const leaving = new AbortController();
  const deadline = new DrainDeadline();
  let first: TaskRow['heartbeat'] | undefined;
  const serving = await openServing({
    config: config.runner,
    taskId,
    revisionIntervalMs: NEVER_MS,
    deadline,
    startUp: new StartUp(logger, OPEN_WITHIN_MS),
    other: (body) => follow(body, serving, queue),
    onHeartbeat(heartbeat) {
      if (first === undefined) first = heartbeat;
      else void tellLife({ catcherId: taskId, heartbeat }, queue, logger);
    },
    logger,
    metrics,
  });
  const lastResort = new LastResort(logger, metrics, () => leaving.abort());
  lastResort.install();
  let hasEnded = false;
  try {
    await serving.start();
    const { loops, ownership, sessions } = serving;
    logger.info('ready', { event: 'catcher_ready', capacity: config.runner.capacity });
    // Before the first claim: if this execution is killed, somebody has to notice.
    if (first !== undefined) {
      await queue.follow({ catcherId: taskId, heartbeat: first, isChain: true });
    }
    loops.start('tasks', TASKS_INTERVAL_MS, () =>
      startTasks(aws.ecs, config, ownership.watch.fleet, logger),
    );
    await Promise.all([
      ...caught.rows.map((row) => claim(row, serving, queue, logger)),
      ...caught.dead.map((dead) => takeOver(dead, serving)),
    ]);
    for (;;) {
      const { slotsUsed } = sessions.pool;
      const { isMoving } = ownership;
      const load = { ...serving.pressure(), slotsUsed, isMoving };
      const why = leavesFor({ remainingMs: remainingMs(), ...load });
      if (why !== undefined || leaving.signal.aborted) {
        logger.info('leaving', { event: 'catcher_leaving', why, sessions: slotsUsed });
        break;
      }
      await sleep(LOOK_MS, leaving.signal);
    }
  } finally {
    deadline.signalled(() => {
      if (!hasEnded) process.exit(1);
    });
    await serving.stop();
    hasEnded = true;
    lastResort.uninstall();
    // Streams of this execution are found by its row. The index may not show yet what it has claimed without knowing it.
    if (!serving.sessions.pool.hasUnclear) await deleteOwnRow(taskId, serving);
    metrics.flush();
    logger.info('drained', { event: 'drained' });
  }
}

/** Claims a row that was found without an owner. A late event loop serves it better than nobody. */
async function claim(
  row: SessionRow,
  { sessions }: Serving,
  queue: LookQueue,
  logger: Logger,
): Promise<void> {
  const { rtmsStreamId } = row;
  const outcome = await sessions.pool.takeBack(row).catch((error: unknown) => {
    logger.warn('row not claimed', { event: 'claim_failed', rtmsStreamId, error });
    return 'later' as const;
  });
  if (outcome !== 'done') await queue.again(rtmsStreamId);
}

/** Claims what a killed execution has left. What cannot be claimed yet is seen again by the next look at it. */
async function takeOver({ task, silentForMs, rows }: DeadCatcher, serving: Serving): Promise<void> {
  const { ownership, sessions } = serving;
  ownership.watch.sawUnchanged(task, silentForMs);
  await sessions.pool.takeAll(rows).catch(() => undefined);
}

/** Sends a look at this heartbeat, so that it shows later whether it was the last. When this fails, the chain of looks goes on. */
async function tellLife(
  look: Pick<CatcherLook, 'catcherId' | 'heartbeat'>,
  queue: LookQueue,
  logger: Logger,
): Promise<void> {
  try {
    await queue.follow(look);
  } catch (error) {
    logger.warn('the look at this heartbeat was not sent', { event: 'look_not_sent', error });
  }
}

/** @returns whether the message was a look at an execution of the catcher */
async function follow(body: string, serving: Serving, queue: LookQueue): Promise<boolean> {
  const look = decodeCatcherLook(body);
  if (look === undefined) return false;
  const dead = await lookAtCatcher(look, serving.ownership.store, queue);
  if (dead !== undefined) await takeOver(dead, serving);
  return true;
}

/** Where no task runs, nobody else would delete the row; the looks at this execution end with it. */
async function deleteOwnRow(taskId: string, { ownership }: Serving): Promise<void> {
  const { store } = ownership;
  try {
    const own = await store.task(taskId);
    if (own !== undefined) await deleteIfAtRest(own, store);
  } catch {
    // The next look finds the row silent and without sessions, and deletes it.
  }
}

/** Kept back from the 15 minutes of a function for the hand-over: `DRAIN_TIMES.exitMs` of it are used at most. */
export const LEAVE_BEFORE_MS = 120_000;
/** Above this share of the function's memory everything is given away: Lambda kills an execution that goes over. */
const LEAVE_MEMORY_SHARE = 0.92;
/** An event loop this late serves nobody well. New sessions are refused far sooner (`LIMITS`). */
const LEAVE_LOOP_DELAY_MS = 2_000;

export interface Holding {
  /** Of this invocation, ms. */
  readonly remainingMs: number;
  readonly memoryShare: number;
  readonly eventLoopDelayMs: number;
  /** Sessions and claims under way. */
  readonly slotsUsed: number;
  /** A session is on its way to a task, and may have to be taken back. */
  readonly isMoving: boolean;
}

/** Why an invocation ends now; undefined while it goes on. It does not end while it holds a session, but for a limit. */
export function leavesFor(holding: Holding): 'time' | 'memory' | 'event_loop' | 'idle' | undefined {
  if (holding.slotsUsed === 0 && !holding.isMoving) return 'idle';
  if (holding.remainingMs < LEAVE_BEFORE_MS) return 'time';
  if (holding.memoryShare > LEAVE_MEMORY_SHARE) return 'memory';
  if (holding.eventLoopDelayMs > LEAVE_LOOP_DELAY_MS) return 'event_loop';
  return undefined;
}
