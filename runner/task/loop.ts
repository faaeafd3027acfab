import type { Logger } from '../../shared/logger.ts';

/**
 * Resolves after `ms`, or as soon as `signal` aborts; never rejects. Made of the global timer, which tests can set
 * forward, unlike that of `node:timers/promises`.
 */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const wake = () => resolve();
  const timer = setTimeout(wake, ms);
  signal?.addEventListener('abort', wake, { once: true });
  await promise;
  clearTimeout(timer);
  signal?.removeEventListener('abort', wake);
}

/** A loop counts as hung when its next beat is this late. The longest healthy step is the 20 s long poll. */
const HUNG_AFTER_MS = 60_000;

/** The endless loops of one task. Each gives a beat, its sign of life, with every step; `/healthz` looks at the beats. */
export class Loops {
  readonly #logger: Logger;
  readonly #nextBeatAtMs = new Map<string, number>();
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>[] = [];

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /**
   * Runs one step after another. A step that fails is logged, and the next one comes after the same pause.
   *
   * @param name names the loop in the log and in `/healthz`
   * @param intervalMs pause between the end of one step and the start of the next
   */
  start(name: string, intervalMs: number, step: () => Promise<void>): void {
    this.follow(name, this.#repeat(name, intervalMs, step));
  }

  /** Takes in a loop that gives its beats and ends by itself. */
  follow(name: string, running: Promise<void>): void {
    // A loop that has ended is not missed.
    this.#running.push(running.finally(() => this.#nextBeatAtMs.delete(name)));
  }

  /** @param pauseMs how long the loop rests before its next beat */
  beat(name: string, pauseMs: number): void {
    this.#nextBeatAtMs.set(name, performance.now() + pauseMs);
  }

  /** @returns the names of the loops that hang */
  hung(): string[] {
    const nowMs = performance.now();
    return [...this.#nextBeatAtMs]
      .filter(([, atMs]) => nowMs - atMs > HUNG_AFTER_MS)
      .map(([name]) => name);
  }

  /** Ends all loops. @returns when the last step is over */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#running);
  }

  async #repeat(name: string, intervalMs: number, step: () => Promise<void>): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      this.beat(name, intervalMs);
      try {
        await step();
      } catch (error) {
        this.#logger.warn('step of a loop failed', { event: 'step_failed', loop: name, error });
      }
      await sleep(intervalMs, signal);
    }
  }
}
