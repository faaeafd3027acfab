import { STOP_REASON } from '../rtms/protocol/stop-reason.ts';
import type { Cancel, Clock } from './clock.ts';
import type { ConnectionEnd } from './sockets/connection.ts';
import type { LinkKey } from './sockets/stream-client.ts';

type WindowName = 'connect' | 'signaling' | LinkKey;

/** How long a stream waits for its client. The first window that runs out ends the stream. */
export class Windows {
  readonly #clock: Clock;
  readonly #expired: (stopReason: number) => void;
  readonly #open = new Map<WindowName, Cancel>();

  constructor(clock: Clock, expired: (stopReason: number) => void) {
    this.#clock = clock;
    this.#expired = expired;
  }

  get isEmpty(): boolean {
    return this.#open.size === 0;
  }

  /** @param stopReason called when the time is up */
  open(name: WindowName, durationMs: number, stopReason: () => number): void {
    this.close(name);
    this.#open.set(
      name,
      this.#clock.after(durationMs, () => this.#expired(stopReason())),
    );
  }

  close(name: WindowName): void {
    this.#open.get(name)?.();
    this.#open.delete(name);
  }

  closeAll(): void {
    for (const name of [...this.#open.keys()]) this.close(name);
  }
}

/** STOP_REASON when the client does not come back, by how its signaling connection ended. The mapping is inferred. */
export const SIGNALING_LOST: Readonly<Record<ConnectionEnd, number>> = {
  client_closed: STOP_REASON.SIGNAL_CONNECTION_INTERRUPTED,
  client_vanished: STOP_REASON.SIGNAL_CONNECTION_CLOSED_ABNORMALLY,
  keep_alive: STOP_REASON.KEEP_ALIVE_TIMEOUT,
  server_closed: STOP_REASON.AWAIT_RECONNECTION_TIMEOUT,
  server_cut: STOP_REASON.AWAIT_RECONNECTION_TIMEOUT,
};

/** The same for a media connection. */
export const MEDIA_LOST: Readonly<Record<ConnectionEnd, number>> = {
  client_closed: STOP_REASON.DATA_CONNECTION_INTERRUPTED,
  client_vanished: STOP_REASON.DATA_CONNECTION_CLOSED_ABNORMALLY,
  keep_alive: STOP_REASON.KEEP_ALIVE_TIMEOUT,
  server_closed: STOP_REASON.AWAIT_RECONNECTION_TIMEOUT,
  server_cut: STOP_REASON.AWAIT_RECONNECTION_TIMEOUT,
};
