import type { Socket } from 'node:net';
import { HttpsProxyAgent } from 'https-proxy-agent';
import WebSocket from 'ws';
import {
  MAX_UNSENT_BYTES,
  MUCH_BYTES,
  type Wire,
  type WireHandlers,
  type WireOptions,
  type WireState,
} from './wire.ts';

const STATES = ['connecting', 'open', 'closing', 'closed'] as const;

/** A WebSocket by `ws`: the reference for `lean-wire.ts`, and the way through a proxy. */
export class WsWire implements Wire {
  readonly #ws: WebSocket;
  readonly #handlers: WireHandlers;
  #wasOpen = false;
  #socket: Socket | undefined;
  #readBytes = 0;

  /**
   * @param proxyUrl `http://host:port` of a forward proxy
   * @throws SyntaxError when `url` is no WebSocket address
   */
  constructor(url: string, options: WireOptions, handlers: WireHandlers, proxyUrl?: string) {
    this.#handlers = handlers;
    this.#ws = new WebSocket(url, {
      perMessageDeflate: false,
      maxPayload: options.maxMessageBytes,
      handshakeTimeout: options.connectTimeoutMs,
      // The codec reports a message with broken UTF-8. ws would end the connection because of it.
      skipUTF8Validation: true,
      // ws would answer every ping, also for a server that reads no answers.
      autoPong: false,
      ...(options.ca !== undefined && { ca: options.ca }),
      ...(proxyUrl !== undefined && { agent: new HttpsProxyAgent(proxyUrl) }),
    });
    this.#ws.on('upgrade', ({ socket }) => {
      this.#socket = socket;
    });
    this.#ws.on('open', () => {
      this.#wasOpen = true;
      handlers.opened();
    });
    this.#ws.on('message', (data: Buffer) => handlers.message(data));
    this.#ws.on('ping', (data) => {
      if (this.#ws.bufferedAmount < MAX_UNSENT_BYTES) this.#ws.pong(data);
    });
    this.#ws.on('error', (error: Error & { code?: string }) => this.#onError(error));
    this.#ws.on('close', (closeCode) => handlers.closed(closeCode));
  }

  get state(): WireState {
    return STATES[this.#ws.readyState];
  }

  get unsentBytes(): number {
    return this.#ws.bufferedAmount;
  }

  mayHaveMore(): boolean {
    const { bytesRead = 0, readableEnded } = this.#socket ?? {};
    const bytes = bytesRead - this.#readBytes;
    this.#readBytes = bytesRead;
    const isOver = this.state !== 'open' || readableEnded === true;
    return isOver || this.#socket?.isPaused() === true || bytes >= MUCH_BYTES;
  }

  send(text: string): void {
    this.#ws.send(text);
  }

  close(closeCode: number): void {
    this.#ws.close(closeCode);
  }

  terminate(): void {
    this.#ws.terminate();
  }

  #onError(error: Error & { code?: string }): void {
    if (!this.#wasOpen) {
      const isLate = error.message === 'Opening handshake has timed out';
      this.#handlers.trouble(isLate ? 'connect_timeout' : 'connect_failed', error);
    } else if (error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') {
      this.#handlers.trouble('message_too_large', error);
    } else if (error.code?.startsWith('WS_ERR_')) this.#handlers.trouble('protocol_error', error);
    else this.#handlers.trouble('broken', error);
    this.#ws.terminate();
  }
}
