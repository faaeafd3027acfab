import type { ServiceError } from '../../shared/errors.ts';
import { encodeMessage, type RtmsMessage } from '../../shared/rtms/codec.ts';
import { MESSAGE_TYPE } from '../../shared/rtms/constants.ts';
import { type EffectiveMedia, effectiveMedia } from '../../shared/rtms/effective-media.ts';
import type { MediaType } from '../../shared/rtms/media-type.ts';
import type { MediaParamsWire } from '../../shared/rtms/messages.ts';
import { toWireParams } from '../../shared/rtms/params.ts';
import { ENTITY_ID_FIELD } from '../../shared/rtms/product.ts';
import type { CompleteOptions } from './client-options.ts';
import { Connection, type Conversation, type HandshakeAnswer } from './connection.ts';
import type { ConnectionState } from './connection-state.ts';
import type { RtmsJoin } from './events.ts';
import type { HandshakeSigner } from './handshake-signer.ts';
import { mediaTypeBits, type PlannedMedia } from './media-plan.ts';

export interface MediaOwner {
  mediaChanged(media: Media, from: ConnectionState, to: ConnectionState): void;
  mediaMessage(media: Media, message: RtmsMessage, receivedAtMs: number): void;
  mediaMalformed(media: Media, error: ServiceError): void;
  /** Whether a media connection may give up when its window has passed. */
  mayGiveUp(media: Media): boolean;
}

/** One media conversation: messages 3 and 4, then data for one or all media types. */
export class Media implements Conversation {
  readonly mediaTypes: readonly MediaType[];
  readonly #url: string;
  readonly #join: RtmsJoin;
  readonly #signer: HandshakeSigner;
  #sentSignature = '';
  readonly #owner: MediaOwner;
  readonly #asked: MediaParamsWire;
  readonly #connection: Connection;
  #effective: EffectiveMedia = {};

  constructor(
    plan: PlannedMedia,
    join: RtmsJoin,
    signer: HandshakeSigner,
    options: CompleteOptions,
    owner: MediaOwner,
  ) {
    this.mediaTypes = plan.mediaTypes;
    this.#url = plan.url;
    this.#join = join;
    this.#signer = signer;
    this.#owner = owner;
    this.#asked = toWireParams(options.media, plan.mediaTypes);
    this.#connection = new Connection(
      {
        ...options,
        windowMs: options.mediaWindowMs,
        logger: options.logger.child({ mediaTypes: plan.mediaTypes }),
      },
      this,
    );
  }

  get url(): string {
    return this.#url;
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }

  /** Parameters of the last accepted handshake. */
  get effective(): EffectiveMedia {
    return this.#effective;
  }

  /** How long a message that comes now may have waited to be read, ms. */
  get heldMs(): number {
    return this.#connection.heldMs;
  }

  get lastHeardMs(): number {
    return this.#connection.lastHeardMs;
  }

  dial(cause: string): void {
    this.#connection.dial(cause);
  }

  close(): Promise<unknown> {
    return this.#connection.close();
  }

  address(): string {
    return this.#url;
  }

  hello(): string {
    const { product, entityId, rtmsStreamId } = this.#join;
    this.#sentSignature = this.#signer.signature;
    return encodeMessage({
      msg_type: MESSAGE_TYPE.DATA_HAND_SHAKE_REQ,
      protocol_version: 1,
      sequence: 0,
      [ENTITY_ID_FIELD[product]]: entityId,
      rtms_stream_id: rtmsStreamId,
      signature: this.#sentSignature,
      media_type: mediaTypeBits(this.mediaTypes),
      payload_encryption: false,
      media_params: this.#asked,
    });
  }

  answer(message: RtmsMessage): HandshakeAnswer | undefined {
    if (message.msgType !== MESSAGE_TYPE.DATA_HAND_SHAKE_RESP) return undefined;
    this.#effective = effectiveMedia(message.mediaParams, this.#asked);
    return message;
  }

  message(message: RtmsMessage, receivedAtMs: number): void {
    this.#owner.mediaMessage(this, message, receivedAtMs);
  }

  malformed(error: ServiceError): void {
    this.#owner.mediaMalformed(this, error);
  }

  mayGiveUp(): boolean {
    return this.#owner.mayGiveUp(this);
  }

  renewSignature(): ((signal: AbortSignal) => Promise<boolean>) | undefined {
    const refused = this.#sentSignature;
    return this.#signer.canRenew ? (signal) => this.#signer.renewed(refused, signal) : undefined;
  }

  changed(from: ConnectionState, to: ConnectionState): void {
    this.#owner.mediaChanged(this, from, to);
  }
}
