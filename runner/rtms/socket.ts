import { HttpsProxyAgent } from 'https-proxy-agent';
import WebSocket from 'ws';
import { ServiceError } from '../../shared/errors.ts';

export interface SocketOptions {
  /** TCP, TLS and HTTP upgrade together, ms. */
  readonly connectTimeoutMs: number;
  /** Silence after which a socket counts as dead, ms. */
  readonly watchdogMs: number;
  /** Certificates to trust instead of Node's, PEM. */
  readonly ca?: string | Buffer | undefined;
  /** `http://host:port` of a forward proxy. */
  readonly proxyUrl?: string | undefined;
  /** Unix ms. */
  readonly now: () => number;
}

export type SocketEnd =
  | 'connect_failed'
  | 'connect_timeout'
  | 'connection_closed'
  | 'watchdog'
  | 'message_too_large'
  | 'protocol_error';

/** How a socket ended, told exactly once. */
export interface SocketClosed {
  readonly end: SocketEnd;
  readonly closeCode: number;
  /** The first sign of trouble, Unix ms: of a silent socket the last message, else now. */
  readonly sinceMs: number;
  readonly error: ServiceError | undefined;
}

export interface SocketHandlers {
  opened(): void;
  /** One WebSocket message, text or binary. `data` is only valid during the call. */
  message(data: Buffer, receivedAtMs: number): void;
  closed(info: SocketClosed): void;
}

/** A QHD share as PNG exceeds 2 MB, base64 adds a third. */
export const MAX_MESSAGE_BYTES = 8 * 1024 * 1024;

const WATCHDOG_TICKS = 7;

/**
 * One WebSocket to Zoom: connect deadline, watchdog, size limit, close handshake. Lives from construction
 * to its one call of `closed`; a new connection is a new socket.
 */
export class Socket {
  readonly #ws: WebSocket | undefined;
  readonly #options: SocketOptions;
  readonly #handlers: SocketHandlers;
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
    this.#lastMessageMs = options.now();
    try {
      this.#ws = new WebSocket(url, {
        perMessageDeflate: false,
        maxPayload: MAX_MESSAGE_BYTES,
        handshakeTimeout: options.connectTimeoutMs,
        // Broken UTF-8 spoils one message, which the codec reports; ws would drop the connection.
        skipUTF8Validation: true,
        ...(options.ca !== undefined && { ca: options.ca }),
        ...(options.proxyUrl !== undefined && { agent: new HttpsProxyAgent(options.proxyUrl) }),
      });
    } catch (cause) {
      this.#error = new ServiceError('rtms/connect-failed', 'not a WebSocket address', { cause });
      queueMicrotask(() => this.#onClose(1006));
      return;
    }
    this.#ws.on('open', () => this.#onOpen());
    this.#ws.on('message', (data: Buffer) => this.#onMessage(data));
    this.#ws.on('error', (error: Error & { code?: string }) => this.#onError(error));
    this.#ws.on('close', (code) => this.#onClose(code));
  }

  /** When the last message arrived, or the socket was opened, Unix ms. */
  get lastHeardMs(): number {
    return this.#lastMessageMs;
  }

  /** Sends a text message; silently nothing once the socket is closing. */
  send(text: string): void {
    if (this.#ws?.readyState === WebSocket.OPEN) this.#ws.send(text);
  }

  /**
   * Closes with the WebSocket handshake and keeps delivering messages until Zoom's close frame arrives, so
   * that frames in flight are not lost.
   *
   * @returns when the socket is closed, at the latest after `timeoutMs`
   */
  close(timeoutMs: number): Promise<void> {
    if (this.#ws === undefined || this.#ws.readyState === WebSocket.CLOSED) {
      return this.#closed.promise;
    }
    if (this.#ws.readyState === WebSocket.CONNECTING) this.#ws.terminate();
    else {
      this.#ws.close(1000);
      const timer = setTimeout(() => this.#ws?.terminate(), timeoutMs);
      void this.#closed.promise.then(() => clearTimeout(timer));
    }
    return this.#closed.promise;
  }

  #onOpen(): void {
    this.#end = 'connection_closed';
    this.#lastMessageMs = this.#options.now();
    this.#watchdog = setInterval(
      () => this.#watch(),
      Math.ceil(this.#options.watchdogMs / WATCHDOG_TICKS),
    );
    this.#handlers.opened();
  }

  #onMessage(data: Buffer): void {
    this.#heard = true;
    this.#lastMessageMs = this.#options.now();
    this.#handlers.message(data, this.#lastMessageMs);
  }

  /** Counts ticks, not time: after a pause of this process the messages that waited come first. */
  #watch(): void {
    this.#silentTicks = this.#heard ? 0 : this.#silentTicks + 1;
    this.#heard = false;
    if (this.#silentTicks < WATCHDOG_TICKS - 1) return;
    this.#end = 'watchdog';
    this.#error = new ServiceError('rtms/connection-lost', 'no keep alive and no data');
    this.#ws?.terminate();
  }

  #onError(cause: Error & { code?: string }): void {
    if (this.#end === 'connection_closed') this.#onBrokenMessage(cause);
    else if (this.#end === 'connect_failed') {
      if (cause.message === 'Opening handshake has timed out') this.#end = 'connect_timeout';
      this.#error = new ServiceError('rtms/connect-failed', 'could not connect', {
        cause,
        detail: { end: this.#end },
      });
    }
    this.#ws?.terminate();
  }

  #onBrokenMessage(cause: Error & { code?: string }): void {
    if (cause.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') {
      this.#end = 'message_too_large';
      this.#error = new ServiceError('rtms/message-too-large', 'message over the limit', {
        cause,
        detail: { maxBytes: MAX_MESSAGE_BYTES },
      });
      return;
    }
    if (cause.code?.startsWith('WS_ERR_')) this.#end = 'protocol_error';
    this.#error = new ServiceError('rtms/connection-lost', 'connection broken', { cause });
  }

  #onClose(closeCode: number): void {
    clearInterval(this.#watchdog);
    const silent = this.#end === 'watchdog';
    this.#handlers.closed({
      end: this.#end,
      closeCode,
      sinceMs: silent ? this.#lastMessageMs : this.#options.now(),
      error: this.#error,
    });
    this.#closed.resolve();
  }
}
