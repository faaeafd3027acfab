import { ServiceError } from '../../shared/errors.ts';
import { dataTypeOf, type RtmsMessage } from '../protocol/codec.ts';
import type { MediaType } from '../protocol/media-type.ts';
import { HeldMessages } from './held-messages.ts';
import type { CompleteOptions } from './options.ts';

/** Where messages go once they may be told. A `Source` is the connection that brought a message. */
export interface MediaReceiver<Source> {
  mediaMessage(source: Source, message: RtmsMessage, receivedAtMs: number): void;
  /** A data message is lost: it came before its parameters, and they never came or too much was held already. */
  mediaDropped(mediaType: MediaType, message: RtmsMessage, error: ServiceError): void;
  /** A data message of a media type that nobody wants, or that another connection carries. */
  mediaUnasked(mediaType: MediaType): void;
}

/** What `MediaDelivery` asks about the connections before it tells a message. */
export interface DeliveryRules<Source> {
  /** Whether the agreed media of the connections is known, so that data may be told. */
  isReady(): boolean;
  /** Whether data of this kind is taken from this source. */
  isWelcome(source: Source, mediaType: MediaType, userId: number | undefined): boolean;
}

/**
 * Decides what becomes of each message. Data is told with the parameters of message 4, so data that comes before them
 * is held: told at once it would be recorded without a codec, or before the session has begun.
 *
 * Called for every frame: it makes no object and no closure for a message that is told at once.
 */
export class MediaDelivery<Source> {
  readonly #rules: DeliveryRules<Source>;
  readonly #receiver: MediaReceiver<Source>;
  readonly #held: HeldMessages<Source>;

  constructor(
    options: Pick<CompleteOptions, 'maxHeldBytes' | 'lendPayloads'>,
    rules: DeliveryRules<Source>,
    receiver: MediaReceiver<Source>,
  ) {
    this.#rules = rules;
    this.#receiver = receiver;
    this.#held = new HeldMessages(options);
  }

  /** @param isEarly it came before the handshake answer of its own connection */
  message(source: Source, message: RtmsMessage, receivedAtMs: number, isEarly: boolean): void {
    const mediaType = dataTypeOf(message);
    if (mediaType === undefined) this.#receiver.mediaMessage(source, message, receivedAtMs);
    else if (!isEarly && this.#rules.isReady()) {
      this.#deliver(source, mediaType, message, receivedAtMs);
    } else if (!this.#held.hold(source, message, receivedAtMs)) {
      this.#receiver.mediaDropped(mediaType, message, earlyMediaLost(mediaType, 'full'));
    }
  }

  /** The parameters of this source are known: tells what was held for them. */
  release(source: Source): void {
    for (const { message, receivedAtMs } of this.#held.takeOut(source)) {
      const mediaType = dataTypeOf(message);
      if (mediaType !== undefined) this.#deliver(source, mediaType, message, receivedAtMs);
    }
  }

  /** The parameters of this source will not come any more: what was held for them is lost. */
  drop(source: Source): void {
    for (const { message } of this.#held.takeOut(source)) {
      const mediaType = dataTypeOf(message);
      if (mediaType === undefined) continue;
      this.#receiver.mediaDropped(mediaType, message, earlyMediaLost(mediaType, 'over'));
    }
  }

  #deliver(source: Source, mediaType: MediaType, message: RtmsMessage, receivedAtMs: number): void {
    const userId = 'userId' in message ? message.userId : undefined;
    if (this.#rules.isWelcome(source, mediaType, userId)) {
      this.#receiver.mediaMessage(source, message, receivedAtMs);
    } else this.#receiver.mediaUnasked(mediaType);
  }
}

/** Why a data message that came before its parameters is lost. */
const EARLY_MEDIA_LOST = {
  full: 'more data came before its parameters than is held',
  over: 'the data came before its parameters, which never came',
} as const;

function earlyMediaLost(mediaType: MediaType, why: keyof typeof EARLY_MEDIA_LOST): ServiceError {
  return new ServiceError('rtms/early-media', EARLY_MEDIA_LOST[why], { detail: { mediaType } });
}
