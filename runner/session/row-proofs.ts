import { holdLeftMs } from '../ownership/tenure.ts';
import { sleep } from '../task/loop.ts';
import type { ServedSession, SessionPoolOptions } from './pool-options.ts';

const RETRY_MS = 500;
/** Rows proved at once after an outage: the table has just come back, and there are other runners. */
const PROOFS_AT_ONCE = 25;

/**
 * Whether the sessions of this task are still its own. A lapse of the heartbeat suspends them; after the next renewal
 * each proves its row, or is dropped. See docs/adr/0005-owners-hold-while-the-table-is-away.md.
 */
export class RowProofs {
  readonly #options: Pick<SessionPoolOptions, 'store' | 'heartbeat' | 'logger'>;
  readonly #served: () => readonly ServedSession[];
  #isProving = false;
  #holdTimer: NodeJS.Timeout | undefined;

  constructor(
    options: Pick<SessionPoolOptions, 'store' | 'heartbeat' | 'logger'>,
    served: () => readonly ServedSession[],
  ) {
    this.#options = options;
    this.#served = served;
  }

  /**
   * The heartbeat has lapsed: others may own everything by now, if they can reach the table. The sessions go on
   * collecting for a while, and nothing is written.
   *
   * @param sinceRenewalMs since the last renewal was sent
   */
  suspendAll(sinceRenewalMs: number): void {
    for (const { tenure } of this.#served()) tenure.suspend();
    clearTimeout(this.#holdTimer);
    const leftMs = holdLeftMs(sinceRenewalMs);
    const dropAll = () => {
      for (const served of this.#suspended()) drop(served, 'heartbeat lost');
    };
    if (leftMs === 0) dropAll();
    else this.#holdTimer = setTimeout(dropAll, leftMs).unref();
  }

  /** The heartbeat is renewed: whatever was suspended proves that it is still this task's, or ends. */
  async proveAll(term: number): Promise<void> {
    if (this.#isProving) return;
    this.#isProving = true;
    try {
      const suspended = this.#suspended();
      for (let from = 0; from < suspended.length; from += PROOFS_AT_ONCE) {
        const some = suspended.slice(from, from + PROOFS_AT_ONCE);
        await Promise.all(some.map((served) => this.#prove(served, term)));
      }
    } finally {
      this.#isProving = false;
    }
    if (this.#suspended().length === 0) clearTimeout(this.#holdTimer);
    else void this.#proveAgain();
  }

  #suspended(): ServedSession[] {
    return this.#served().filter(({ tenure }) => tenure.state === 'suspended');
  }

  async #prove(served: ServedSession, term: number): Promise<void> {
    const { store, heartbeat, logger } = this.#options;
    const { claim, tenure } = served;
    const { rtmsStreamId, epoch } = claim;
    if (!heartbeat.holds(term)) return;
    try {
      const isOwn = await store.prove(claim);
      if (!isOwn) drop(served, 'not the owner any more');
      else if (tenure.resume(term)) {
        logger.info('row proved', { event: 'proved', rtmsStreamId, epoch });
      }
    } catch (error) {
      logger.warn('row not proved', { event: 'proof_failed', rtmsStreamId, epoch, error });
    }
  }

  /** Proves the rows that are not proved yet, because the table did not answer or the term was over. */
  async #proveAgain(): Promise<void> {
    await sleep(RETRY_MS);
    const { term } = this.#options.heartbeat;
    if (term !== undefined && this.#suspended().length > 0) await this.proveAll(term);
  }
}

function drop({ session, tenure }: ServedSession, why: string): void {
  // First: a session that is ending finishes unless it has lost its right.
  tenure.end();
  session.drop(why);
}
