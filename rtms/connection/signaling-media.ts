import type { ServiceError } from '../../shared/errors.ts';
import type { CompleteOptions } from '../client-options.ts';
import type { RtmsMessage } from '../protocol/codec.ts';
import type { MediaType } from '../protocol/media-type.ts';
import { earlyMediaLost, HeldMessages } from './held-messages.ts';
import { dataTypeOf } from './media-messages.ts';

export interface SignalingMediaOwner {
  /** Whether the media connections of the last handshake have settled: the parameters are known. */
  isSettled(): boolean;
  isWanted(mediaType: MediaType): boolean;
  signalingMessage(message: RtmsMessage, receivedAtMs: number): void;
  mediaUnasked(mediaType: MediaType): void;
  mediaDropped(mediaType: MediaType, message: RtmsMessage, error: ServiceError): void;
}

/**
 * What comes over the signaling socket. Zoom's documents send no media there, servers that others wrote do. It
 * is taken under the rule of the media sockets (see media-delivery.ts): told when its parameters are, so that nothing
 * is recorded as of no codec, or before the session has begun.
 */
export class SignalingMedia {
  readonly #owner: SignalingMediaOwner;
  readonly #held: HeldMessages<'signaling'>;

  constructor(
    options: Pick<CompleteOptions, 'maxHeldBytes' | 'lendPayloads'>,
    owner: SignalingMediaOwner,
  ) {
    this.#owner = owner;
    this.#held = new HeldMessages(options);
  }

  /** @param isEarly before message 2 of the connection that brought it */
  message(message: RtmsMessage, receivedAtMs: number, isEarly: boolean): void {
    const mediaType = dataTypeOf(message);
    if (mediaType === undefined) this.#owner.signalingMessage(message, receivedAtMs);
    else if (!isEarly && this.#owner.isSettled()) this.#deliver(mediaType, message, receivedAtMs);
    else if (!this.#held.hold('signaling', message, receivedAtMs)) {
      this.#owner.mediaDropped(mediaType, message, earlyMediaLost(mediaType, 'full'));
    }
  }

  /** The media connections have settled. */
  release(): void {
    for (const { message, receivedAtMs } of this.#held.take('signaling')) {
      const mediaType = dataTypeOf(message);
      if (mediaType !== undefined) this.#deliver(mediaType, message, receivedAtMs);
    }
  }

  /** They never will any more. */
  drop(): void {
    for (const { message } of this.#held.take('signaling')) {
      const mediaType = dataTypeOf(message);
      if (mediaType === undefined) continue;
      this.#owner.mediaDropped(mediaType, message, earlyMediaLost(mediaType, 'over'));
    }
  }

  #deliver(mediaType: MediaType, message: RtmsMessage, receivedAtMs: number): void {
    if (this.#owner.isWanted(mediaType)) this.#owner.signalingMessage(message, receivedAtMs);
    else this.#owner.mediaUnasked(mediaType);
  }
}
