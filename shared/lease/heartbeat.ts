import { performance } from 'node:perf_hooks';
import { holds, type Lease, type LeaseTimes, leaseAt, NO_LEASE, renewed } from './lease.ts';

export interface HeartbeatOptions {
  readonly times: LeaseTimes;
  /**
   * Raises the heartbeat in the table.
   *
   * @param signal aborts when the answer could not renew the lease any more
   * @param hasLapsed the lease has lapsed, and this would be the first renewal since: until it is answered nothing is served
   */
  readonly renew: (signal: AbortSignal, hasLapsed: boolean) => Promise<void>;
  /**
   * The lease has lapsed. Others may own everything that this member did, so nothing more may be written.
   *
   * @param sinceRenewalMs since the last renewal that counts was sent
   */
  readonly onFenced: (sinceRenewalMs: number) => void;
  /** A renewal was answered in time, and `term` is the current one. */
  readonly onRenewed?: (term: number) => void;
  /** A renewal failed; the next one follows. */
  readonly onFailed: (error: unknown) => void;
  /** Monotonic, ms. @default performance.now */
  readonly clock?: () => number;
}

/** Renews a member's heartbeat, and knows whether the member may serve (lease.ts). */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #clock: () => number;
  readonly #stopped = new AbortController();
  #lease = NO_LEASE;
  #watch: NodeJS.Timeout | undefined;
  #next: NodeJS.Timeout | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
  }

  /** Renews for the first time, then keeps renewing. @throws what the first renewal throws */
  async start(): Promise<void> {
    await this.#renew();
    this.#watch = setInterval(() => this.#current(), this.#options.times.watchMs);
    this.#schedule(this.#options.times.intervalMs);
  }

  stop(): void {
    this.#stopped.abort();
    clearInterval(this.#watch);
    clearTimeout(this.#next);
  }

  /** The current term, or undefined while this member may not serve. */
  get term(): number | undefined {
    const { term, renewedAtMs } = this.#current();
    return renewedAtMs === undefined ? undefined : term;
  }

  /** @returns whether what was claimed in `term` may still be served; cheap enough to be asked for every frame */
  holds(term: number): boolean {
    return holds(this.#current(), term);
  }

  /** Whoever asks first after a lapse ends the term here. */
  #current(): Lease {
    const nowMs = this.#clock();
    const before = this.#lease;
    const lease = leaseAt(before, nowMs, this.#options.times.fenceAfterMs);
    if (lease !== before) {
      this.#lease = lease;
      this.#options.onFenced(nowMs - (before.renewedAtMs ?? nowMs));
    }
    return lease;
  }

  async #renew(): Promise<void> {
    const { term, renewedAtMs } = this.#current();
    const hasLapsed = renewedAtMs === undefined && term !== NO_LEASE.term;
    const sentAtMs = this.#clock();
    const { renew, times } = this.#options;
    // An answer that comes later than this cannot renew the lease.
    await renew(AbortSignal.timeout(times.fenceAfterMs), hasLapsed);
    this.#lease = renewed(this.#current(), sentAtMs, this.#clock(), times.fenceAfterMs);
    const { term: current } = this;
    if (current !== undefined) this.#options.onRenewed?.(current);
  }

  /** Sends a renewal after a delay. Only the newest renewal schedules the next one, so that there is one chain of them. */
  #schedule(delayMs: number): void {
    if (this.#stopped.signal.aborted) return;
    const { times, onFailed } = this.#options;
    clearTimeout(this.#next);
    this.#next = setTimeout(() => {
      this.#schedule(times.slowAfterMs);
      const own = this.#next;
      const then = (pauseMs: number) => {
        if (own === this.#next) this.#schedule(pauseMs);
      };
      this.#renew().then(
        () => then(times.intervalMs),
        (error: unknown) => {
          onFailed(error);
          then(times.retryMs);
        },
      );
    }, delayMs);
  }
}
