import { ServiceError } from '../../shared/errors.ts';
import { LeanWire } from './lean-wire.ts';
import type { FollowedSocket, SocketFollower } from './standstills.ts';
import type { ReadMeter, ReadRest, Wire, WireHandlers, WireTrouble } from './wire.ts';
import { WsWire } from './ws-wire.ts';

export interface SocketOptions {
  /** What speaks WebSocket: our own code, or `ws`, which also knows proxies. */
  readonly webSocket: 'lean' | 'ws';
  /** Limit for TCP, TLS and HTTP upgrade together, ms. */
  readonly connectTimeoutMs: number;
  /** Silence after which a socket counts as dead, ms. */
  readonly watchdogMs: number;
  readonly rest: ReadRest;
  readonly meter?: ReadMeter | undefined;
  /** Certificates to trust instead of Node's, PEM. */
  readonly ca?: string | Buffer | undefined;
  /** `http://host:port` of a forward proxy. */
  readonly proxyUrl?: string | undefined;
  /** Unix ms. */
  readonly now: () => number;
  /** Monotonic ms. */
  readonly clock: () => number;
  /** See `RtmsClientOptions`. */
  readonly standstills: SocketFollower | undefined;
}

export type SocketEnd =
  | 'connect_failed'
  | 'connect_timeout'
  | 'connection_closed'
  | 'watchdog'
  | 'not_reading'
  | 'message_too_large'
  | 'protocol_error';

/** How a socket ended. Told exactly once. */
export interface SocketClosed {
  readonly end: SocketEnd;
  readonly closeCode: number;
  /** The first sign of trouble, monotonic ms: for a silent socket its last message, otherwise now. */
  readonly sinceMs: number;
  /** Until when it is known to have been there, monotonic ms, where its end was noticed late: by silence, or after a standstill. */
  readonly goneMs: number | undefined;
  readonly error: ServiceError | undefined;
}

/** What a socket tells its owner: `opened` once at most, then messages, and `closed` once. */
export interface SocketHandlers {
  opened(): void;
  /** One WebSocket message, text or binary. `data` is only valid during the call. */
  message(data: Buffer, receivedAtMs: number): void;
  closed(info: SocketClosed): void;
}

/** A QHD share as PNG is larger than 2 MB, and base64 adds a third. */
export const MAX_MESSAGE_BYTES = 8 * 1024 * 1024;

/**
 * About 2,000 answers to keep-alives, those of several hours. A server that has received none of them does not read; if
 * it went on asking, the answers would fill our memory.
 */
const MAX_UNREAD_BYTES = 128 * 1024;

/** The watchdog looks this often within `watchdogMs`. */
const WATCHDOG_TICKS = 7;

/**
 * One WebSocket to Zoom, with connect deadline, watchdog, size limit and close handshake. It lives from its construction
 * to its one call of `closed`; a new connection is a new socket.
 */
export class Socket {
  readonly #wire: Wire | undefined;
  readonly #options: SocketOptions;
  readonly #handlers: SocketHandlers;
  readonly #followed: FollowedSocket | undefined;
  readonly #closed = Promise.withResolvers<void>();
  #watchdog: NodeJS.Timeout | undefined;
  #heard = true;
  #silentTicks = 0;
  #lastMessageMs: number;
  #end: SocketEnd = 'connect_failed';
  #error: ServiceError | undefined;

  constructor(url: string, options: SocketOptions, handlers: SocketHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#lastMessageMs = options.clock();
    this.#followed = options.standstills?.follow({
      mayHaveMore: () => this.#wire?.mayHaveMore() ?? false,
    });
    try {
      this.#wire = openWire(url, options, {
        opened: () => this.#onOpen(),
        message: (data) => this.#onMessage(data),
        trouble: (trouble, cause) => this.#onTrouble(trouble, cause),
        closed: (closeCode) => this.#onClose(closeCode),
      });
    } catch (cause) {
      this.#error = new ServiceError('rtms/connect-failed', 'not a WebSocket address', { cause });
      queueMicrotask(() => this.#onClose(1006));
    }
  }

  /** When the last message arrived, or the socket was opened, monotonic ms. */
  get lastHeardMs(): number {
    return this.#lastMessageMs;
  }

  /** Sends a text message. Does nothing once the socket is closing. */
  send(text: string): void {
    const wire = this.#wire;
    if (wire?.state !== 'open') return;
    if (wire.unsentBytes < MAX_UNREAD_BYTES) wire.send(text);
    else this.#fail('not_reading', 'the server does not read our answers');
  }

  /**
   * Closes with the WebSocket handshake. Messages are delivered until Zoom's close frame arrives, so that frames in flight
   * are not lost.
   *
   * @returns when the socket is closed, at the latest after `timeoutMs`
   */
  close(timeoutMs: number): Promise<void> {
    const wire = this.#wire;
    if (wire === undefined || wire.state === 'closed') return this.#closed.promise;
    if (wire.state === 'connecting') wire.terminate();
    else {
      wire.close(1000);
      const timer = setTimeout(() => wire.terminate(), timeoutMs);
      void this.#closed.promise.then(() => clearTimeout(timer));
    }
    return this.#closed.promise;
  }

  #onOpen(): void {
    this.#end = 'connection_closed';
    this.#lastMessageMs = this.#options.clock();
    this.#watchdog = setInterval(
      () => this.#watch(),
      Math.ceil(this.#options.watchdogMs / WATCHDOG_TICKS),
    );
    this.#handlers.opened();
  }

  #onMessage(data: Buffer): void {
    this.#heard = true;
    this.#lastMessageMs = this.#options.clock();
    this.#handlers.message(data, this.#options.now());
  }

  /** Counts ticks and not time: after a pause of this process, messages that waited are read before the next tick. */
  #watch(): void {
    this.#silentTicks = this.#heard ? 0 : this.#silentTicks + 1;
    this.#heard = false;
    if (this.#silentTicks < WATCHDOG_TICKS - 1) return;
    this.#fail('watchdog', 'neither keep-alive nor data came');
  }

  #fail(end: SocketEnd, what: string): void {
    this.#end = end;
    this.#error = new ServiceError('rtms/connection-lost', what);
    this.#wire?.terminate();
  }

  #onTrouble(trouble: WireTrouble, cause: Error): void {
    switch (trouble) {
      case 'connect_failed':
      case 'connect_timeout':
        this.#end = trouble;
        this.#error = new ServiceError('rtms/connect-failed', 'could not connect', {
          cause,
          detail: { end: trouble },
        });
        return;
      case 'message_too_large':
        this.#end = trouble;
        this.#error = new ServiceError('rtms/message-too-large', 'message over the limit', {
          cause,
          detail: { maxBytes: MAX_MESSAGE_BYTES },
        });
        return;
      case 'protocol_error':
        this.#end = trouble;
        break;
      case 'broken':
        break;
    }
    this.#error ??= new ServiceError('rtms/connection-lost', 'connection broken', { cause });
  }

  #onClose(closeCode: number): void {
    clearInterval(this.#watchdog);
    const silent = this.#end === 'watchdog';
    const sinceMs = silent ? this.#lastMessageMs : this.#options.clock();
    const untilMs = this.#followed?.knownUntil(sinceMs) ?? sinceMs;
    this.#followed?.end();
    this.#handlers.closed({
      end: this.#end,
      closeCode,
      sinceMs,
      goneMs: silent || untilMs < sinceMs ? untilMs : undefined,
      error: this.#error,
    });
    this.#closed.resolve();
  }
}

function openWire(url: string, options: SocketOptions, handlers: WireHandlers): Wire {
  const { webSocket, connectTimeoutMs, rest, meter, ca, proxyUrl } = options;
  const wireOptions = { connectTimeoutMs, maxMessageBytes: MAX_MESSAGE_BYTES, rest, meter, ca };
  return webSocket === 'ws' || proxyUrl !== undefined
    ? new WsWire(url, wireOptions, handlers, proxyUrl)
    : new LeanWire(url, wireOptions, handlers);
}
