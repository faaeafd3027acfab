import { RtmsClient } from '../../rtms/client.ts';
import type { RtmsClientOptions } from '../../rtms/client-options.ts';
import type { RtmsJoin } from '../../rtms/events.ts';
import type { MediaRequest } from '../../rtms/protocol/params.ts';
import { Delivery, type DeliveryOptions } from './callbacks/delivery.ts';
import { addLiveClient, finishClient, type LiveClient, streamFree } from './live-clients.ts';

export interface JoinedStreamOptions {
  readonly client: Omit<RtmsClientOptions, 'media' | 'currentMedia'>;
  readonly delivery: Omit<DeliveryOptions, 'streamId' | 'meetingId'>;
  /** What the program wants now. */
  readonly media: () => MediaRequest;
  /** The client's own stream before this one. */
  readonly previous: JoinedStream | undefined;
  /** The RTMS client has joined: subscriptions may be sent. */
  readonly started: (rtms: RtmsClient) => void;
}

/**
 * One join of a client, from `join` until its last callback has finished.
 *
 * Zoom throws the first of two connections of a stream out, or refuses the second. So a join waits until whoever
 * was told to leave the stream in this process has closed its sockets and said so: `old.leave()` and a new join
 * right after it is how programs answer Zoom's fail-over and a webhook that is delivered again.
 */
export class JoinedStream implements LiveClient {
  readonly rtms: RtmsClient;
  readonly #options: JoinedStreamOptions;
  readonly #delivery: Delivery;
  #join: RtmsJoin;
  #hasStarted = false;
  #isLeaving = false;
  #isFinished = false;
  /** What the last signaling handshake asked for, as JSON. */
  #asked: string | undefined;
  #connectedAtMs = 0;

  constructor(join: RtmsJoin, options: JoinedStreamOptions) {
    const { rtmsStreamId, entityId } = join;
    this.#join = join;
    this.#options = options;
    this.rtms = new RtmsClient({ ...options.client, currentMedia: () => this.#ask() });
    this.#delivery = new Delivery(this.rtms, {
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
    const free = this.#before();
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

  /** Settles after `onLeave`. */
  get finished(): Promise<void> {
    return this.#delivery.ended;
  }

  /** The program leaves: no callback comes any more but `onLeave`. @returns when the sockets are closed */
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
    this.#delivery.hurry();
    return this.#delivery.left;
  }

  failOver(serverUrls: readonly string[]): void {
    // Zoom delivers the same event again when an answer was late: nothing has happened then.
    if (serverUrls.length === 0 || serverUrls.join() === this.#join.serverUrls.join()) return;
    this.#join = { ...this.#join, serverUrls };
    if (this.#hasStarted) this.rtms.reconnect('failover', serverUrls);
  }

  interrupted(eventTsMs: number): void {
    if (this.rtms.state === 'reconnecting' || eventTsMs <= this.#connectedAtMs) return;
    this.rtms.reconnect('interrupted');
  }

  /**
   * The program wants other media than it did: Zoom takes that in a new handshake only. Before the first one, and
   * while connecting, there is nothing to do: it is asked for when the time comes.
   */
  mediaChanged(): void {
    const { state } = this.rtms;
    if (state !== 'streaming' && state !== 'paused') return;
    if (JSON.stringify(this.#options.media()) === this.#asked) return;
    this.rtms.reconnect('media_changed');
  }

  #before(): Promise<unknown> | undefined {
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
