import type { ServiceError } from '../../shared/errors.ts';
import type { CompleteOptions } from '../client-options.ts';
import type { RtmsJoin } from '../events.ts';
import { encodeMessage, type RtmsMessage } from '../protocol/codec.ts';
import { MESSAGE_TYPE, STATUS_CODE } from '../protocol/constants.ts';
import type { SignalingHandshakeResp } from '../protocol/decode-signaling.ts';
import { ENTITY_ID_FIELD } from '../protocol/product.ts';
import { Connection, type Conversation, type HandshakeAnswer } from './connection.ts';
import type { ConnectionState } from './connection-state.ts';
import type { HandshakeSigner } from './handshake-signer.ts';
import { PRODUCT_EVENTS } from './signaling-event.ts';

export interface SignalingOwner {
  /** The handshake succeeded: addresses for the media connections. */
  signalingUp(serverUrls: SignalingHandshakeResp['serverUrls']): void;
  signalingChanged(from: ConnectionState, to: ConnectionState): void;
  /** @param isEarly before message 2 of the connection that brought it */
  signalingMessage(message: RtmsMessage, receivedAtMs: number, isEarly: boolean): void;
  malformed(error: ServiceError): void;
}

/** Bounds memory where Zoom answers nothing. */
const MAX_UNANSWERED = 64;

/**
 * The signaling conversation: messages 1 and 2, subscriptions, ready, video selection and close. What was
 * subscribed to is said again after every reconnect, because Zoom forgets it.
 */
export class Signaling implements Conversation {
  readonly #join: RtmsJoin;
  readonly #signer: HandshakeSigner;
  #sentSignature = '';
  readonly #options: CompleteOptions;
  readonly #owner: SignalingOwner;
  readonly #connection: Connection;
  readonly #events: Set<number>;
  #addresses: readonly string[];
  #serverUrls: SignalingHandshakeResp['serverUrls'] = {};
  /** Whose video is selected: one participant's with V1. */
  readonly #selectedVideos = new Set<number>();
  /** Whom messages 28 without an answer were about, oldest first. */
  readonly #unanswered: number[] = [];

  /** @param addresses allowed ones, at least one */
  constructor(
    join: RtmsJoin,
    signer: HandshakeSigner,
    addresses: readonly string[],
    options: CompleteOptions,
    owner: SignalingOwner,
  ) {
    this.#join = join;
    this.#signer = signer;
    this.#options = options;
    this.#owner = owner;
    this.#addresses = addresses;
    this.#events = new Set(options.events ?? PRODUCT_EVENTS[join.product].flat());
    this.#connection = new Connection({ ...options, windowMs: options.signalingWindowMs }, this);
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }

  /** Connects anew. Addresses that are the ones in use already are no news. */
  dial(cause: string, addresses: readonly string[] = this.#addresses): void {
    const isNew = addresses.join() !== this.#addresses.join();
    this.#addresses = addresses;
    this.#connection.dial(cause, isNew);
  }

  close(): Promise<unknown> {
    return this.#connection.close();
  }

  /** Message 7: media may flow. Zoom takes it once or once per media connection. */
  sendReady(): void {
    const { rtmsStreamId } = this.#join;
    this.#connection.send(
      encodeMessage({ msg_type: MESSAGE_TYPE.CLIENT_READY_ACK, rtms_stream_id: rtmsStreamId }),
    );
  }

  /** Messages 19 and 10: what became of stream and sessions while we were away? */
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
   * One participant at a time with V1, where a new selection replaces the one before; several with V2.
   *
   * @param isVideoUp whether it may be said now; Zoom refuses it before the video connection is up, so until then
   *   it waits for `repeatVideoSubscription`
   */
  subscribeVideo(
    userId: number,
    on: boolean,
    { isVideoUp, several }: { readonly isVideoUp: boolean; readonly several: boolean },
  ): void {
    if (on && !several) this.#selectedVideos.clear();
    if (on) this.#selectedVideos.add(userId);
    else this.#selectedVideos.delete(userId);
    if (isVideoUp) this.#sendVideoSubscription(userId, on);
  }

  /** Whose video is selected, in the order of selecting. */
  get selectedVideos(): readonly number[] {
    return [...this.#selectedVideos];
  }

  /**
   * Whom an answer to a selection is about. One that names nobody answers the oldest open one: Zoom answers in order.
   *
   * @returns undefined when nothing was asked
   */
  videoAnswered(named: number | undefined): number | undefined {
    const at = named === undefined ? 0 : this.#unanswered.indexOf(named);
    const [asked] = at < 0 ? [] : this.#unanswered.splice(at, 1);
    return named ?? asked;
  }

  /**
   * Says the video selection again: a new video connection knows nothing of it.
   *
   * @param cameraOf with V2, whose connection it is
   */
  repeatVideoSubscription(cameraOf?: number): void {
    for (const userId of this.#selectedVideos) {
      if (cameraOf === undefined || cameraOf === userId) this.#sendVideoSubscription(userId, true);
    }
  }

  /** Zoom refused this selection for good: it will not be said again. */
  forgetVideoSubscription(userId: number): void {
    this.#selectedVideos.delete(userId);
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
    this.#owner.signalingMessage(message, receivedAtMs, isEarly);
  }

  malformed(error: ServiceError): void {
    this.#owner.malformed(error);
  }

  mayGiveUp(): boolean {
    return true;
  }

  /** Zoom forgets the old connection by and by. */
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
    this.#unanswered.length = 0;
    for (const group of this.#subscriptionGroups()) this.#sendSubscription(group, true);
    this.#subscribeCodes();
    this.#owner.signalingUp(this.#serverUrls);
  }

  /** The product's own groups first, then what it does not list. */
  #subscriptionGroups(): number[][] {
    const groups = PRODUCT_EVENTS[this.#join.product];
    const listed = new Set(groups.flat());
    return [...groups, [...this.#events].filter((type) => !listed.has(type))]
      .map((group) => group.filter((type) => this.#events.has(type)))
      .filter((group) => group.length > 0);
  }

  /** Codes that the deployment has named: V2 numbers events in `event_code`. How they are asked for is a guess. */
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
    if (this.#unanswered.length < MAX_UNANSWERED) this.#unanswered.push(userId);
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
