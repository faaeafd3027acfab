import type { TaskRow } from '../../shared/session-table/session-row.ts';
import { roomOfTasks } from './placement.ts';
import {
  arrives,
  type Movable,
  type MovableSessions,
  type MoverParts,
  mayMove,
} from './watch-move.ts';

/** A task has to have renewed this often, so that one which crashes at once is given no sessions. */
const STEADY_HEARTBEATS = 3;
/** After a session did not arrive, the next one waits this long; twice as long after each further failure. */
const PAUSE_MS = 60_000;
const MAX_PAUSE_MS = 600_000;
/**
 * The first pause of an execution of the catcher. It is shorter, because such an execution ends after 15 minutes and
 * costs more than a task until then, so its sessions cannot stay.
 */
const CAUGHT_PAUSE_MS = 10_000;
/** Heartbeats report used slots this late, so sessions that were moved since may not be in them. */
const REPORT_DELAY_MS = 5_000;

/** The tasks that are to have this one's sessions. */
export interface MoveTarget {
  readonly cause: 'revision' | 'caught';
  /** @param task undefined: an owner that is not among the live tasks */
  includes(task: TaskRow | undefined): boolean;
}

export interface TaskMoverOptions extends MoverParts {
  readonly sessions: () => Omit<MovableSessions, 'nextToPack'>;
  /** How long to wait after a failure, ms. @default 60 s, or 10 s for what was caught; doubled up to 10 min */
  readonly pauseMs?: number;
}

/**
 * Moves this task's sessions to other tasks, while there are some that should have them: those of a newer revision of the
 * service, or any task at all when this is an execution of the catcher.
 *
 * Sessions move one at a time, and only while a live task that is meant, and does not drain, has shown room. Each is
 * watched until it has arrived (watch-move.ts). After a failure the others stay here for a while, and this task takes new
 * streams again: a bad release costs one session some seconds and ends no meeting.
 */
export class TaskMover {
  readonly #options: TaskMoverOptions;
  #target: MoveTarget | undefined;
  #pausedUntilMs = 0;
  #failures = 0;
  #isMoving = false;
  #movedAtMs: readonly number[] = [];

  constructor(options: TaskMoverOptions) {
    this.#options = options;
  }

  /** @param target undefined: sessions stay where they are */
  moveTo(target: MoveTarget | undefined): void {
    this.#target = target;
  }

  get hasTarget(): boolean {
    return this.#target !== undefined;
  }

  /** Is a session under way that may have to be taken back? */
  get isMoving(): boolean {
    return this.#isMoving;
  }

  /** Should those tasks take new streams? Yes while they have room and no session has just failed to arrive. */
  get yields(): boolean {
    return this.#target !== undefined && !this.#isPaused && this.#room() > 0;
  }

  /** Moves one session if there is one to move and room for it. */
  async step(): Promise<void> {
    const sessions = this.#options.sessions();
    const target = this.#target;
    if (target === undefined || sessions.isDraining || !this.yields) return;
    if (!mayMove(this.#options.backlogMs?.() ?? 0)) return;
    const session = sessions.nextToMove();
    if (session === undefined) return;
    this.#isMoving = true;
    try {
      await this.#move(session, target);
    } finally {
      this.#isMoving = false;
    }
  }

  async #move(session: Movable, target: MoveTarget): Promise<void> {
    const { logger, metrics } = this.#options;
    const { pauseMs = target.cause === 'caught' ? CAUGHT_PAUSE_MS : PAUSE_MS } = this.#options;
    const { rtmsStreamId, epoch } = session;
    await this.#options.sessions().giveAway(session, target.cause);
    const isMeant = (owner: string | undefined) => {
      const task = this.#options.tasks().find((one) => one.taskId === owner);
      return this.#target === undefined || target.includes(task);
    };
    if (await arrives(session, { ...this.#options, isMeant })) {
      this.#failures = 0;
      this.#movedAtMs = [...this.#movedAtMs, performance.now()];
      return;
    }
    metrics.count('HandBacks');
    const waitMs = Math.min(MAX_PAUSE_MS, pauseMs * 2 ** this.#failures);
    this.#failures += 1;
    this.#pausedUntilMs = performance.now() + waitMs;
    const fields = { event: 'hand_over_failed', rtmsStreamId, epoch, waitMs };
    logger.error('a session that was moved did not arrive', fields);
  }

  get #isPaused(): boolean {
    return performance.now() < this.#pausedUntilMs;
  }

  /** How many more sessions the tasks that are meant have shown room for. */
  #room(): number {
    const target = this.#target;
    if (target === undefined) return 0;
    const { tasks, sessionSlots } = this.#options;
    const steady = tasks().filter((task) => {
      return target.includes(task) && Number(task.heartbeat) >= STEADY_HEARTBEATS;
    });
    const nowMs = performance.now();
    this.#movedAtMs = this.#movedAtMs.filter((atMs) => nowMs - atMs < REPORT_DELAY_MS);
    return roomOfTasks(steady, sessionSlots) - this.#movedAtMs.length;
  }
}
