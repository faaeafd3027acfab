import { RtmsClient } from '../../rtms/client.ts';
import type { RtmsJoin } from '../../rtms/connection/handshake-signer.ts';
import type { RtmsClientOptions } from '../../rtms/connection/options.ts';
import type { MediaRequest } from '../../rtms/protocol/params.ts';
import { CallbackDelivery, type CallbackDeliveryOptions } from './callbacks/callback-delivery.ts';
import { addLiveClient, finishClient, type LiveClient, streamFree } from './live-clients.ts';

export interface JoinedStreamOptions {
  readonly client: Omit<RtmsClientOptions, 'media' | 'currentMedia'>;
  readonly delivery: Omit<CallbackDeliveryOptions, 'streamId' | 'meetingId'>;
  /** The media that the program wants now. */
  readonly media: () => MediaRequest;
  /** The client's own stream before this one. */
  readonly previous: JoinedStream | undefined;
  /** Called when the RTMS client starts joining: from here on it takes subscriptions. */
  readonly started: (rtms: RtmsClient) => void;
}

/**
 * One join of a client, from `join` until its last callback has finished.
 *
 * Programs answer Zoom's fail-over, and a webhook that is delivered again, with `old.leave()` and a new join right
 * after it. Zoom allows one connection to a stream: it ends the first of two, or refuses the second. So a join waits
 * until every client of this process that was told to leave the stream has closed its sockets and called `onLeave`.
 */
export class JoinedStream implements LiveClient {
  readonly rtms: RtmsClient;
  readonly #options: JoinedStreamOptions;
  readonly #delivery: CallbackDelivery;
  #join: RtmsJoin;
  #hasStarted = false;
  #isLeaving = false;
  #isFinished = false;
  /** The media request of the last signaling handshake, as JSON. */
  #asked: string | undefined;
  #connectedAtMs = 0;

  constructor(join: RtmsJoin, options: JoinedStreamOptions) {
    const { rtmsStreamId, entityId } = join;
    this.#join = join;
    this.#options = options;
    this.rtms = new RtmsClient({ ...options.client, currentMedia: () => this.#ask() });
    this.#delivery = new CallbackDelivery(this.rtms, {
      ...options.delivery,
      streamId: rtmsStreamId,
      meetingId: entityId,
    });
    const connected = () => {
      this.#connectedAtMs = Date.now();
      this.mediaChanged();
    };
    this.rtms.on('joined', connected);
    this.rtms.on('reconnected', ({ scope }) => scope === 'signaling' && connected());
    this.rtms.once('ended', () => {
      this.#isLeaving = true;
    });
    void this.#delivery.ended.then(() => {
      this.#isFinished = true;
      finishClient(this);
    });
    const free = this.#othersGone();
    addLiveClient(this);
    if (free === undefined) this.#start();
    else void free.then(() => this.#start());
  }

  get rtmsStreamId(): string {
    return this.#join.rtmsStreamId;
  }

  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  get hasStarted(): boolean {
    return this.#hasStarted;
  }

  /** Resolves when `onLeave` has finished. */
  get finished(): Promise<void> {
    return this.#delivery.ended;
  }

  /** The program leaves: only `onEnded` and `onLeave` are called from here on. Resolves when the sockets are closed. */
  leave(options: { readonly closeStream?: boolean }): Promise<void> {
    this.#isLeaving = true;
    this.#delivery.mute();
    return this.rtms.leave(options);
  }

  finish(): Promise<void> {
    this.#isLeaving = true;
    void this.rtms.leave();
    return this.finished;
  }

  giveWay(): Promise<void> {
    this.#delivery.stopWaiting();
    return this.#delivery.left;
  }

  failOver(serverUrls: readonly string[]): void {
    // Zoom delivers the same event again when our answer was late: reconnecting would cost media for nothing.
    if (serverUrls.length === 0 || serverUrls.join() === this.#join.serverUrls.join()) return;
    this.#join = { ...this.#join, serverUrls };
    if (this.#hasStarted) this.rtms.reconnect('failover', serverUrls);
  }

  interrupted(eventTsMs: number): void {
    if (this.rtms.state === 'reconnecting' || eventTsMs <= this.#connectedAtMs) return;
    this.rtms.reconnect('interrupted');
  }

  /**
   * The program wants other media than before. Zoom takes a new request in a new handshake only, so this reconnects.
   * While a handshake is still to come nothing has to be done: that handshake asks for what is wanted by then.
   */
  mediaChanged(): void {
    const { state } = this.rtms;
    if (state !== 'streaming' && state !== 'paused') return;
    if (JSON.stringify(this.#options.media()) === this.#asked) return;
    this.rtms.reconnect('media_changed');
  }

  /** Resolves when no earlier client is on the stream; undefined when there is none to wait for. */
  #othersGone(): Promise<unknown> | undefined {
    const { previous } = this.#options;
    const own = previous === undefined || previous.#isFinished ? undefined : previous.giveWay();
    const others = streamFree(this.rtmsStreamId);
    return own === undefined || others === undefined ? (own ?? others) : Promise.all([own, others]);
  }

  #start(): void {
    if (this.#isLeaving) return;
    this.#hasStarted = true;
    this.rtms.join(this.#join);
    this.#options.started(this.rtms);
  }

  #ask(): MediaRequest {
    const media = this.#options.media();
    this.#asked = JSON.stringify(media);
    return media;
  }
}
