import { performance } from 'node:perf_hooks';
import type { Logger } from '../../shared/logger.ts';
import type { Metrics } from '../../shared/metrics.ts';
import type { TaskReport } from '../../shared/session-table/task-writes.ts';
import { FENCE_AFTER_MS, HEARTBEAT_INTERVAL_MS } from './expiry.ts';
import { holds, type Lease, leaseAt, NO_LEASE, renewed } from './lease.ts';
import type { SessionStore } from './store.ts';

/**
 * A renewal that has no answer by then gets another one beside it, over another connection; its own answer
 * still counts. Were it given up, a table that answers after a little longer than this would fence everybody.
 */
const SLOW_AFTER_MS = 2_000;
/** An answer that comes later is worth nothing. */
const RENEW_TIMEOUT_MS = FENCE_AFTER_MS;
const RETRY_MS = 500;
/** How often the fence is looked at; a frozen process looks first thing when it wakes up. */
const WATCH_MS = 250;

export interface HeartbeatOptions {
  readonly store: Pick<SessionStore, 'renew'>;
  readonly task: () => TaskReport;
  /**
   * Everything owned so far may be another's now: nothing more may be written.
   *
   * @param sinceRenewalMs since the last renewal that counts was sent
   */
  readonly onFenced: (sinceRenewalMs: number) => void;
  /** A renewal has been answered in time: `term` is the current one. */
  readonly onRenewed?: (term: number) => void;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Monotonic, ms. @default performance.now */
  readonly clock?: () => number;
}

/** Renews this task's heartbeat and knows whether this task may serve; see lease.ts. */
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

  /** Renews for the first time, then keeps renewing. @throws ServiceError `session/store-failed` */
  async start(): Promise<void> {
    await this.#renew();
    this.#watch = setInterval(() => this.#current(), WATCH_MS);
    this.#schedule(HEARTBEAT_INTERVAL_MS);
  }

  stop(): void {
    this.#stopped.abort();
    clearInterval(this.#watch);
    clearTimeout(this.#next);
  }

  /** The current term, or undefined while this task may not serve. */
  get term(): number | undefined {
    const { term, renewedAtMs } = this.#current();
    return renewedAtMs === undefined ? undefined : term;
  }

  /** May what was claimed in `term` still be served? Cheap enough to ask for every frame. */
  holds(term: number): boolean {
    return holds(this.#current(), term);
  }

  /** The first to look at a late lease ends its term. */
  #current(): Lease {
    const nowMs = this.#clock();
    const before = this.#lease;
    const lease = leaseAt(before, nowMs);
    if (lease !== before) {
      this.#lease = lease;
      this.#options.metrics.count('FencedByHeartbeat');
      this.#options.logger.error('heartbeat lost, nothing is written', { event: 'fenced' });
      this.#options.onFenced(nowMs - (before.renewedAtMs ?? nowMs));
    }
    return lease;
  }

  async #renew(): Promise<void> {
    const sentAtMs = this.#clock();
    await this.#options.store.renew(
      this.#options.task(),
      Date.now(),
      AbortSignal.timeout(RENEW_TIMEOUT_MS),
    );
    this.#lease = renewed(this.#current(), sentAtMs, this.#clock());
    const { term } = this;
    if (term !== undefined) this.#options.onRenewed?.(term);
  }

  /** The newest renewal alone sees to the next one. */
  #schedule(delayMs: number): void {
    if (this.#stopped.signal.aborted) return;
    clearTimeout(this.#next);
    this.#next = setTimeout(() => {
      this.#schedule(SLOW_AFTER_MS);
      const own = this.#next;
      const then = (pauseMs: number) => {
        if (own === this.#next) this.#schedule(pauseMs);
      };
      this.#renew().then(
        () => then(HEARTBEAT_INTERVAL_MS),
        (error: unknown) => {
          this.#options.logger.warn('heartbeat not renewed', { event: 'heartbeat_failed', error });
          then(RETRY_MS);
        },
      );
    }, delayMs);
  }
}
