import { isUnreachable } from '../../shared/aws-calls.ts';
import { ServiceError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import { sleep } from './loop.ts';

/** ECS begins to count failed health checks 30 s after the start of a task. */
const START_WITHIN_MS = 30_000;
const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 5_000;

/**
 * Makes the calls that a task cannot start without. A fleet that starts at once makes all of them in one second, and AWS
 * throttles some per account (DescribeStreamSummary: 20 a second). A failure that may pass is therefore tried again, after
 * random pauses, for 30 s in all. Any other failure ends the start at once, so that ECS shows the cause and not a
 * time-out.
 */
export class StartUp {
  readonly #logger: Logger;
  readonly #deadlineMs: number;

  constructor(logger: Logger, startWithinMs = START_WITHIN_MS) {
    this.#logger = logger;
    this.#deadlineMs = performance.now() + startWithinMs;
  }

  /** @throws what `call` throws, when it will not pass or the time is over */
  async attempt<T>(what: string, call: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await call();
      } catch (error) {
        const pauseMs = Math.random() * Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt);
        const isInTime = performance.now() + pauseMs < this.#deadlineMs;
        if (!isPassing(error) || !isInTime) throw error;
        this.#logger.warn('start-up call failed, trying again', {
          event: 'start_up_retry',
          what,
          attempt,
          error,
        });
        await sleep(pauseMs);
      }
    }
  }
}

/**
 * Names from the services' API references and "Common errors" (read 2026-11-27). Missing credentials count as passing,
 * because the endpoint that a task gets them from is throttled as well.
 */
const PASSING =
  /Throttl|TooManyRequests|LimitExceeded|ThroughputExceeded|SlowDown|ServiceUnavailable|Internal|RequestTimeout|^CredentialsProviderError$/;

/** @returns whether the same call may succeed a moment later; the innermost cause decides */
export function isPassing(error: unknown): boolean {
  const { cause } = error as { cause?: unknown };
  if (cause instanceof Error) return isPassing(cause);
  if (error instanceof ServiceError) return error.retryable;
  if (!(error instanceof Error)) return false;
  const { $fault } = error as Error & { $fault?: unknown };
  return $fault === 'server' || PASSING.test(error.name) || isUnreachable(error);
}
