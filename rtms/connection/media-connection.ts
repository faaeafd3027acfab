import type { ServiceError } from '../../shared/errors.ts';
import { type AgreedMedia, agreedMedia } from '../protocol/agreed-media.ts';
import { encodeMessage, type RtmsMessage } from '../protocol/codec.ts';
import { MEDIA_DATA_TYPE, MESSAGE_TYPE } from '../protocol/constants.ts';
import { readObject } from '../protocol/fields.ts';
import type { MediaType } from '../protocol/media-type.ts';
import { ofMediaType } from '../protocol/offered-urls.ts';
import { ENTITY_ID_FIELD } from '../protocol/product.ts';
import { type MediaParamsWire, toWireParams } from '../protocol/wire-params.ts';
import { Connection, type Conversation, type HandshakeAnswer } from './connection.ts';
import type { ConnectionState } from './connection-state.ts';
import type { HandshakeSigner, RtmsJoin } from './handshake-signer.ts';
import type { MediaDelivery } from './media-delivery.ts';
import { carries, keysOf, type MediaKey } from './media-key.ts';
import { mediaTypeBits, type PlannedMedia } from './media-plan.ts';
import type { CompleteOptions } from './options.ts';

/** What a media connection asks and tells the others of its handshake. */
export interface MediaConnectionOwner {
  readonly delivery: MediaDelivery<MediaConnection>;
  readonly receiver: { mediaMalformed(media: MediaConnection, error: ServiceError): void };
  mediaChanged(media: MediaConnection, from: ConnectionState, to: ConnectionState): void;
  /** Whether a media connection ends when its window has passed. Otherwise it goes on trying. */
  mayExpire(media: MediaConnection): boolean;
  /** Whether to wait until Zoom no longer counts another connection (status 15, 16). */
  waitsOutTaken(media: MediaConnection, attempt: number): boolean;
}

/** One media conversation: messages 3 and 4, then the data of one media type, of several, or of one camera. */
export class MediaConnection implements Conversation {
  readonly plan: PlannedMedia;
  readonly #join: RtmsJoin;
  readonly #signer: HandshakeSigner;
  #sentSignature = '';
  readonly #owner: MediaConnectionOwner;
  readonly #asked: MediaParamsWire;
  readonly #wanted: MediaParamsWire;
  readonly #version: number;
  readonly #connection: Connection;
  #agreed: AgreedMedia = {};
  #notGranted: readonly MediaType[] = [];
  #hasBeenUp = false;

  constructor(
    plan: PlannedMedia,
    join: RtmsJoin,
    signer: HandshakeSigner,
    options: CompleteOptions,
    owner: MediaConnectionOwner,
  ) {
    this.plan = plan;
    this.#join = join;
    this.#signer = signer;
    this.#owner = owner;
    this.#asked = toWireParams(options.media, plan.mediaTypes);
    this.#wanted = toWireParams(options.media);
    this.#version = options.protocol.version;
    this.#connection = new Connection(
      {
        ...options,
        windowMs: options.mediaWindowMs,
        logger: options.logger.child({
          mediaTypes: plan.mediaTypes,
          ...(plan.userId !== undefined && { userId: plan.userId }),
        }),
      },
      this,
    );
  }

  get mediaTypes(): readonly MediaType[] {
    return this.plan.mediaTypes;
  }

  /** The participant whose camera this connection carries (V2); undefined: it is for no participant in particular. */
  get userId(): number | undefined {
    return this.plan.userId;
  }

  /** Keys of what it carries; see media-key.ts. */
  get keys(): readonly MediaKey[] {
    return keysOf(this.plan);
  }

  carries(mediaType: MediaType, userId: number | undefined): boolean {
    return carries(this.plan, mediaType, userId);
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }

  /**
   * Parameters of the frames on this connection: what the last handshake agreed on, and for media types that it
   * did not ask for, what it would have asked.
   */
  get agreed(): AgreedMedia {
    return this.#agreed;
  }

  /** `agreed`, but only media types that this connection asked for and Zoom granted. */
  get granted(): AgreedMedia {
    const isGranted = (mediaType: MediaType) =>
      this.mediaTypes.includes(mediaType) && !this.#notGranted.includes(mediaType);
    const granted = Object.entries(this.#agreed).filter(([mediaType]) =>
      isGranted(mediaType as MediaType),
    );
    return Object.fromEntries(granted);
  }

  /** Media types that Zoom left out of its answer to a request for everything. */
  get notGranted(): readonly MediaType[] {
    return this.#notGranted;
  }

  get hasBeenUp(): boolean {
    return this.#hasBeenUp;
  }

  get lastHeardMs(): number {
    return this.#connection.lastHeardMs;
  }

  /** @param goneMs as of `Connection.dial` */
  dial(cause: string, goneMs?: number): void {
    this.#connection.dial(cause, false, goneMs);
  }

  close(): Promise<unknown> {
    return this.#connection.close();
  }

  address(): string {
    return this.plan.url;
  }

  hello(): string {
    const { product, entityId, rtmsStreamId } = this.#join;
    this.#sentSignature = this.#signer.signature;
    return encodeMessage({
      msg_type: MESSAGE_TYPE.DATA_HAND_SHAKE_REQ,
      protocol_version: this.#version,
      sequence: 0,
      [ENTITY_ID_FIELD[product]]: entityId,
      rtms_stream_id: rtmsStreamId,
      signature: this.#sentSignature,
      media_type: mediaTypeBits(this.mediaTypes),
      // How V2 names the participant is not public. We use the field of message 28.
      ...(this.userId !== undefined && { user_id: this.userId }),
      payload_encryption: false,
      media_params: this.#asked,
    });
  }

  answer(message: RtmsMessage): HandshakeAnswer | undefined {
    if (message.msgType !== MESSAGE_TYPE.DATA_HAND_SHAKE_RESP) return undefined;
    this.#agreed = agreedMedia(message.mediaParams, this.#wanted);
    this.#notGranted = missingFromAll(message.mediaParams, this.mediaTypes);
    return message;
  }

  message(message: RtmsMessage, receivedAtMs: number, isEarly: boolean): void {
    this.#owner.delivery.message(this, message, receivedAtMs, isEarly);
  }

  malformed(error: ServiceError): void {
    this.#owner.receiver.mediaMalformed(this, error);
  }

  mayExpire(): boolean {
    return this.#owner.mayExpire(this);
  }

  waitsOutDuplicate(attempt: number): boolean {
    return this.#owner.waitsOutTaken(this, attempt);
  }

  renewSignature(): ((signal: AbortSignal) => Promise<boolean>) | undefined {
    const refused = this.#sentSignature;
    return this.#signer.canRenew ? (signal) => this.#signer.renewed(refused, signal) : undefined;
  }

  changed(from: ConnectionState, to: ConnectionState): void {
    if (to.name === 'up') this.#hasBeenUp = true;
    this.#owner.mediaChanged(this, from, to);
  }
}

/**
 * ALL asks for every media type that the app may have. Which these are is only seen in the parameters of the answer;
 * an answer without any parameters leaves nothing out.
 */
function missingFromAll(answered: unknown, asked: readonly MediaType[]): readonly MediaType[] {
  if (mediaTypeBits(asked) !== MEDIA_DATA_TYPE.ALL) return [];
  const params = readObject(answered);
  if (params === undefined) return [];
  const missing = asked.filter((mediaType) => ofMediaType(params, mediaType) === undefined);
  return missing.length < asked.length ? missing : [];
}
