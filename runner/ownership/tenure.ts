import { FENCE_AFTER_MS } from './expiry.ts';

/**
 * How long a session that lost its table goes on collecting, from the last renewal that was sent. Nobody writes
 * meanwhile; see docs/adr/0005-owners-hold-while-the-table-is-away.md. Should this task alone be cut off, another
 * one has claimed the stream after EXPIRE_AFTER_MS and tries to connect for Zoom's 60 s, in which Zoom may refuse
 * it for as long as this task's sockets are open: they have to be closed well before that time is over.
 */
export const HOLD_MS = 40_000;

/**
 * One claim's right to be served.
 *
 * - `valid`: the task may serve in the term of the claim, or of the last proof
 * - `suspended`: the heartbeat has lapsed. What comes in is kept and not written, until the row is proved to be
 *   still this task's (`valid`), or proved not to be, or HOLD_MS is over (`over`)
 * - `over`: for good
 */
export type TenureState = 'valid' | 'suspended' | 'over';

export class Tenure {
  #state: TenureState = 'valid';
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

  /** May what comes in be kept? Asked for every frame, so it is the first to notice a lapse. */
  collects(): boolean {
    if (this.#state === 'valid') this.#holds(this.#term);
    return this.#state !== 'over';
  }

  suspend(): void {
    if (this.#state === 'valid') this.#state = 'suspended';
  }

  /** The row was proved to be this task's, by a call sent within `term`. @returns false when that is over too */
  resume(term: number): boolean {
    if (this.#state !== 'suspended' || !this.#holds(term)) return false;
    this.#term = term;
    this.#state = 'valid';
    return true;
  }

  end(): void {
    this.#state = 'over';
  }
}

/** How much longer a lapse that is noticed `sinceRenewalMs` after the last renewal may be waited out. */
export function holdLeftMs(sinceRenewalMs: number): number {
  return Math.max(0, HOLD_MS - Math.max(sinceRenewalMs, FENCE_AFTER_MS));
}
