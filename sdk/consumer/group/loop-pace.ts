import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from '../../../shared/errors.ts';

const RETRY_MS = 500;

/** The pace of a loop: it pauses, is woken early when there is something to do, and ends. */
export class LoopPace {
  readonly #stopping = new AbortController();
  #wake = Promise.withResolvers<void>();
  #isWoken = false;

  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  get isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  stop(): void {
    this.#stopping.abort();
    this.wake();
  }

  /** Ends the pause, or the next one. */
  wake(): void {
    this.#isWoken = true;
    this.#wake.resolve();
  }

  async pause(ms: number): Promise<void> {
    if (!this.#isWoken && !this.isStopped) {
      const over = new AbortController();
      const slept = sleep(ms, undefined, { signal: over.signal }).catch(() => undefined);
      await Promise.race([slept, this.#wake.promise]);
      over.abort();
    }
    this.#isWoken = false;
    this.#wake = Promise.withResolvers<void>();
  }

  /**
   * Repeats what failed for a passing reason.
   *
   * @returns undefined when the loop ends meanwhile
   * @throws what does not pass
   */
  async retried<T>(
    attempt: () => Promise<T>,
    onRetry: (error: ServiceError) => void,
  ): Promise<T | undefined> {
    while (!this.isStopped) {
      try {
        return await attempt();
      } catch (error) {
        if (this.isStopped && isAbort(error)) return undefined;
        if (!(error instanceof ServiceError && error.retryable)) throw error;
        onRetry(error);
        await this.pause(RETRY_MS);
      }
    }
    return undefined;
  }
}

export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
