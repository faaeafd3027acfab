import { performance } from 'node:perf_hooks';
import { isExpired, observe, type Sightings } from '../../shared/lease/sightings.ts';
import { isCatcher } from '../../shared/session-job.ts';
import {
  type SessionRow,
  type TaskRow,
  UNOWNED,
  wantedState,
} from '../../shared/session-table/session-row.ts';
import { PLACEMENT_WINDOW_MS, placeInLine } from './placement.ts';
import { isQuarantined, needsRoom } from './rules.ts';
import type { SessionStore } from './store.ts';
import { EXPIRE_AFTER_MS, HEARTBEAT_INTERVAL_MS } from './tenure.ts';

/** The job of a start counts as lost when nobody has claimed the stream after this time. */
const REQUESTED_WAIT_MS = 15_000;
/** The job of a hand-over is sent at once. It counts as lost when nobody has claimed the stream after this time. */
const HANDED_OVER_WAIT_MS = 5_000;
/** Zoom's newer start may come a moment after the stop. After this time nobody has to serve the stream any more. */
const STOPPED_WAIT_MS = 5_000;
/** An orphan whose window here began this long ago is one that the others did not take either. */
const OVERDUE_AFTER_MS = 2 * PLACEMENT_WINDOW_MS;
/** A task with fewer renewals has not watched the others for long enough to call one of them dead. */
const WATCHED_HEARTBEATS = 1 + Math.ceil(EXPIRE_AFTER_MS / HEARTBEAT_INTERVAL_MS);
/** The row of a dead task that owns nothing is deleted after this long. */
const DELETE_AFTER_MS = 60_000;

export interface OrphanWatchOptions {
  readonly store: Pick<SessionStore, 'tasks' | 'task' | 'sessionsOf' | 'deleteTask'>;
  readonly taskId: string;
  /** Slots of a session. */
  readonly sessionSlots: number;
  /** How much longer than the others this task leaves a stream waiting, ms. @default 0 */
  readonly holdBackMs?: () => number;
  /** A monotonic clock, ms. @default performance.now */
  readonly clock?: () => number;
}

/** All live tasks together, without executions of the catcher: their free slots must not keep the fleet small. */
export interface Fleet {
  readonly tasks: number;
  /** Free slots of the tasks that do not drain. */
  readonly freeSlots: number;
  /** Slots of the sessions that live executions of the catcher hold. */
  readonly caughtSlots: number;
}

/** Watches the heartbeats of the other tasks, and finds the sessions that nobody serves. */
export class OrphanWatch {
  readonly #options: OrphanWatchOptions;
  readonly #clock: () => number;
  #sightings: Sightings = new Map();
  #lookedAtMs = 0;
  /** When each orphan was first seen as it is now. */
  #since = new Map<string, number>();
  #overdue: ReadonlySet<string> = new Set();
  #oldestWaitingMs = 0;
  #fleet: Fleet | undefined;
  #live: readonly TaskRow[] = [];

  constructor(options: OrphanWatchOptions) {
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
  }

  /** @returns whether another task is known to be dead, as of the last look */
  isExpired(taskId: string): boolean {
    return (
      taskId !== this.#options.taskId &&
      isExpired(this.#sightings.get(taskId), this.#lookedAtMs, EXPIRE_AFTER_MS)
    );
  }

  /**
   * Reads the heartbeat of a task that seems dead once more, consistently. Call it after a row of that task was read and
   * before the row is claimed, because the task may have recovered in between (docs/adr/0005).
   *
   * @returns the row of the dead task, if it still has one; undefined when the task lives
   */
  async confirmDeath(taskId: string): Promise<{ readonly task?: TaskRow } | undefined> {
    const seen = this.#sightings.get(taskId);
    const task = await this.#options.store.task(taskId);
    if (task === undefined) return {};
    if (task.heartbeat === seen?.heartbeat) return { task };
    this.#resight(task);
    return undefined;
  }

  /**
   * Takes in what another execution has seen: a heartbeat that has not changed for some time. A look that comes then, and
   * finds it still the same, counts on from there.
   */
  sawUnchanged({ taskId, heartbeat }: Pick<TaskRow, 'taskId' | 'heartbeat'>, forMs: number): void {
    const nowMs = this.#clock();
    this.#sightings = new Map(this.#sightings).set(taskId, { heartbeat, sinceMs: nowMs - forMs });
    this.#lookedAtMs = nowMs;
  }

  /** Is the window of this runner long over, so that perhaps nobody else is left to take the stream? As of the last look. */
  isOverdue(rtmsStreamId: string): boolean {
    return this.#overdue.has(rtmsStreamId);
  }

  /** The live tasks without the catcher's, this one included, as of the last look. */
  get liveTasks(): readonly TaskRow[] {
    return this.#live;
  }

  /** How long the oldest start without an owner has been waiting, as of the last look, ms; 0 for none. */
  get oldestWaitingMs(): number {
    return this.#oldestWaitingMs;
  }

  /**
   * The live tasks and their room, as of the last look; undefined before the first. Auto scaling reads it as a metric, so
   * a failed look must not be taken for "no room" and start tasks.
   */
  get fleet(): Fleet | undefined {
    return this.#fleet;
  }

  /**
   * Reads the heartbeats, and the rows that nobody serves.
   *
   * @param nowMs wall clock, Unix ms, to tell how long ago a start was requested
   * @returns rows that this runner should try to claim now: those whose window here has come
   */
  async look(nowMs: number): Promise<SessionRow[]> {
    const { store, taskId, sessionSlots } = this.#options;
    const atMs = this.#clock();
    const tasks = await store.tasks();
    const look = { askedAtMs: atMs, answeredAtMs: this.#clock() };
    const beating = tasks.map(({ taskId: id, heartbeat }) => ({ id, heartbeat }));
    this.#sightings = observe(this.#sightings, beating, look);
    this.#lookedAtMs = atMs;
    const unowned = await store.sessionsOf(UNOWNED);
    const orphans = unowned.filter((row) => !isQuarantined(row, nowMs));
    const waiting = orphans.filter((row) => wantedState(row).state === 'started');
    this.#oldestWaitingMs = Math.max(0, ...waiting.map((row) => this.#ageMs(row, nowMs)));
    // Side by side: one after the other, two calls for each dead task of a slow table made a look of nine seconds.
    const dead = tasks.filter((task) => this.isExpired(task.taskId));
    const ofDead = await Promise.all(dead.map((task) => this.#sessionsOfDead(task, atMs)));
    orphans.push(...ofDead.flat());
    const live = tasks.filter((task) => !this.isExpired(task.taskId));
    const lasting = live.filter((task) => !isCatcher(task.taskId));
    this.#live = lasting;
    const holdBackMs = this.#options.holdBackMs?.() ?? 0;
    this.#fleet = {
      tasks: lasting.length,
      freeSlots: lasting.reduce((sum, task) => sum + freeSlotsOf(task), 0),
      caughtSlots: live
        .filter((task) => isCatcher(task.taskId))
        .reduce((sum, { slotsUsed }) => sum + slotsUsed, 0),
    };
    const watching = live.filter(
      (task) => Number(task.heartbeat) >= WATCHED_HEARTBEATS || task.taskId === taskId,
    );
    const since = new Map<string, number>();
    const overdue = new Set<string>();
    const due = orphans.filter((row) => {
      const key = `${row.pk} ${row.owner} ${row.epoch ?? 0} ${row.startEventTsMs ?? 0}`;
      const sinceMs = this.#since.get(key) ?? atMs - this.#ageMs(row, nowMs);
      since.set(key, sinceMs);
      const line = row.owner === UNOWNED ? live : watching;
      const place = placeInLine(
        row.rtmsStreamId,
        taskId,
        line,
        needsRoom(row) ? sessionSlots : Number.NEGATIVE_INFINITY,
      );
      if (place === undefined) return false;
      const lateMs = atMs - sinceMs - this.#waitMs(row) - place * PLACEMENT_WINDOW_MS - holdBackMs;
      if (lateMs >= OVERDUE_AFTER_MS) overdue.add(row.rtmsStreamId);
      return lateMs >= 0;
    });
    this.#since = since;
    this.#overdue = overdue;
    return due;
  }

  /** The index may lag behind, so a death is confirmed by a consistent read of the heartbeat itself. */
  async #sessionsOfDead(task: TaskRow, atMs: number): Promise<SessionRow[]> {
    const { store } = this.#options;
    const current = await store.task(task.taskId);
    if (current !== undefined && current.heartbeat !== task.heartbeat) {
      this.#resight(current);
      return [];
    }
    const rows = await store.sessionsOf(task.taskId);
    const deadSinceMs = this.#sightings.get(task.taskId)?.sinceMs ?? atMs;
    if (rows.length === 0 && atMs - deadSinceMs > DELETE_AFTER_MS) await store.deleteTask(task);
    return rows;
  }

  #resight({ taskId, heartbeat }: TaskRow): void {
    const sighting = { heartbeat, sinceMs: this.#clock() };
    this.#sightings = new Map(this.#sightings).set(taskId, sighting);
  }

  /** @returns how long a row that was just seen has been waiting: only a start that was never claimed tells */
  #ageMs(row: SessionRow, nowMs: number): number {
    if ((row.epoch ?? 0) > 0) return 0;
    return Math.max(0, nowMs - (row.requestedAtMs ?? nowMs));
  }

  #waitMs(row: SessionRow): number {
    if (row.owner !== UNOWNED) return 0;
    if (!needsRoom(row)) return STOPPED_WAIT_MS;
    return row.handedOverBy === undefined ? REQUESTED_WAIT_MS : HANDED_OVER_WAIT_MS;
  }
}

/** A task that has accepted sessions beyond its slots, in an emergency, counts as having no room, not less than none. */
function freeSlotsOf({ slotsTotal, slotsUsed, draining }: TaskRow): number {
  return draining ? 0 : Math.max(0, slotsTotal - slotsUsed);
}
