import type { Logger } from '../../shared/logger.ts';
import type { Metrics } from '../../shared/metrics.ts';
import type { TaskRow } from '../../shared/session-table/session-row.ts';
import { isOfRevision, type PrimaryRevision } from '../task/ecs.ts';
import { roomOfTasks } from './placement.ts';
import type { SessionStore } from './store.ts';
import { arrives, type MovableSessions } from './watch-move.ts';

/** A task has to have renewed this often, so that one which crashes at once is given no sessions. */
const STEADY_HEARTBEATS = 3;
/** After a session did not arrive, the next one waits this long; twice as long after each further failure. */
const PAUSE_MS = 60_000;
const MAX_PAUSE_MS = 600_000;
/** Heartbeats report used slots this late, so sessions that were moved since may not be in them. */
const REPORT_DELAY_MS = 5_000;

export interface RevisionMoverOptions {
  readonly taskId: string;
  readonly store: Pick<SessionStore, 'session' | 'askBack'>;
  /** Live tasks, as of the last look. */
  readonly tasks: () => readonly TaskRow[];
  readonly isExpired: (taskId: string) => boolean;
  readonly sessions: () => Omit<MovableSessions, 'nextToPack'>;
  /** Slots of a session. */
  readonly sessionSlots: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** How long to wait after a failure, ms. @default 60 s, doubled up to 10 min */
  readonly pauseMs?: number;
}

/**
 * Moves this task's sessions to the newer revision of its service, while there is one.
 *
 * Sessions move one at a time, and only while a live task of that revision, which does not drain, has shown room. Each
 * is watched until it has arrived (watch-move.ts). After a failure the others stay here for a while, and this task takes
 * new streams again: a bad release costs one session some seconds and ends no meeting.
 */
export class RevisionMover {
  readonly #options: RevisionMoverOptions;
  #primary: PrimaryRevision | undefined;
  #pausedUntilMs = 0;
  #failures = 0;
  #movedAtMs: readonly number[] = [];

  constructor(options: RevisionMoverOptions) {
    this.#options = options;
  }

  /** @param primary the revision that supersedes this task's own; undefined when its own is the newest */
  supersededBy(primary: PrimaryRevision | undefined): void {
    this.#primary = primary;
  }

  get isSuperseded(): boolean {
    return this.#primary !== undefined;
  }

  /** Should the newer revision take new streams? Yes while it has room and no session has just failed to arrive. */
  get yields(): boolean {
    return this.#primary !== undefined && !this.#isPaused && this.#room() > 0;
  }

  /** Moves one session if there is one to move and room for it. */
  async step(): Promise<void> {
    const { logger, metrics, pauseMs = PAUSE_MS } = this.#options;
    const sessions = this.#options.sessions();
    if (sessions.isDraining || !this.yields) return;
    const session = sessions.nextToMove();
    if (session === undefined) return;
    const { rtmsStreamId, epoch } = session;
    await sessions.giveAway(session, 'revision');
    const isMeant = (owner: string | undefined) => this.#isNewer(owner);
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
    logger.error('the newer revision did not serve a session', fields);
  }

  get #isPaused(): boolean {
    return performance.now() < this.#pausedUntilMs;
  }

  /** How many more sessions the newer revision has shown room for. */
  #room(): number {
    const primary = this.#primary;
    if (primary === undefined) return 0;
    const { tasks, sessionSlots } = this.#options;
    const steady = tasks().filter((task) => {
      return isOfRevision(primary, task.revision) && Number(task.heartbeat) >= STEADY_HEARTBEATS;
    });
    const nowMs = performance.now();
    this.#movedAtMs = this.#movedAtMs.filter((atMs) => nowMs - atMs < REPORT_DELAY_MS);
    return roomOfTasks(steady, sessionSlots) - this.#movedAtMs.length;
  }

  #isNewer(owner: string | undefined): boolean {
    const primary = this.#primary;
    const task = this.#options.tasks().find((one) => one.taskId === owner);
    return primary === undefined || isOfRevision(primary, task?.revision);
  }
}
