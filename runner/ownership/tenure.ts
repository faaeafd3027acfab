import type { LeaseTimes } from '../../shared/lease/lease.ts';

/** A task renews its heartbeat this often. */
export const HEARTBEAT_INTERVAL_MS = 3_000;

/** A task that could not renew for this long closes its sockets and stops writing. */
export const FENCE_AFTER_MS = 7_000;

/**
 * A task whose heartbeat has not changed for this long, on the observer's own clock, counts as dead. The distance to
 * FENCE_AFTER_MS is for records that are already on their way when the task is fenced.
 */
export const EXPIRE_AFTER_MS = 10_000;

/** The lease of a task (`shared/lease/lease.ts`). */
export const TASK_LEASE: LeaseTimes = {
  intervalMs: HEARTBEAT_INTERVAL_MS,
  slowAfterMs: 2_000,
  retryMs: 500,
  watchMs: 250,
  fenceAfterMs: FENCE_AFTER_MS,
};

/**
 * How long a suspended session goes on collecting, counted from the last renewal that counts. Nothing is written
 * meanwhile; see docs/adr/0005-owners-hold-while-the-table-is-away.md. If this task alone is cut off from the table,
 * another one has claimed the stream after EXPIRE_AFTER_MS and tries to connect for Zoom's 60 s. Zoom may refuse it for as
 * long as this task's sockets are open, so they have to be closed well before those 60 s are over.
 */
export const HOLD_MS = 40_000;

/**
 * The right of one claim to be served.
 *
 * - `valid`: the task may serve in the term of the claim, or of the last proof
 * - `suspended`: the heartbeat has lapsed. What comes in is kept and not written, until the row is proved to be still
 *   this task's (then `valid`), or not to be, or until HOLD_MS is over (then `over`)
 * - `over`: for good
 */
export type TenureState = 'valid' | 'suspended' | 'over';

export class Tenure {
  #state: TenureState = 'valid';
  #unprovedSinceMs: number | undefined;
  #term: number;
  readonly #holds: (term: number) => boolean;

  /** @param holds whether a term is the task's current one; it suspends all tenures when it notices a lapse */
  constructor(term: number, holds: (term: number) => boolean) {
    this.#term = term;
    this.#holds = holds;
  }

  get state(): TenureState {
    return this.#state;
  }

  /**
   * The last renewal that counted before the lapse, Unix ms, where the row has not been proved since: nothing that came in later
   * was written. Stays when the tenure ends.
   */
  get unprovedSinceMs(): number | undefined {
    return this.#unprovedSinceMs;
  }

  /** May what comes in be kept? This is asked for every frame, and so it notices a lapse first. */
  collects(): boolean {
    if (this.#state === 'valid') this.#holds(this.#term);
    return this.#state !== 'over';
  }

  /** @param renewedAtMs the last renewal that counted, Unix ms. A later lapse changes nothing about one that is not proved since */
  suspend(renewedAtMs: number): void {
    if (this.#state !== 'valid') return;
    this.#state = 'suspended';
    this.#unprovedSinceMs = renewedAtMs;
  }

  /** The row was proved to be this task's by a call sent within `term`. @returns false when that term is over too */
  resume(term: number): boolean {
    if (this.#state !== 'suspended' || !this.#holds(term)) return false;
    this.#term = term;
    this.#state = 'valid';
    this.#unprovedSinceMs = undefined;
    return true;
  }

  end(): void {
    this.#state = 'over';
  }

  /** The row is another's. */
  lose(): void {
    this.#state = 'over';
    this.#unprovedSinceMs = undefined;
  }
}

/** @returns how much longer a session may be suspended when a lapse is noticed `sinceRenewalMs` after the last renewal */
export function holdLeftMs(sinceRenewalMs: number): number {
  return Math.max(0, HOLD_MS - Math.max(sinceRenewalMs, FENCE_AFTER_MS));
}
