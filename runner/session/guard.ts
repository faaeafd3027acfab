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
 * The wall around one session. Everything it does runs inside, each listener and each asynchronous step, so that a
 * defect ends that session and no other. What escapes all the same (a callback of a socket, a timer, a promise that
 * nobody awaits) still knows which session it belongs to: `LastResort` brings it back here.
 */
export class SessionGuard {
  #options: GuardOptions | undefined;
  #isTold = false;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** Runs something of the session now; whatever it starts belongs to the session too. */
  run(step: () => void): void {
    current.run(this, () => this.listener(step)());
  }

  /** Runs an asynchronous step; whatever it starts belongs to the session too. Never rejects. */
  async step(step: () => Promise<void>): Promise<void> {
    await current.run(this, step).catch((error: unknown) => this.broke(error, 'step'));
  }

  /** Wraps a listener. It needs no context: the socket or timer that calls it has the session's. */
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

  /** A defect in the care of this session. The first is counted and logged: the others come in its wake. */
  broke(error: unknown, place: DefectPlace): void {
    const options = this.#options;
    if (options === undefined) return;
    if (!this.#isTold) {
      this.#isTold = true;
      options.metrics.count('SessionDefects');
      options.logger.error('defect', { event: 'defect', place, error });
    }
    options.onDefect(place);
  }

  /** The session is over. Sockets and timers that outlive it keep this object, but not the session, in memory. */
  close(): void {
    this.#options = undefined;
  }
}

/** Wraps every listener that is added to a session's emitter from now on. Such a listener cannot be taken off. */
export function guardListeners(emitter: object, guard: SessionGuard): void {
  const { on: add } = emitter as Pick<EventEmitter, 'on'>;
  const on = add.bind(emitter as EventEmitter);
  const guarded = (name: string, listener: Listener) => on(name, guard.listener(listener));
  Object.assign(emitter, { on: guarded });
}

type Listener = (...told: unknown[]) => void;

/** The session that the running code belongs to. Node carries it along into callbacks, timers and promises. */
const current = new AsyncLocalStorage<SessionGuard>();

/** So many defects of no session in STRAY_WINDOW_MS: this process is not to be trusted any more. */
const MAX_STRAY = 5;
const STRAY_WINDOW_MS = 60_000;

/**
 * Takes what nobody caught: the session that it belongs to ends, the task stays. What belongs to no session is
 * counted and logged; several of those in a minute give the task up.
 */
export class LastResort {
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #giveUp: () => void;
  #strayAtMs: readonly number[] = [];
  readonly #handle = (error: unknown) => this.#uncaught(error);

  /** @param giveUp called once */
  constructor(logger: Logger, metrics: Metrics, giveUp: () => void) {
    this.#logger = logger;
    this.#metrics = metrics;
    this.#giveUp = giveUp;
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
    // Exactly once: a second signal would hurry the hand-over that the first one began.
    if (recent.length + 1 === MAX_STRAY) this.#giveUp();
  }
}
