import { AsyncLocalStorage } from 'node:async_hooks';
import type { EventEmitter } from 'node:events';
import type { Logger } from '../../shared/logger.ts';
import type { Metrics } from '../../shared/metrics.ts';

/** Where a defect came up: in a listener, in an asynchronous step, or where nobody caught it. */
export type DefectPlace = 'listener' | 'step' | 'uncaught';

export interface GuardOptions {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly onDefect: (place: DefectPlace) => void;
}

/**
 * Keeps the defects of one session from all others. Every listener and every asynchronous step of the session runs in
 * here; one that throws ends this session alone. An error that escapes (from a callback of a socket, a timer, a promise
 * that nobody awaits) still carries its session in Node's async context, and `LastResort` hands it over to this guard.
 */
export class SessionGuard {
  #options: GuardOptions | undefined;
  #isLogged = false;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** Runs a step of the session now. Callbacks and timers that the step starts belong to the session too. */
  run(step: () => void): void {
    current.run(this, () => this.listener(step)());
  }

  /** Runs an asynchronous step, in the same way. Never rejects. */
  async step(step: () => Promise<void>): Promise<void> {
    await current.run(this, step).catch((error: unknown) => this.broke(error, 'step'));
  }

  /** Wraps a listener. The socket or timer that calls the listener already runs in the session's context. */
  listener<Arguments extends unknown[]>(
    handle: (...told: Arguments) => void,
  ): (...told: Arguments) => void {
    return (...told) => {
      try {
        handle(...told);
      } catch (error) {
        this.broke(error, 'listener');
      }
    };
  }

  /** Tells the session of a defect. Only the first is counted and logged: later ones mostly follow from it. */
  broke(error: unknown, place: DefectPlace): void {
    const options = this.#options;
    if (options === undefined) return;
    if (!this.#isLogged) {
      this.#isLogged = true;
      options.metrics.count('SessionDefects');
      options.logger.error('defect', { event: 'defect', place, error });
    }
    options.onDefect(place);
  }

  /** Lets go of the session: sockets and timers that outlive it keep this object in memory, but not the session. */
  close(): void {
    this.#options = undefined;
  }
}

/** Wraps every listener that is added to a session's emitter from now on. Such a listener cannot be removed. */
export function guardListeners(emitter: object, guard: SessionGuard): void {
  const { on: add } = emitter as Pick<EventEmitter, 'on'>;
  const on = add.bind(emitter as EventEmitter);
  const guarded = (name: string, listener: Listener) => on(name, guard.listener(listener));
  Object.assign(emitter, { on: guarded });
}

type Listener = (...told: unknown[]) => void;

/** The session that the running code belongs to. Node passes it on to callbacks, timers and promises. */
const current = new AsyncLocalStorage<SessionGuard>();

/** After this many defects of no session within STRAY_WINDOW_MS this process is not trusted any more. */
const MAX_STRAY = 5;
const STRAY_WINDOW_MS = 60_000;

/**
 * Handles errors that nobody caught. An error of a session ends that session, and the task goes on. An error of no
 * session is counted and logged; several of those within a minute end the task.
 */
export class LastResort {
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #stopTask: () => void;
  #strayAtMs: readonly number[] = [];
  readonly #handle = (error: unknown) => this.#uncaught(error);

  /** @param stopTask called once, when this process cannot be trusted any more */
  constructor(logger: Logger, metrics: Metrics, stopTask: () => void) {
    this.#logger = logger;
    this.#metrics = metrics;
    this.#stopTask = stopTask;
  }

  install(): void {
    process.on('uncaughtException', this.#handle);
    process.on('unhandledRejection', this.#handle);
  }

  uninstall(): void {
    process.off('uncaughtException', this.#handle);
    process.off('unhandledRejection', this.#handle);
  }

  #uncaught(error: unknown): void {
    const guard = current.getStore();
    if (guard !== undefined) {
      guard.broke(error, 'uncaught');
      return;
    }
    this.#metrics.count('SessionDefects');
    this.#logger.error('defect of no session', { event: 'defect', place: 'uncaught', error });
    const nowMs = performance.now();
    const recent = this.#strayAtMs.filter((atMs) => nowMs - atMs < STRAY_WINDOW_MS);
    this.#strayAtMs = [...recent, nowMs];
    // Once only: a second request to stop would move the flush deadline of the first one to now.
    if (recent.length + 1 === MAX_STRAY) this.#stopTask();
  }
}
