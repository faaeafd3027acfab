/** A socket that brings this much at once has more to come. One that brings less has been read to its end: libuv reads on after a full buffer. */
export const MUCH_BYTES = 64 * 1024;
/** While this much waits to be sent, pings are not answered. */
export const MAX_UNSENT_BYTES = 64 * 1024;

/** One WebSocket connection, by whichever code: what `Socket` needs of it. */
export interface Wire {
  /** Sends a text message; only while `state` is `open`. */
  send(text: string): void;
  /** Starts the close handshake. Messages go on coming until the other side's close frame. */
  close(closeCode: number): void;
  /** Ends the connection at once, without a close handshake. */
  terminate(): void;
  readonly state: WireState;
  /** May more wait for us than has been read since the last call? As `ReadSocket` of `standstills.ts` has it. */
  mayHaveMore(): boolean;
  /** Bytes that were sent and that the other side has not received yet. */
  readonly unsentBytes: number;
}

export type WireState = 'connecting' | 'open' | 'closing' | 'closed';

export type WireTrouble =
  | 'connect_failed'
  | 'connect_timeout'
  | 'message_too_large'
  | 'protocol_error'
  | 'broken';

/** What a WebSocket tells its owner. */
export interface WireHandlers {
  opened(): void;
  /** One message, text or binary, not checked for UTF-8. `data` is only valid during the call. */
  message(data: Buffer): void;
  /** Why the connection is about to end. Not called when it ends by a close handshake or by `terminate`. */
  trouble(trouble: WireTrouble, cause: Error): void;
  /** Called once, as the last. @param closeCode as received; 1006 without a close frame, 1005 for one without a code */
  closed(closeCode: number): void;
}

/**
 * Called after each read of a socket with how long processing it took and when that ended, ms on the monotonic clock.
 * `ws` is not measured.
 *
 * @returns how long the socket has to rest, ms; 0: not at all
 */
export type ReadMeter = (spentMs: number, nowMs: number) => number;

/** How a busy socket rests between two reads. All sockets of a client share one object, since only one reads at a time. */
export interface ReadRest {
  /** The longest rest, ms; 0: no rests. `ws` never rests. */
  readonly maxMs: number;
  /** How long the messages of the current read may have waited for it, ms. Set by the socket that reads. */
  heldMs: number;
}

export interface WireOptions {
  /** Limit for TCP, TLS and HTTP upgrade together, ms. */
  readonly connectTimeoutMs: number;
  readonly maxMessageBytes: number;
  readonly rest: ReadRest;
  readonly meter?: ReadMeter | undefined;
  /** Certificates to trust instead of Node's, PEM. */
  readonly ca?: string | Buffer | undefined;
}
