import type { RawData, WebSocket } from 'ws';
import { MESSAGE_TYPE } from '../../rtms/protocol/constants.ts';
import type { Cancel, Clock } from '../clock.ts';
import type { Behaviour } from '../scenario/behaviour.ts';

/**
 * How a connection ended. Only after `client_closed` and `server_closed` it is certain that everything sent before was
 * delivered.
 */
export type ConnectionEnd =
  | 'client_closed'
  | 'client_vanished'
  | 'server_closed'
  | 'server_cut'
  | 'keep_alive';

/** A message as a client sent it. Its fields are not checked yet. */
export interface ClientMessage {
  readonly msg_type?: unknown;
  readonly rtms_stream_id?: unknown;
  readonly rtms_session_id?: unknown;
  readonly signature?: unknown;
  readonly buffer_data?: unknown;
  readonly media_type?: unknown;
  readonly media_params?: unknown;
  readonly events?: unknown;
  readonly user_id?: unknown;
  readonly subscribe?: unknown;
  readonly [field: string]: unknown;
}

/** What a connection tells its owner: each message of the client, and how the connection ended. */
export interface ConnectionListener {
  message(message: ClientMessage): void;
  ended(end: ConnectionEnd): void;
}

/** One accepted socket: sends, asks for keep-alives, and notices its end. It handles messages 12 and 13 itself. */
export class ClientConnection {
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  #behaviour: Behaviour;
  #listener: ConnectionListener | undefined;
  #end: ConnectionEnd | undefined;
  #frozen = false;
  #stalled: string[] | undefined;
  #sentSinceTick = false;
  #timers: Cancel[] = [];
  /** Keep-alives without an answer yet, oldest first: timestamp, and the round that each began. */
  #asked: { timestamp: string | undefined; round: number }[] = [];
  #round = 0;
  #answeredRound = 0;

  constructor(socket: WebSocket, clock: Clock, behaviour: Behaviour) {
    this.#socket = socket;
    this.#clock = clock;
    this.#behaviour = behaviour;
    socket.on('message', (data) => this.#receive(data));
    socket.on('error', () => this.#finish('client_vanished'));
    socket.on('close', (code) => this.#finish(code === 1006 ? 'client_vanished' : 'client_closed'));
    this.#timers.push(clock.after(behaviour.handshakeWindowMs, () => this.close()));
  }

  set listener(listener: ConnectionListener) {
    this.#listener = listener;
  }

  /** The handshake succeeded: its deadline ends, and keep-alives begin. */
  establish(behaviour: Behaviour): void {
    this.#behaviour = behaviour;
    this.#clearTimers();
    this.#timers.push(this.#clock.every(behaviour.keepAliveMs, () => this.#keepAlive()));
  }

  /** False as soon as either side has begun to close: what is sent after that may not arrive. */
  get open(): boolean {
    return this.#end === undefined && this.#socket.readyState === this.#socket.OPEN;
  }

  /** Grows with every keep-alive sent; see `answeredRound`. */
  get round(): number {
    return this.#round;
  }

  /** Everything sent in an earlier round than this one was received, since the client answered a later message. */
  get answeredRound(): number {
    return this.#answeredRound;
  }

  /** @returns whether the message was handed to the socket */
  send(json: string): boolean {
    if (!this.open) return false;
    this.#sentSinceTick = true;
    if (this.#frozen) return true;
    if (this.#stalled) this.#stalled.push(json);
    else this.#write(json);
    return true;
  }

  /** Closes as Zoom does, with 1000 whatever the reason. */
  close(): void {
    if (this.#end !== undefined) return;
    this.#flush();
    const wasFrozen = this.#frozen;
    this.#finish('server_closed');
    if (!wasFrozen) this.#socket.close(1000);
  }

  /** Cuts the TCP connection without a close frame. A frozen connection stays: the client has to notice by itself. */
  cut(end: ConnectionEnd = 'server_cut'): void {
    if (this.#end !== undefined) return;
    const wasFrozen = this.#frozen;
    this.#finish(end);
    if (!wasFrozen) this.#socket.terminate();
  }

  /** From now on nothing passes in either direction, although the connection stays up for both sides. */
  freeze(): void {
    this.#frozen = true;
    this.#socket.pause();
  }

  /** Holds what is sent for `durationMs`, then sends it at once. */
  stall(durationMs: number): void {
    this.#stalled ??= [];
    this.#timers.push(this.#clock.after(durationMs, () => this.#flush()));
  }

  #flush(): void {
    const held = this.#stalled ?? [];
    this.#stalled = undefined;
    if (!this.#frozen) for (const json of held) this.#write(json);
  }

  #write(json: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#behaviour.frames === 'binary') this.#socket.send(Buffer.from(json), { binary: true });
    else this.#socket.send(json);
  }

  #receive(data: RawData): void {
    if (this.#frozen || this.#end !== undefined) return;
    const text = data.toString();
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      return;
    }
    if (typeof message !== 'object' || message === null) return;
    const { msg_type: type } = message as ClientMessage;
    if (type === MESSAGE_TYPE.KEEP_ALIVE_RESP) this.#keepAliveAnswer(text);
    else this.#listener?.message(message as ClientMessage);
  }

  #keepAlive(): void {
    if (this.#asked.length >= this.#behaviour.keepAliveMisses) {
      this.cut('keep_alive');
      return;
    }
    const wasIdle = !this.#sentSinceTick;
    this.#sentSinceTick = false;
    if (this.#behaviour.keepAliveOnlyWhenIdle && !wasIdle) return;
    const { keepAliveUnit } = this.#behaviour;
    const time = `${this.#clock.now()}${keepAliveUnit === 'ns' ? '123457' : ''}`;
    const timestamp = keepAliveUnit === 'none' ? undefined : time;
    this.#round += 1;
    this.#asked.push({ timestamp, round: this.#round });
    const field = timestamp === undefined ? '' : `,"timestamp":${timestamp}`;
    this.send(`{"msg_type":${MESSAGE_TYPE.KEEP_ALIVE_REQ}${field}}`);
    this.#sentSinceTick = false;
  }

  /** Compared as text: an int64 must come back digit for digit. */
  #keepAliveAnswer(text: string): void {
    const timestamp = /"timestamp"\s*:\s*(\d+)/.exec(text)?.[1];
    const at = this.#asked.findIndex((asked) => asked.timestamp === timestamp);
    if (at < 0) return;
    this.#answeredRound = this.#asked[at]?.round ?? this.#answeredRound;
    this.#asked.splice(0, at + 1);
  }

  #finish(end: ConnectionEnd): void {
    if (this.#end !== undefined) return;
    // Messages that a stall still held were never on the wire.
    this.#end = end === 'client_closed' && this.#stalled?.length ? 'client_vanished' : end;
    this.#clearTimers();
    // Reading again notices the client's own close, so that the socket is freed.
    if (this.#frozen) this.#socket.resume();
    this.#listener?.ended(this.#end);
  }

  #clearTimers(): void {
    for (const cancel of this.#timers) cancel();
    this.#timers = [];
  }
}
