import { randomBytes } from 'node:crypto';
import { connect as connectTcp, isIP, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { encodeClientFrame, type FrameViolation, WebSocketReader } from './frame-reader.ts';
import { ReadPace } from './read-pace.ts';
import { sharedReading } from './shared-reading.ts';
import { upgradeRefusal, upgradeRequest } from './upgrade.ts';
import {
  MAX_UNSENT_BYTES,
  type ReadMeter,
  type Wire,
  type WireHandlers,
  type WireOptions,
  type WireState,
} from './wire.ts';

/** The most bytes of an HTTP answer to the upgrade. */
const MAX_HEAD_BYTES = 16 * 1024;
/** How long to wait for the server to close the TCP connection after both close frames. */
const GOODBYE_MS = 2_000;

/**
 * A WebSocket client (RFC 6455) without extensions and subprotocols, as Zoom's servers want it. Its socket reads into
 * the buffer that all sockets share, so a message costs no stream, no event and no copy. `ws-wire.ts` does the same
 * with `ws`; `npm run bench` compares the two. Why we have our own: docs/adr/0010-our-own-websocket-client.md.
 */
export class LeanWire implements Wire {
  readonly #handlers: WireHandlers;
  readonly #socket: Socket;
  readonly #key: string = randomBytes(16).toString('base64');
  readonly #reader: WebSocketReader;
  readonly #pace: ReadPace;
  readonly #meter: ReadMeter | undefined;
  #state: WireState = 'connecting';
  /** The HTTP answer so far, while it is incomplete. */
  #head: Buffer = Buffer.alloc(0);
  #closeCode = 1006;
  #sentClose = false;
  #gotClose = false;
  #hasEnded = false;
  #timer: NodeJS.Timeout | undefined;
  #isReading = false;
  /** What is sent during a read is written at its end. */
  #isCorked = false;
  /** Payload of the last ping that is not answered yet. */
  #ping: Buffer | undefined;

  /** @throws TypeError when `url` is no WebSocket address */
  constructor(url: string, options: WireOptions, handlers: WireHandlers) {
    const address = new URL(url);
    if (address.protocol !== 'wss:' && address.protocol !== 'ws:')
      throw new TypeError('not a WebSocket address');
    this.#handlers = handlers;
    this.#meter = options.meter;
    this.#reader = new WebSocketReader(options.maxMessageBytes, {
      message: (data) => {
        // The server knows by its pong how far we have read: an answer to this message must not overtake it.
        this.#answerPing();
        this.#pace.message();
        handlers.message(data);
      },
      ping: (payload) => this.#onPing(payload),
      closed: (closeCode) => this.#onCloseFrame(closeCode),
      failed: (violation) => this.#onViolation(violation),
    });
    this.#socket = this.#connect(address, options.ca);
    this.#pace = new ReadPace(this.#socket, options.rest);
    this.#socket.setNoDelay(true);
    this.#socket.on('error', (error) => this.#trouble(error));
    this.#socket.on('end', () => {
      this.#hasEnded = true;
      this.#socket.end();
    });
    this.#socket.on('close', () => this.#onClosed());
    this.#timer = setTimeout(() => this.#onTimeout(), options.connectTimeoutMs);
  }

  get state(): WireState {
    return this.#state;
  }

  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  mayHaveMore(): boolean {
    return this.#state !== 'open' || this.#hasEnded || this.#pace.mayHaveMore();
  }

  send(text: string): void {
    this.#sendFrame('text', Buffer.from(text));
  }

  close(closeCode: number): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#sendClose(closeCode);
    this.#pace.stop();
  }

  terminate(): void {
    this.#reader.stop();
    this.#socket.destroy();
  }

  #connect(address: URL, ca: string | Buffer | undefined): Socket {
    const isSecure = address.protocol === 'wss:';
    const host = address.hostname.replace(/^\[|\]$/g, '');
    const port = Number(address.port) || (isSecure ? 443 : 80);
    const onread: OnReadOpts = {
      buffer: sharedReading.buffer,
      callback: (length) => {
        // Twice a read, not for each message: beside a read the clock costs nothing.
        const sinceMs = performance.now();
        try {
          this.#pace.begin();
          this.#onRead(length);
        } finally {
          this.#endRead();
        }
        const nowMs = performance.now();
        if (this.#state !== 'connecting') this.#pace.read(length, nowMs - sinceMs);
        this.#measure(nowMs - sinceMs, nowMs);
        return true;
      },
    };
    const hello = () => this.#socket.write(upgradeRequest(address, this.#key));
    if (!isSecure) return connectTcp({ host, port, onread }, hello);
    // `onread` is documented for `tls.connect` but missing in its types.
    const options = {
      host,
      port,
      onread,
      servername: isIP(host) ? '' : host,
      ALPNProtocols: ['http/1.1'],
      secureContext: sharedReading.contextFor(ca),
    };
    return connectTls(options, hello);
  }

  #measure(tookMs: number, nowMs: number): void {
    const restMs = this.#meter?.(tookMs, nowMs) ?? 0;
    if (restMs > 0 && this.#state !== 'connecting') this.#pace.hold(restMs);
  }

  #onRead(length: number): void {
    this.#isReading = true;
    if (this.#state !== 'connecting') {
      this.#reader.read(sharedReading.buffer, 0, length);
      return;
    }
    const head = Buffer.concat([this.#head, sharedReading.buffer.subarray(0, length)]);
    const end = head.indexOf('\r\n\r\n');
    this.#head = head;
    if (end < 0) {
      if (head.length > MAX_HEAD_BYTES)
        this.#socket.destroy(new Error('the HTTP answer is too long'));
      return;
    }
    const refusal = upgradeRefusal(head.toString('latin1', 0, end), this.#key);
    if (refusal !== undefined) {
      this.#socket.destroy(new Error(refusal));
      return;
    }
    clearTimeout(this.#timer);
    this.#head = Buffer.alloc(0);
    this.#state = 'open';
    this.#handlers.opened();
    this.#reader.read(head, end + 4, head.length);
  }

  /** Writes all answers to one read at once: 500 pings fit in a read, and each write is a system call. */
  #endRead(): void {
    this.#answerPing();
    this.#isReading = false;
    this.#uncork();
  }

  #answerPing(): void {
    const ping = this.#ping;
    this.#ping = undefined;
    if (ping !== undefined) this.#sendFrame('pong', ping);
  }

  #uncork(): void {
    if (!this.#isCorked) return;
    this.#isCorked = false;
    this.#socket.uncork();
  }

  #onTimeout(): void {
    this.#handlers.trouble('connect_timeout', new Error('the WebSocket was not open in time'));
    this.terminate();
  }

  #trouble(cause: Error): void {
    this.#handlers.trouble(this.#state === 'connecting' ? 'connect_failed' : 'broken', cause);
  }

  /** Of several pings in a row only the last is answered (RFC 6455, section 5.5.3). */
  #onPing(payload: Buffer): void {
    if (this.#socket.writableLength < MAX_UNSENT_BYTES) this.#ping = Buffer.from(payload);
  }

  #onCloseFrame(closeCode: number): void {
    this.#gotClose = true;
    this.#closeCode = closeCode;
    this.#state = 'closing';
    this.#pace.stop();
    this.#sendClose(closeCode);
  }

  #onViolation({ closeCode, what }: FrameViolation): void {
    this.#sendClose(closeCode);
    this.#handlers.trouble(
      closeCode === 1009 ? 'message_too_large' : 'protocol_error',
      new Error(what),
    );
    this.terminate();
  }

  /** 1005 means that there was no code, so the frame is sent without one. */
  #sendClose(closeCode: number): void {
    if (!this.#sentClose) {
      this.#answerPing();
      const payload = Buffer.alloc(closeCode === 1005 ? 0 : 2);
      if (payload.length > 0) payload.writeUInt16BE(closeCode, 0);
      this.#sendFrame('close', payload);
      this.#sentClose = true;
      // The caller may destroy the socket next, which would drop what is corked.
      this.#uncork();
    }
    if (this.#gotClose) {
      this.#socket.end();
      this.#timer = setTimeout(() => this.#socket.destroy(), GOODBYE_MS);
    }
  }

  #sendFrame(opcode: 'text' | 'close' | 'pong', payload: Buffer): void {
    if (this.#sentClose || !this.#socket.writable) return;
    if (this.#isReading && !this.#isCorked) {
      this.#isCorked = true;
      this.#socket.cork();
    }
    this.#socket.write(encodeClientFrame(opcode, payload, randomBytes(4)));
  }

  #onClosed(): void {
    clearTimeout(this.#timer);
    this.#pace.stop();
    this.#state = 'closed';
    this.#handlers.closed(this.#closeCode);
  }
}
