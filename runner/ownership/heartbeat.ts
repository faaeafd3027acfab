import { performance } from 'node:perf_hooks';
import type { Logger } from '../../shared/logger.ts';
import type { Metrics } from '../../shared/metrics.ts';
import type { TaskReport } from '../../shared/session-table/task-writes.ts';
import { FENCE_AFTER_MS, HEARTBEAT_INTERVAL_MS } from './expiry.ts';
import { holds, type Lease, leaseAt, NO_LEASE, renewed } from './lease.ts';
import type { SessionStore } from './store.ts';

/**
 * A renewal without an answer after this long gets a second one beside it, over another connection, and stays. Do not
 * cancel it: if DynamoDB is only a little slow, cancelling would fence every runner.
 */
const SLOW_AFTER_MS = 2_000;
/** An answer that comes later than this cannot renew the lease. */
const RENEW_TIMEOUT_MS = FENCE_AFTER_MS;
const RETRY_MS = 500;
/** How often the lease is checked. In a process that was frozen this timer fires as soon as the process goes on. */
const WATCH_MS = 250;

export interface HeartbeatOptions {
  readonly store: Pick<SessionStore, 'renew'>;
  readonly task: () => TaskReport;
  /**
   * The lease has lapsed. Other tasks may own everything that this one did, so nothing more may be written.
   *
   * @param sinceRenewalMs since the last renewal that counts was sent
   */
  readonly onFenced: (sinceRenewalMs: number) => void;
  /** A renewal was answered in time, and `term` is the current one. */
  readonly onRenewed?: (term: number) => void;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Monotonic, ms. @default performance.now */
  readonly clock?: () => number;
}

/** Renews this task's heartbeat, and knows whether this task may serve (lease.ts). */
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

  /** @returns whether what was claimed in `term` may still be served; cheap enough to be asked for every frame */
  holds(term: number): boolean {
    return holds(this.#current(), term);
  }

  /** Whoever asks first after a lapse ends the term here. */
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

  /** Sends a renewal after a delay. Only the newest renewal schedules the next one, so that there is one chain of them. */
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
