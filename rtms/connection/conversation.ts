import type { ServiceError } from '../../shared/errors.ts';
import type { RtmsMessage } from '../protocol/codec.ts';
import type { ConnectionState } from './connection-state.ts';

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
