import type { ServiceError } from '../../shared/errors.ts';
import { PRODUCT_EVENTS, subscriptionLists } from '../protocol/client-messages.ts';
import { encodeMessage, type RtmsMessage } from '../protocol/codec.ts';
import { MESSAGE_TYPE, STATUS_CODE } from '../protocol/constants.ts';
import type { SignalingHandshakeResp } from '../protocol/decode-signaling.ts';
import { ENTITY_ID_FIELD } from '../protocol/product.ts';
import { Connection, type Conversation, type HandshakeAnswer } from './connection.ts';
import type { ConnectionState } from './connection-state.ts';
import type { HandshakeSigner, RtmsJoin } from './handshake-signer.ts';
import type { MediaDelivery } from './media-delivery.ts';
import type { CompleteOptions } from './options.ts';
import { VideoSelections } from './video-selections.ts';

/** What the signaling connection tells its client. */
export interface SignalingOwner {
  /** The handshake succeeded. @param serverUrls addresses for the media connections, not checked yet */
  signalingUp(serverUrls: SignalingHandshakeResp['serverUrls']): void;
  signalingChanged(from: ConnectionState, to: ConnectionState): void;
  /** A message that cannot be read is lost. */
  signalingMalformed(error: ServiceError): void;
}

/**
 * The signaling conversation: messages 1 and 2, subscriptions, ready, video selection and close. Subscriptions are sent
 * again after every reconnect, because Zoom keeps none.
 *
 * Zoom's documents send no media over the signaling socket, but servers that others wrote do. It is delivered by the
 * rules of the media sockets: see media-delivery.ts.
 */
export class Signaling implements Conversation {
  readonly #join: RtmsJoin;
  readonly #signer: HandshakeSigner;
  #sentSignature = '';
  readonly #options: CompleteOptions;
  readonly #delivery: MediaDelivery<'signaling'>;
  readonly #owner: SignalingOwner;
  readonly #connection: Connection;
  readonly #events: Set<number>;
  #addresses: readonly string[];
  #serverUrls: SignalingHandshakeResp['serverUrls'] = {};
  readonly #videos = new VideoSelections();

  /** @param addresses allowed ones, at least one */
  constructor(
    join: RtmsJoin,
    signer: HandshakeSigner,
    addresses: readonly string[],
    options: CompleteOptions,
    delivery: MediaDelivery<'signaling'>,
    owner: SignalingOwner,
  ) {
    this.#join = join;
    this.#signer = signer;
    this.#options = options;
    this.#delivery = delivery;
    this.#owner = owner;
    this.#addresses = addresses;
    this.#events = new Set(options.events ?? PRODUCT_EVENTS[join.product].flat());
    this.#connection = new Connection({ ...options, windowMs: options.signalingWindowMs }, this);
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }

  /** Connects anew. To the addresses that are in use already it dials as after any other loss. */
  dial(cause: string, addresses: readonly string[] = this.#addresses): void {
    const isNew = addresses.join() !== this.#addresses.join();
    this.#addresses = addresses;
    this.#connection.dial(cause, isNew);
  }

  close(): Promise<unknown> {
    return this.#connection.close();
  }

  /** Message 7: media may flow. Zoom accepts it once, and once more for each media connection. */
  sendReady(): void {
    const { rtmsStreamId } = this.#join;
    this.#connection.send(
      encodeMessage({ msg_type: MESSAGE_TYPE.CLIENT_READY_ACK, rtms_stream_id: rtmsStreamId }),
    );
  }

  /** Messages 19 and 10 ask for the states of the stream and its sessions, which may have changed during the loss. */
  queryStates(rtmsSessionIds: readonly string[]): void {
    const { rtmsStreamId } = this.#join;
    this.#connection.send(
      encodeMessage({ msg_type: MESSAGE_TYPE.STREAM_STATE_REQ, rtms_stream_id: rtmsStreamId }),
    );
    for (const id of rtmsSessionIds) {
      this.#connection.send(
        encodeMessage({ msg_type: MESSAGE_TYPE.SESSION_STATE_REQ, rtms_session_id: id }),
      );
    }
  }

  /** Message 21: ends the stream for good. */
  sendStreamClose(): void {
    const { rtmsStreamId } = this.#join;
    this.#connection.send(
      encodeMessage({ msg_type: MESSAGE_TYPE.STREAM_CLOSE_REQ, rtms_stream_id: rtmsStreamId }),
    );
  }

  subscribeEvents(types: readonly number[], on: boolean): void {
    for (const type of types) {
      if (on) this.#events.add(type);
      else this.#events.delete(type);
    }
    this.#sendSubscription(types, on);
  }

  /**
   * Selects or deselects a participant's video. With V1 a new selection replaces the one before, with V2 there may be
   * several.
   *
   * @param isVideoUp whether to send it now. Zoom refuses it before the video connection is up, so until then
   *   it waits for `repeatVideoSubscription`
   */
  subscribeVideo(
    userId: number,
    on: boolean,
    { isVideoUp, several }: { readonly isVideoUp: boolean; readonly several: boolean },
  ): void {
    this.#videos.select(userId, on, several);
    if (isVideoUp) this.#sendVideoSubscription(userId, on);
  }

  /** Participants whose video is selected, in the order of selecting. */
  get selectedVideos(): readonly number[] {
    return this.#videos.selected;
  }

  /** The participant whom an answer to a selection is about; undefined when no selection is open. */
  videoAnswered(named: number | undefined): number | undefined {
    return this.#videos.answered(named);
  }

  /**
   * Sends the video selection again: a new video connection does not have it.
   *
   * @param cameraOf V2: the participant whose camera connection is new
   */
  repeatVideoSubscription(cameraOf?: number): void {
    for (const userId of this.#videos.selected) {
      if (cameraOf === undefined || cameraOf === userId) this.#sendVideoSubscription(userId, true);
    }
  }

  /** Zoom refused this selection for good: it is not sent again. */
  dropVideoSubscription(userId: number): void {
    this.#videos.drop(userId);
  }

  address(attempt: number): string {
    return this.#addresses[(attempt - 1) % this.#addresses.length] ?? '';
  }

  hello(): string {
    const { product, entityId, rtmsStreamId } = this.#join;
    this.#sentSignature = this.#signer.signature;
    return encodeMessage({
      msg_type: MESSAGE_TYPE.SIGNALING_HAND_SHAKE_REQ,
      protocol_version: this.#options.protocol.version,
      sequence: 1,
      [ENTITY_ID_FIELD[product]]: entityId,
      rtms_stream_id: rtmsStreamId,
      signature: this.#sentSignature,
      buffer_data: this.#options.bufferData,
    });
  }

  answer(message: RtmsMessage): HandshakeAnswer | undefined {
    if (message.msgType !== MESSAGE_TYPE.SIGNALING_HAND_SHAKE_RESP) return undefined;
    if (message.statusCode === STATUS_CODE.OK) this.#serverUrls = message.serverUrls;
    return message;
  }

  message(message: RtmsMessage, receivedAtMs: number, isEarly: boolean): void {
    this.#delivery.message('signaling', message, receivedAtMs, isEarly);
  }

  malformed(error: ServiceError): void {
    this.#owner.signalingMalformed(error);
  }

  mayExpire(): boolean {
    return true;
  }

  /** Zoom stops counting the old connection after a while. */
  waitsOutDuplicate(): boolean {
    return true;
  }

  renewSignature(): ((signal: AbortSignal) => Promise<boolean>) | undefined {
    const refused = this.#sentSignature;
    return this.#signer.canRenew ? (signal) => this.#signer.renewed(refused, signal) : undefined;
  }

  changed(from: ConnectionState, to: ConnectionState): void {
    this.#owner.signalingChanged(from, to);
    if (to.name !== 'up' || this.state !== to) return;
    this.#videos.connected();
    for (const list of subscriptionLists(this.#join.product, this.#events)) {
      this.#sendSubscription(list, true);
    }
    this.#subscribeCodes();
    this.#owner.signalingUp(this.#serverUrls);
  }

  /** V2 numbers events in `event_code`. How they are subscribed to is not public: this form is a guess. */
  #subscribeCodes(): void {
    const codes = Object.keys(this.#options.protocol.events);
    if (codes.length === 0) return;
    const events = codes.map((code) => ({ event_code: Number(code), subscribe: true }));
    this.#connection.send(encodeMessage({ msg_type: MESSAGE_TYPE.EVENT_SUBSCRIPTION, events }));
  }

  #sendSubscription(types: readonly number[], on: boolean): void {
    if (this.state.name !== 'up') return;
    const events = types.map((type) => ({ event_type: type, subscribe: on }));
    this.#connection.send(encodeMessage({ msg_type: MESSAGE_TYPE.EVENT_SUBSCRIPTION, events }));
  }

  #sendVideoSubscription(userId: number, subscribe: boolean): void {
    if (this.state.name !== 'up') return;
    this.#videos.sent(userId);
    this.#connection.send(
      encodeMessage({
        msg_type: MESSAGE_TYPE.VIDEO_SUBSCRIPTION_REQ,
        user_id: userId,
        subscribe,
        timestamp: this.#options.now(),
      }),
    );
  }
}
