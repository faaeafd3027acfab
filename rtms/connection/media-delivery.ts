import type { CompleteOptions } from '../client-options.ts';
import type { RtmsMessage } from '../protocol/codec.ts';
import type { MediaType } from '../protocol/media-type.ts';
import { earlyMediaLost, HeldMessages } from './held-messages.ts';
import type { Media } from './media-connection.ts';
import type { MediaSetOwner } from './media-connections-owner.ts';
import { dataTypeOf, userIdOf } from './media-messages.ts';

export interface MediaDeliveryOptions {
  readonly options: CompleteOptions;
  readonly owner: Pick<MediaSetOwner, 'mediaMessage' | 'mediaDropped' | 'mediaUnasked'>;
  /** The connection that is up and was asked for this: a media type, of V2's cameras this participant's. */
  carrier(mediaType: MediaType, userId: number | undefined): Media | undefined;
}

/**
 * Decides what becomes of a data message. It is told when its parameters are, and they are what message 4 said:
 * what comes earlier waits, so that nothing is recorded as of no codec, or before the session has begun.
 */
export class MediaDelivery {
  readonly #with: MediaDeliveryOptions;
  readonly #held: HeldMessages<Media>;

  constructor(given: MediaDeliveryOptions) {
    this.#with = given;
    this.#held = new HeldMessages(given.options);
  }

  /** @param mayTell the parameters of its connection are known, and media has begun to be told */
  message(media: Media, message: RtmsMessage, receivedAtMs: number, mayTell: boolean): void {
    const { owner } = this.#with;
    const mediaType = dataTypeOf(message);
    if (mediaType === undefined) owner.mediaMessage(media, message, receivedAtMs);
    else if (mayTell) this.#deliver(media, mediaType, message, receivedAtMs);
    else if (!this.#held.hold(media, message, receivedAtMs)) {
      owner.mediaDropped(mediaType, message, earlyMediaLost(mediaType, 'full'));
    }
  }

  /** What waited for the parameters of this connection. */
  release(media: Media): void {
    for (const { message, receivedAtMs } of this.#held.take(media)) {
      const mediaType = dataTypeOf(message);
      if (mediaType !== undefined) this.#deliver(media, mediaType, message, receivedAtMs);
    }
  }

  /** They never come any more. */
  drop(media: Media): void {
    for (const { message } of this.#held.take(media)) {
      const mediaType = dataTypeOf(message);
      if (mediaType === undefined) continue;
      this.#with.owner.mediaDropped(mediaType, message, earlyMediaLost(mediaType, 'over'));
    }
  }

  /** Data that a connection was not opened for is taken when it is wanted and nobody else carries it. */
  #deliver(media: Media, mediaType: MediaType, message: RtmsMessage, receivedAtMs: number): void {
    const { options, owner, carrier } = this.#with;
    const userId = userIdOf(message);
    const isWelcome =
      media.carries(mediaType, userId) ||
      (options.media[mediaType] !== false && carrier(mediaType, userId) === undefined);
    if (isWelcome) owner.mediaMessage(media, message, receivedAtMs);
    else owner.mediaUnasked(mediaType);
  }
}
