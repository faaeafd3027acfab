import { createSecureContext } from 'node:tls';
import { type Answered, HttpCall, type HttpRequest } from './http-call.ts';
import { type ConnectionOwner, KeptConnection, type Origin } from './kept-connection.ts';

export interface ConnectionLimits {
  /** Most connections at once; calls beyond them wait. */
  readonly maxConnections: number;
  /** Until TCP is connected. */
  readonly connectTimeoutMs: number;
  /** A connection that has had no call for that long is closed. */
  readonly idleMs: number;
}

/** The kept connections to one origin. */
export class ConnectionPool {
  readonly #limits: ConnectionLimits;
  readonly #owner: ConnectionOwner;
  readonly #all = new Set<KeptConnection>();
  /** The last one to rest is the first to be used, so that those that are not needed get no calls and close. */
  readonly #free: KeptConnection[] = [];
  readonly #waiting: HttpCall[] = [];
  #isDestroyed = false;

  constructor(origin: Origin, limits: ConnectionLimits) {
    this.#limits = limits;
    this.#owner = {
      origin,
      readBuffer: Buffer.allocUnsafeSlow(64 * 1024),
      connectTimeoutMs: limits.connectTimeoutMs,
      idleMs: limits.idleMs,
      secureContext: origin.isTls ? createSecureContext() : undefined,
      session: undefined,
      free: (connection) => {
        const call = this.#nextWaiting();
        if (call) connection.run(call);
        else this.#free.push(connection);
      },
      closed: (connection) => {
        this.#all.delete(connection);
        const at = this.#free.indexOf(connection);
        if (at >= 0) this.#free.splice(at, 1);
        const call = this.#nextWaiting();
        if (call) this.#start(call);
      },
    };
  }

  /**
   * Makes one call.
   *
   * @throws Error `TimeoutError` or `BadAnswerError`, or of the socket; the reason of its signal; what `beforeWrite` threw
   */
  call(request: HttpRequest): Promise<Answered> {
    const call = new HttpCall(request);
    if (!call.isOver) this.#start(call);
    return call.promise;
  }

  /** Ends every call and connection. */
  destroy(): void {
    this.#isDestroyed = true;
    for (const connection of this.#all) connection.destroy();
  }

  #start(call: HttpCall): void {
    if (this.#isDestroyed) {
      call.fail(new Error('the connections are closed'));
      return;
    }
    const kept = this.#free.pop();
    if (kept) {
      kept.run(call);
      return;
    }
    if (this.#all.size >= this.#limits.maxConnections) {
      this.#waiting.push(call);
      return;
    }
    const connection = new KeptConnection(this.#owner);
    this.#all.add(connection);
    connection.run(call);
  }

  #nextWaiting(): HttpCall | undefined {
    for (let call = this.#waiting.shift(); call; call = this.#waiting.shift()) {
      if (!call.isOver) return call;
    }
    return undefined;
  }
}
