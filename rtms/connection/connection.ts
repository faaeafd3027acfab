import type { ServiceError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import { decodeMessage, encodeKeepAliveResp, type RtmsMessage } from '../protocol/codec.ts';
import { MESSAGE_TYPE, STATUS_CODE } from '../protocol/constants.ts';
import { Socket, type SocketClosed, type SocketEnd, type SocketOptions } from '../wire/socket.ts';
import { type ConnectionInput, type ConnectionState, nextState } from './connection-state.ts';
import { after, type Backoff } from './delays.ts';
import type { WireMessageListener } from './options.ts';
import { type StatusVerdict, statusVerdict } from './verdict.ts';

/** Zoom's answer to a handshake. */
export interface HandshakeAnswer {
  readonly statusCode: number;
  readonly reason: string;
}

/** What is said over a connection. Signaling and media differ in this, and in nothing else. */
export interface Conversation {
  /** Where to dial. @param attempt counts from 1 */
  address(attempt: number): string;
  /** The handshake request. */
  hello(): string;
  /** The handshake answer, or undefined when the message is another one. */
  answer(message: RtmsMessage): HandshakeAnswer | undefined;
  /**
   * Called with every message that is neither keep-alive nor handshake answer.
   *
   * @param isEarly it came before the handshake answer of its own connection
   */
  message(message: RtmsMessage, receivedAtMs: number, isEarly: boolean): void;
  /** A message was lost: it could not be read, or was larger than allowed. */
  malformed(error: ServiceError): void;
  /** Whether the connection ends once its window has passed. Otherwise it goes on trying. */
  mayExpire(): boolean;
  /** Whether to wait until Zoom no longer counts another connection. Otherwise that answer is a refusal. */
  waitsOutDuplicate(attempt: number): boolean;
  /**
   * Returns a function that waits for another signature than the last `hello` carried; undefined when there will be
   * none, so that Zoom's refusal is final. The function's result is true when `hello` has another signature now, and
   * false when the signal was aborted before.
   */
  renewSignature(): ((signal: AbortSignal) => Promise<boolean>) | undefined;
  changed(from: ConnectionState, to: ConnectionState): void;
}

export interface ConnectionOptions extends SocketOptions {
  /** A frame's payload is only valid until its listeners return. */
  readonly lendPayloads: boolean;
  /** Socket open to handshake answer, ms. */
  readonly handshakeTimeoutMs: number;
  /** From the first sign of trouble until the connection may expire, ms. */
  readonly windowMs: number;
  readonly closeTimeoutMs: number;
  readonly backoff: Backoff;
  readonly random: () => number;
  readonly logger: Logger;
  readonly onWireMessage: WireMessageListener | undefined;
}

/** How long a planned reconnect waits for the close handshake of the old socket: the new one may open only after it. */
const REDIAL_CLOSE_MS = 500;

/**
 * Keeps one connection to Zoom up, for signaling or for media.
 *
 * The problem. A stream stays alive as long as its client comes back in time: Zoom waits 60 s on signaling and 65 s on
 * media. Whatever went wrong, Zoom closes with 1000 or does not close at all, so the cause of a loss is mostly unknown.
 * It accepts one connection of a kind at a time, and counts a dead one for some time as still there.
 *
 *     Signaling, MediaConnection     what to say, what Zoom's answers mean      (Conversation)
 *              ▲ │
 *              │ ▼
 *          Connection  ◀──────────▶  nextState: pure, connection-state.ts
 *              │                     statusVerdict: pure, verdict.ts
 *              ▼ one for each attempt
 *           Socket                   connect deadline, watchdog, close handshake; LeanWire or WsWire below it
 *
 * Rules
 *
 * 1. The state changes in `#apply` and nowhere else. Each state has a scope of its own, and leaving the state aborts the
 *    timers and waits that were started in it. So no callback of an earlier state changes a later one.
 * 2. A socket is opened only after the one before it is closed.
 * 3. Messages of a socket that is being closed are still delivered: those are the last frames before a reconnect.
 * 4. A keep-alive is answered on the socket that brought it, with its timestamp digit for digit.
 * 5. A message that comes before the handshake answer is delivered with `isEarly`; it is not lost.
 * 6. A delay that has begun is never begun anew by another input.
 * 7. A signature that Zoom refused is not sent again.
 *
 * What does not work
 *
 * - Dialling at once after every loss. A server that accepts a handshake and then reports an interruption got hundreds
 *   of handshakes a second that way; therefore connections that do not last count as flaps.
 * - Beginning the delay anew for each new address. Addresses that keep changing would put the attempt off for ever.
 * - Opening the new socket beside the old one. Zoom refuses it as a duplicate (status 8, 15 or 16).
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #conversation: Conversation;
  #state: ConnectionState = { name: 'idle' };
  #scope = new AbortController();
  #socket: Socket | undefined;
  #closing: Promise<unknown> = Promise.resolve();
  /** When the next attempt is due, monotonic ms. */
  #retryAtMs = 0;

  constructor(options: ConnectionOptions, conversation: Conversation) {
    this.#options = options;
    this.#conversation = conversation;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** When the current socket last brought a message, monotonic ms; 0 without a socket. */
  get lastHeardMs(): number {
    return this.#socket?.lastHeardMs ?? 0;
  }

  /**
   * Connects anew: at once, or after a delay when the last connection did not last. See `nextState`.
   *
   * @param goneMs until when the connection before is known to have been there, monotonic ms. @default now
   */
  dial(cause: string, fresh = false, goneMs?: number): void {
    this.#apply({ name: 'dial', cause, atMs: this.#options.clock(), fresh, goneMs });
  }

  /** Sends on the current socket. Does nothing when there is none. */
  send(text: string): void {
    this.#sendOn(this.#socket, text);
  }

  #sendOn(socket: Socket | undefined, text: string): void {
    if (socket === undefined) return;
    const { onWireMessage } = this.#options;
    onWireMessage?.('sent', sentType(text), Buffer.byteLength(text));
    socket.send(text);
  }

  /** Closes for good. @returns when the last message has been delivered */
  close(): Promise<unknown> {
    this.#apply({ name: 'close' });
    return this.#closing;
  }

  #apply(input: ConnectionInput): void {
    const [from, left, scope] = [this.#state, this.#scope, new AbortController()];
    const to = nextState(from, input);
    if (to === from) return;
    this.#state = to;
    this.#scope = scope;
    left.abort();
    if (to.name !== 'up') this.#dropSocket(to);
    this.#conversation.changed(from, to);
    if (!scope.signal.aborted) {
      this.#enter(to, scope.signal, from.name === 'waiting' && from.pace !== 'signature');
    }
  }

  #dropSocket(to: ConnectionState): void {
    const timeoutMs = to.name === 'dialing' ? REDIAL_CLOSE_MS : this.#options.closeTimeoutMs;
    const closing = this.#socket?.close(timeoutMs);
    this.#socket = undefined;
    if (closing !== undefined) this.#closing = Promise.all([this.#closing, closing]);
  }

  #enter(state: ConnectionState, signal: AbortSignal, wasWaiting: boolean): void {
    if (state.name !== 'dialing' && state.name !== 'waiting') return;
    const { sinceMs } = state.trouble;
    this.#expireAt(sinceMs + this.#options.windowMs - this.#options.clock(), signal);
    if (state.name === 'waiting') {
      this.#retryLater(state, signal, wasWaiting);
      return;
    }
    // Rule 2.
    void this.#closing.then(() => {
      if (!signal.aborted) this.#open(state.attempt, signal);
    });
  }

  #retryLater(
    { pace, attempt, flaps }: Extract<ConnectionState, { name: 'waiting' }>,
    signal: AbortSignal,
    wasWaiting: boolean,
  ): void {
    const { backoff, random } = this.#options;
    const retry = () => this.#apply({ name: 'retry' });
    if (pace !== 'signature') {
      // Rule 6: what is left of the delay that has begun.
      const waitMs = wasWaiting
        ? this.#retryAtMs - this.#options.clock()
        : backoff(pace, attempt + flaps, random);
      this.#retryAtMs = this.#options.clock() + waitMs;
      after(Math.max(0, waitMs), signal, retry);
      return;
    }
    void this.#conversation
      .renewSignature()?.(signal)
      .then((renewed) => {
        if (renewed && !signal.aborted) retry();
      });
  }

  #expireAt(delayMs: number, signal: AbortSignal): void {
    after(Math.max(0, delayMs), signal, () => {
      if (this.#conversation.mayExpire()) this.#apply({ name: 'expired' });
      else this.#expireAt(this.#options.windowMs, signal);
    });
  }

  #open(attempt: number, signal: AbortSignal): void {
    const { handshakeTimeoutMs } = this.#options;
    const socket: Socket = new Socket(this.#conversation.address(attempt), this.#options, {
      opened: () => {
        this.#sendOn(socket, this.#conversation.hello());
        after(handshakeTimeoutMs, signal, () => this.#fail('answer_timeout'));
      },
      message: (data, receivedAtMs) => this.#onMessage(socket, data, receivedAtMs),
      closed: (info) => this.#onClosed(socket, info),
    });
    this.#socket = socket;
  }

  #onMessage(socket: Socket, data: Buffer, receivedAtMs: number): void {
    let message: RtmsMessage;
    try {
      message = decodeMessage(data, this.#options.lendPayloads);
    } catch (error) {
      this.#options.onWireMessage?.('received', undefined, data.length);
      this.#conversation.malformed(error as ServiceError);
      return;
    }
    this.#options.onWireMessage?.('received', wireType(message), data.length);
    if (message.msgType === MESSAGE_TYPE.KEEP_ALIVE_REQ) {
      this.#sendOn(socket, encodeKeepAliveResp(message.timestampJson));
      return;
    }
    const isEarly = this.#state.name === 'dialing' && socket === this.#socket;
    if (this.#state.name === 'dialing' && isEarly) {
      const answer = this.#conversation.answer(message);
      if (answer !== undefined) {
        this.#onAnswer(answer, this.#state.attempt);
        return;
      }
    }
    this.#conversation.message(message, receivedAtMs, isEarly);
  }

  #onAnswer({ statusCode: status, reason }: HandshakeAnswer, attempt: number): void {
    const mayRenew =
      status === STATUS_CODE.INVALID_SIGNATURE && this.#conversation.renewSignature() !== undefined;
    const verdict = mayRenew ? 'retry_signature' : this.#verdict(status, attempt, reason);
    this.#options.logger.info('handshake answered', { status, verdict, attempt });
    if (mayRenew) {
      this.#options.logger.warn('signature refused, looking for another secret', {
        event: 'signature_refused',
        attempt,
      });
    }
    if (status === STATUS_CODE.OK) this.#apply({ name: 'accepted', atMs: this.#options.clock() });
    else if (verdict === 'accepted') this.#fail('protocol_error');
    else this.#apply({ name: 'failed', verdict, cause: `status_${status}`, status });
  }

  #verdict(status: number, attempt: number, reason: string): StatusVerdict {
    const verdict = statusVerdict(status, attempt, reason);
    const isFinal = verdict === 'retry_duplicate' && !this.#conversation.waitsOutDuplicate(attempt);
    return isFinal ? 'refused' : verdict;
  }

  #onClosed(socket: Socket, { end, closeCode, sinceMs, goneMs, error }: SocketClosed): void {
    if (error?.code === 'rtms/message-too-large') this.#conversation.malformed(error);
    if (socket !== this.#socket) return;
    const { clock, logger } = this.#options;
    logger.warn('connection closed', { end, closeCode, state: this.#state.name, error });
    if (this.#state.name === 'up')
      this.#apply({ name: 'lost', cause: end, sinceMs, atMs: clock(), goneMs });
    else if (end !== 'connection_closed') this.#fail(end);
    else {
      this.#fail('closed_before_answer');
      // Zoom may refuse a signature by closing without an answer. The next attempt then has the newer one.
      void this.#conversation.renewSignature()?.(this.#scope.signal);
    }
  }

  #fail(cause: SocketEnd | 'closed_before_answer' | 'answer_timeout'): void {
    this.#apply({ name: 'failed', verdict: 'retry', cause, status: undefined });
  }
}

function wireType({ msgType }: RtmsMessage): number | undefined {
  return typeof msgType === 'number' ? msgType : undefined;
}

/** MESSAGE_TYPE of a text of ours: `encodeMessage` writes it first. */
function sentType(text: string): number | undefined {
  const [, digits] = /^\{"msg_type":(\d+)/.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits);
}
