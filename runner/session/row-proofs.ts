import { ServiceError } from '../../shared/errors.ts';
import { holdLeftMs } from '../ownership/tenure.ts';
import { sleep } from '../task/loop.ts';
import type { ServedSession, SessionPoolOptions } from './pool-options.ts';
import { untoldBlindSince } from './vouching.ts';

const RETRY_MS = 500;
/** Rows proved at once after an outage: the table has just come back, and there are other runners. */
const PROOFS_AT_ONCE = 25;

/**
 * Whether the sessions of this task are still its own. A lapse of the heartbeat suspends them; after the next renewal
 * each proves its row, or is dropped. See docs/adr/0005-owners-hold-while-the-table-is-away.md. A row whose session was dropped
 * before it was proved may still be this task's: it is told since when nothing of the stream was written.
 */
export class RowProofs {
  readonly #options: Pick<SessionPoolOptions, 'store' | 'heartbeat' | 'wroteUntilMs' | 'logger'>;
  readonly #served: () => readonly ServedSession[];
  /** Dropped before they were proved, and their rows do not say so yet. */
  readonly #untold = new Set<ServedSession>();
  #isProving = false;
  #isWaiting = false;
  #holdTimer: NodeJS.Timeout | undefined;

  constructor(
    options: Pick<SessionPoolOptions, 'store' | 'heartbeat' | 'wroteUntilMs' | 'logger'>,
    served: () => readonly ServedSession[],
  ) {
    this.#options = options;
    this.#served = served;
  }

  /** May the table say of a stream that it is this task's, and not that its session was dropped? */
  get hasUntold(): boolean {
    return this.#untold.size > 0;
  }

  /**
   * The heartbeat has lapsed: others may own everything by now, if they can reach the table. The sessions go on
   * collecting for a while, and nothing is written.
   *
   * @param sinceRenewalMs since the last renewal was sent
   */
  suspendAll(sinceRenewalMs: number): void {
    // Monotonic clocks have fractions. A row with one could not be read, and nobody would claim it.
    const renewedAtMs = Math.floor(Date.now() - sinceRenewalMs);
    for (const { tenure } of this.#served()) tenure.suspend(renewedAtMs);
    clearTimeout(this.#holdTimer);
    const leftMs = holdLeftMs(sinceRenewalMs);
    const dropAll = () => {
      for (const { session, tenure } of this.#suspended()) {
        // First: a session that is ending finishes unless it has lost its right.
        tenure.end();
        session.drop('heartbeat lost');
      }
    };
    if (leftMs === 0) dropAll();
    else this.#holdTimer = setTimeout(dropAll, leftMs).unref();
  }

  /** A session was dropped; its row may still be this task's if it was not proved. */
  dropped(served: ServedSession): void {
    if (served.tenure.unprovedSinceMs === undefined) return;
    this.#untold.add(served);
    // While the lease is away, the next renewal does it.
    void this.#proveAgain();
  }

  /** The heartbeat is renewed: whatever was suspended proves that it is still this task's, or ends. */
  async proveAll(term: number): Promise<void> {
    if (this.#isProving) return;
    this.#isProving = true;
    try {
      await inBatches([...this.#untold], (served) => this.#tell(served, term));
      await inBatches(this.#suspended(), (served) => this.#prove(served, term));
    } finally {
      this.#isProving = false;
    }
    if (this.#suspended().length === 0) clearTimeout(this.#holdTimer);
    if (this.#isDue) void this.#proveAgain();
  }

  get #isDue(): boolean {
    return this.hasUntold || this.#suspended().length > 0;
  }

  #suspended(): ServedSession[] {
    return this.#served().filter(({ tenure }) => tenure.state === 'suspended');
  }

  async #prove(served: ServedSession, term: number): Promise<void> {
    const { store, heartbeat, logger } = this.#options;
    const { session, claim, tenure } = served;
    const { rtmsStreamId, epoch } = claim;
    if (!heartbeat.holds(term)) return;
    try {
      const isOwn = await store.prove(claim);
      if (!isOwn) {
        tenure.lose();
        // It may have been dropped while the proof was on its way.
        this.#untold.delete(served);
        session.drop('not the owner any more');
      } else if (tenure.resume(term)) {
        logger.info('row proved', { event: 'proved', rtmsStreamId, epoch });
      }
    } catch (error) {
      logger.warn('row not proved', { event: 'proof_failed', rtmsStreamId, epoch, error });
    }
  }

  /** Says in a row that is still this task's since when nothing of the stream was written. */
  async #tell(served: ServedSession, term: number): Promise<void> {
    const { store, heartbeat, logger } = this.#options;
    const { rtmsStreamId, epoch } = served.claim;
    if (!heartbeat.holds(term)) return;
    const { left, tenure } = served;
    const leftAtMs = left?.atMs ?? tenure.unprovedSinceMs ?? Date.now();
    const wroteUntilMs = left === undefined ? this.#options.wroteUntilMs?.() : left.wroteUntilMs;
    const since = untoldBlindSince(served, leftAtMs, wroteUntilMs);
    try {
      if (since !== undefined) await store.leaving(served.claim, since);
      this.#untold.delete(served);
    } catch (error) {
      logger.warn('the row does not say yet that its session was dropped', {
        event: 'leaving_untold',
        rtmsStreamId,
        epoch,
        error,
      });
      if (error instanceof ServiceError && !error.retryable) this.#untold.delete(served);
    }
  }

  /** Goes on with rows that are not proved or told yet, because the table did not answer or the term was over. */
  async #proveAgain(): Promise<void> {
    // One wait at a time: each session that is dropped asks for it.
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    await sleep(RETRY_MS);
    this.#isWaiting = false;
    const { term } = this.#options.heartbeat;
    if (term !== undefined && this.#isDue) await this.proveAll(term);
  }
}

async function inBatches<T>(all: readonly T[], step: (one: T) => Promise<void>): Promise<void> {
  for (let from = 0; from < all.length; from += PROOFS_AT_ONCE) {
    await Promise.all(all.slice(from, from + PROOFS_AT_ONCE).map(step));
  }
}
