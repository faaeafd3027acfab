import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../command.ts';
import type { Meetings } from './meetings.ts';

/** A new line is told of within about this time after it can be read. */
const POLL_MS = 1_000;
const MAX_POLL_MS = 30_000;
/** Meetings that are watched at once, by all clients together: each costs a call of Kinesis a second. */
const MOST_WATCHED = 16;

interface Watched {
  readonly listeners: Set<() => void>;
  readonly stop: AbortController;
}

/** Reads the meetings that clients have subscribed to, each once for all of them, and tells when there are new lines. */
export class Watcher {
  readonly #meetings: Meetings;
  readonly #context: Context;
  readonly #watched = new Map<string, Watched>();

  constructor(meetings: Meetings) {
    this.#meetings = meetings;
    this.#context = meetings.context;
  }

  /**
   * Calls the listener for each reading that has brought new lines.
   *
   * @param id of a meeting in scope
   * @returns ends it; undefined when there are too many
   */
  watch(id: string, listener: () => void): (() => void) | undefined {
    const watched = this.#watched.get(id) ?? this.#begin(id);
    if (watched === undefined) return undefined;
    watched.listeners.add(listener);
    return () => {
      watched.listeners.delete(listener);
      if (watched.listeners.size > 0 || this.#watched.get(id) !== watched) return;
      this.#watched.delete(id);
      watched.stop.abort();
    };
  }

  #begin(id: string): Watched | undefined {
    if (this.#watched.size >= MOST_WATCHED) return undefined;
    const watched = { listeners: new Set<() => void>(), stop: new AbortController() };
    this.#watched.set(id, watched);
    void this.#follow(id, watched);
    return watched;
  }

  async #follow(id: string, { listeners, stop }: Watched): Promise<void> {
    const signal = AbortSignal.any([this.#context.signal, stop.signal]);
    let known: number | undefined;
    let pauseMs = POLL_MS;
    while (!signal.aborted) {
      try {
        const { log } = await this.#meetings.open(id, signal);
        const isNew = known !== undefined && log.count > known;
        known = log.count;
        pauseMs = POLL_MS;
        if (isNew && !signal.aborted) for (const listener of listeners) listener();
      } catch (error) {
        // Whatever it is, it may pass: the stream is throttled, the credentials are renewed.
        pauseMs = Math.min(pauseMs * 2, MAX_POLL_MS);
        const why = error instanceof Error ? error.message : String(error);
        this.#context.output.note(`watching goes on in ${pauseMs / 1_000} s: ${why}`);
      }
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
