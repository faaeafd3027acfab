import { randomUUID } from 'node:crypto';
import { ServiceError } from '../../../shared/errors.ts';
import { Heartbeat } from '../../../shared/lease/heartbeat.ts';
import type { LeaseTimes } from '../../../shared/lease/lease.ts';
import { isExpired, observe, type Sightings } from '../../../shared/lease/sightings.ts';
import type { WorkerView } from './group-plan.ts';
import type { GroupRows, WorkerRow } from './group-rows.ts';
import type { GroupTable } from './group-table.ts';

/**
 * A worker that could not renew for `fenceAfterMs` reads and saves nothing any more. Others call it dead after
 * EXPIRE_AFTER_MS on their own clocks, and take its shards. With a look every half second that is 7 s at most.
 */
const WORKER_LEASE: LeaseTimes = {
  intervalMs: 1_000,
  slowAfterMs: 1_000,
  retryMs: 250,
  watchMs: 100,
  fenceAfterMs: 3_500,
};
const EXPIRE_AFTER_MS = 5_000;
/** A worker whose heartbeat is as late as this is given no further shards. */
const SILENT_AFTER_MS = 2_000;

export interface MembershipOptions {
  readonly table: GroupTable;
  readonly workerId: string;
  /** The lease has lapsed: nothing that is served may be served any more. */
  readonly onFenced: () => void;
  /** This worker cannot go on: another process has its id, or the table refuses it. */
  readonly onFatal: (error: ServiceError) => void;
  readonly onRetry: (error: ServiceError) => void;
}

/** This worker's row, and what it knows of the others. */
export class Membership {
  readonly heartbeat: Heartbeat;
  readonly #options: MembershipOptions;
  readonly #run = randomUUID();
  #sightings: Sightings = new Map();
  #askedAtMs = 0;
  #isLeaving = false;

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.heartbeat = new Heartbeat({
      times: WORKER_LEASE,
      renew: (signal) => this.#renew(signal),
      onFenced: options.onFenced,
      onFailed(error) {
        if (!(error instanceof ServiceError)) throw error;
        if (error.retryable) options.onRetry(error);
        else options.onFatal(error);
      },
    });
  }

  /** One consistent look at all rows. */
  async look(): Promise<GroupRows> {
    const askedAtMs = performance.now();
    const rows = await this.#options.table.rows();
    const beating = rows.workers.map(({ workerId, run, heartbeat }) => ({
      id: workerId,
      heartbeat: `${run} ${heartbeat}`,
    }));
    const look = { askedAtMs, answeredAtMs: performance.now() };
    this.#sightings = observe(this.#sightings, beating, look);
    this.#askedAtMs = askedAtMs;
    return rows;
  }

  /** All workers of a look, this one among them. */
  workers({ workers }: GroupRows): WorkerView[] {
    const { workerId } = this.#options;
    const others = workers.filter((worker) => worker.workerId !== workerId);
    const own = { workerId, isLeaving: this.#isLeaving, isDead: false, isSilent: false };
    return [own, ...others.map((row) => this.#viewOf(row))];
  }

  /**
   * Takes this worker's row, and begins to renew it. A row that another process has left is taken when that process is
   * known to be dead.
   *
   * @param pause between two looks at such a row
   * @throws ServiceError `group/worker-id-taken` when the other process lives
   */
  async enter(pause: () => Promise<void>): Promise<void> {
    const { table, workerId } = this.#options;
    let first: WorkerRow | undefined;
    for (;;) {
      const row = (await this.look()).workers.find((worker) => worker.workerId === workerId);
      if (row !== undefined && first?.run === row.run && first.heartbeat !== row.heartbeat)
        throw taken(workerId);
      if (row === undefined || this.#isDead(row)) {
        if (await table.enter(workerId, this.#run, row)) break;
      }
      first = row;
      await pause();
    }
    await this.heartbeat.start();
  }

  /** Deletes the rows of workers that are dead and own nothing any more. */
  async tidy({ workers, shards }: GroupRows): Promise<void> {
    const owners = new Set(shards.map(({ owner }) => owner));
    const { workerId, table } = this.#options;
    for (const row of workers) {
      if (row.workerId === workerId || owners.has(row.workerId) || !this.#isDead(row)) continue;
      await table.removeWorker(row);
    }
  }

  /** Tells the others that this worker gives everything away. */
  async announceLeaving(): Promise<void> {
    this.#isLeaving = true;
    await this.#tried(() => this.#renew(AbortSignal.timeout(WORKER_LEASE.fenceAfterMs)));
  }

  async leave(): Promise<void> {
    this.heartbeat.stop();
    await this.#tried(() => this.#options.table.leave(this.#options.workerId, this.#run));
  }

  /** Whatever fails here, the others see the row stand still in the end, and take it for dead. */
  async #tried(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      this.#options.onRetry(error);
    }
  }

  #viewOf({ workerId, isLeaving }: WorkerRow): WorkerView {
    const isDead = this.#isStill(workerId, EXPIRE_AFTER_MS);
    return { workerId, isLeaving, isDead, isSilent: this.#isStill(workerId, SILENT_AFTER_MS) };
  }

  #isDead({ workerId }: WorkerRow): boolean {
    return this.#isStill(workerId, EXPIRE_AFTER_MS);
  }

  #isStill(workerId: string, forMs: number): boolean {
    return isExpired(this.#sightings.get(workerId), this.#askedAtMs, forMs);
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const { table, workerId } = this.#options;
    if (await table.renew(workerId, this.#run, this.#isLeaving, signal)) return;
    // A worker that was frozen for long was taken for dead, and its row deleted.
    if (!(await table.enter(workerId, this.#run, undefined))) throw taken(workerId);
  }
}

function taken(workerId: string): ServiceError {
  const what = `another process is at work under the worker id ${workerId}; every worker needs an id of its own`;
  return new ServiceError('group/worker-id-taken', what, { detail: { workerId } });
}
