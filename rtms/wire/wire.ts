/** Pings are not answered while this much waits to be sent: the last one is worth an answer, not each. */
export const MAX_UNSENT_BYTES = 64 * 1024;

/** One WebSocket connection as `Socket` needs it, whichever code speaks the protocol. */
export interface Wire {
  /** Sends a text message; only while `state` is `open`. */
  send(text: string): void;
  /** Starts the close handshake; messages go on coming until the other side's close frame. */
  close(closeCode: number): void;
  /** Cuts the connection. */
  terminate(): void;
  readonly state: WireState;
  /** What was sent and the other side has not taken yet. */
  readonly unsentBytes: number;
}

export type WireState = 'connecting' | 'open' | 'closing' | 'closed';

export type WireTrouble =
  | 'connect_failed'
  | 'connect_timeout'
  | 'message_too_large'
  | 'protocol_error'
  | 'broken';

export interface WireHandlers {
  opened(): void;
  /** One message, text or binary, not checked for UTF-8. `data` is only valid during the call. */
  message(data: Buffer): void;
  /** What is about to end the connection; not told when it ends by a close handshake or `terminate`. */
  trouble(trouble: WireTrouble, cause: Error): void;
  /** Told once, last. @param closeCode as received; 1006 without a close frame, 1005 for one without a code */
  closed(closeCode: number): void;
}

/** Notes one read of a socket. @returns how long the socket has to rest, ms; 0: not at all */
export type ReadMeter = (spentMs: number, nowMs: number) => number;

/** How a busy socket rests between two reads. One object serves all sockets of a client: only one reads at a time. */
export interface ReadRest {
  /** The longest rest, ms; 0: none. `ws` never rests. */
  readonly maxMs: number;
  /** How long the messages of the read that is under way may have waited for it, ms. Set by the socket that reads. */
  heldMs: number;
}

export interface WireOptions {
  /** TCP, TLS and HTTP upgrade together, ms. */
  readonly connectTimeoutMs: number;
  readonly maxMessageBytes: number;
  readonly rest: ReadRest;
  /**
   * Told what each read took, and when it ended, ms; answers how long the socket has to rest, ms. `ws` is not
   * measured.
   */
  readonly meter?: ReadMeter | undefined;
  /** Certificates to trust instead of Node's, PEM. */
  readonly ca?: string | Buffer | undefined;
}
