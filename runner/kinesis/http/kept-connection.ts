import { connect as connectTcp, isIP, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext } from 'node:tls';
import { timeoutError } from '../call-deadline.ts';
import { AnswerReader, type WireAnswer } from './answer-reader.ts';
import { type HttpCall, namedAsSdk } from './http-call.ts';

/** Where to connect to. */
export interface Origin {
  readonly isTls: boolean;
  /** Name or address; an address of IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/** What a connection tells its pool, and what all connections of the pool share. */
export interface ConnectionOwner {
  readonly origin: Origin;
  /** All sockets read into it, one at a time: what is kept of it is copied before the next one reads. */
  readonly readBuffer: Buffer;
  readonly connectTimeoutMs: number;
  readonly idleMs: number;
  /** Certificates that are trusted: read once, not for each connection. */
  readonly secureContext: SecureContext | undefined;
  /** The last TLS session of this origin: the next handshake is shorter with it. None after a connection that failed. */
  session: Buffer | undefined;
  /** The connection can take the next call. */
  free(connection: KeptConnection): void;
  closed(connection: KeptConnection): void;
}

/** The other side may name its idle time-out (`keep-alive: timeout=`). Ours ends this much earlier. */
const KEEP_MARGIN_MS = 1_000;

/** One kept connection, for one call at a time. Certificate and host name are checked as `node:tls` does by default. */
export class KeptConnection {
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  readonly #reader = new AnswerReader();
  readonly #connecting: NodeJS.Timeout;
  #call: HttpCall | undefined;
  #isOpen = false;
  /** Whether the socket has taken every byte of the last request. */
  #isSent = true;

  constructor(owner: ConnectionOwner) {
    this.#owner = owner;
    const { connectTimeoutMs } = owner;
    this.#socket = this.#connect();
    const socket = this.#socket;
    this.#connecting = setTimeout(
      () => socket.destroy(timeoutError(`no connection within ${connectTimeoutMs} ms`)),
      connectTimeoutMs,
    );
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 10_000);
    // The handshake of TLS that follows is in the time of the call.
    socket.once('connect', () => clearTimeout(this.#connecting));
    socket.once(owner.origin.isTls ? 'secureConnect' : 'connect', () => {
      this.#isOpen = true;
      this.#write();
    });
    socket.on('session', (session: Buffer) => {
      owner.session = session;
    });
    socket.on('timeout', () => {
      if (this.#call === undefined) socket.destroy();
    });
    socket.on('error', (error) => {
      this.#dropSession();
      this.#call?.fail(namedAsSdk(error));
    });
    socket.on('end', () => this.#onEnd());
    socket.on('close', () => this.#onClosed());
  }

  /** Sends the call's request, as soon as the connection is there. */
  run(call: HttpCall): void {
    this.#call = call;
    call.onFailed = () => this.#socket.destroy();
    this.#socket.ref();
    if (this.#isOpen) this.#write();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #connect(): Socket {
    const { origin, readBuffer, secureContext, session } = this.#owner;
    const { isTls, host, port } = origin;
    const onread: OnReadOpts = {
      buffer: readBuffer,
      callback: (length) => {
        this.#onRead(readBuffer.subarray(0, length));
        return true;
      },
    };
    if (!isTls) return connectTcp({ host, port, onread });
    // `onread` is documented for `tls.connect` but missing in its types.
    const options = {
      host,
      port,
      onread,
      servername: isIP(host) ? '' : host,
      secureContext,
      ...(session === undefined ? {} : { session }),
    };
    return connectTls(options);
  }

  #write(): void {
    const call = this.#call;
    if (call === undefined || call.isOver) return;
    try {
      call.request.beforeWrite();
    } catch (error) {
      // Nothing has left, so the connection is as good as before.
      call.onFailed = () => {};
      call.fail(error);
      this.#rest(this.#owner.idleMs);
      return;
    }
    this.#isSent = false;
    this.#socket.write(call.request.bytes, () => {
      this.#isSent = true;
    });
  }

  #onRead(bytes: Buffer): void {
    const call = this.#call;
    if (call === undefined || call.isOver) {
      // An answer that nobody has asked for would be taken for that to the next call.
      this.#socket.destroy();
      return;
    }
    try {
      const answer = this.#reader.read(bytes);
      if (answer !== undefined) this.#answered(call, answer);
    } catch (error) {
      call.fail(error);
    }
  }

  /**
   * When TLS has passed a write on at once, Node tells so only in the next check phase, and the answer may be read before that.
   * So the answer is judged after that phase: otherwise a busy loop would close the connection after nearly every call.
   */
  #answered(call: HttpCall, answer: WireAnswer): void {
    this.#call = undefined;
    if (this.#isSent) this.#end(call, answer);
    else setImmediate(() => this.#end(call, answer));
  }

  #end(call: HttpCall, answer: WireAnswer): void {
    // When the answer came before the whole request had left, the rest of the request would be read as the next one.
    const isSent = this.#isSent;
    const idleMs = Math.min(this.#owner.idleMs, keptMs(answer));
    if (answer.isKept && isSent && idleMs > 0 && !this.#socket.destroyed) this.#rest(idleMs);
    else this.#socket.destroy();
    call.succeed({ answer, isSent });
  }

  #rest(idleMs: number): void {
    this.#call = undefined;
    this.#socket.setTimeout(idleMs);
    // A kept connection must not keep the process alive.
    this.#socket.unref();
    this.#owner.free(this);
  }

  #onEnd(): void {
    const call = this.#call;
    const answer = call && this.#reader.end();
    if (call && answer) this.#answered(call, answer);
    else this.#socket.destroy();
  }

  /** What is on the way may refuse to take a session up again, and then only a whole handshake leads to a connection. */
  #dropSession(): void {
    this.#owner.session = undefined;
  }

  #onClosed(): void {
    clearTimeout(this.#connecting);
    if (!this.#isOpen) this.#dropSession();
    this.#owner.closed(this);
    const error = Object.assign(new Error('the other side has closed the connection'), {
      code: 'ECONNRESET',
    });
    this.#call?.fail(namedAsSdk(error));
  }
}

/** How long the other side keeps the connection, ms, if it says so (RFC 2068, section 19.7.1). */
function keptMs({ headers }: WireAnswer): number {
  const seconds = /\btimeout=(\d{1,6})\b/i.exec(headers.get('keep-alive') ?? '')?.[1];
  return seconds === undefined
    ? Number.POSITIVE_INFINITY
    : 1_000 * Number(seconds) - KEEP_MARGIN_MS;
}
