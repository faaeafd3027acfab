import type { AgreedMedia, LeftOutMedia } from '../protocol/agreed-media.ts';
import { MEDIA_TYPES, type MediaType } from '../protocol/media-type.ts';
import { wantedMediaTypes } from '../protocol/params.ts';
import {
  type Closure,
  type ConnectionState,
  hadTrouble,
  type Trouble,
} from './connection-state.ts';
import { after } from './delays.ts';
import type { HandshakeSigner, RtmsJoin } from './handshake-signer.ts';
import { MediaConnection, type MediaConnectionOwner } from './media-connection.ts';
import type {
  MediaConnectionsOwner,
  MediaConnectionsReceiver,
  MediaConnectionsStart,
} from './media-connections-owner.ts';
import { type DeliveryRules, MediaDelivery } from './media-delivery.ts';
import { fallBack, reasonsOf, refusesCameraOnly, waitsOutTaken } from './media-fallback.ts';
import { cameraChange, carries } from './media-key.ts';
import { cameraConnections, type PlannedMedia, type UnifiedFallback } from './media-plan.ts';
import type { CompleteOptions } from './options.ts';

/** A loss of our own this shortly before a notice of Zoom's is what the notice is about. */
const EXPLAINED_MS = 5_000;
/** How often a camera is asked for while Zoom answers that it is taken. */
const CAMERA_ATTEMPTS = 5;
/** Cause of a connection that is opened because its camera was selected. It is no interruption, so none is told. */
const CAMERA_SELECTED = 'camera_selected';

/**
 * The media connections that belong to one signaling handshake: opens what was planned, asks in another way when Zoom
 * refuses (media-fallback.ts), and tells its client when media may flow.
 */
export class MediaConnections implements MediaConnectionOwner, DeliveryRules<MediaConnection> {
  readonly delivery: MediaDelivery<MediaConnection>;
  readonly receiver: MediaConnectionsReceiver;
  readonly #start: MediaConnectionsStart;
  readonly #join: RtmsJoin;
  readonly #signer: HandshakeSigner;
  readonly #options: CompleteOptions;
  readonly #owner: MediaConnectionsOwner;
  readonly #scope = new AbortController();
  readonly #leftOut = new Map<MediaType, LeftOutMedia>();
  /** By user id: connections of cameras that are not selected any more, until they are closed. */
  readonly #closing = new Map<number, Promise<unknown>>();
  #unified: UnifiedFallback;
  #media: readonly MediaConnection[];
  #phase: 'connecting' | 'waiting for the slower ones' | 'ready' = 'connecting';
  #checking: AbortSignal | undefined;

  constructor(
    start: MediaConnectionsStart,
    join: RtmsJoin,
    signer: HandshakeSigner,
    options: CompleteOptions,
    receiver: MediaConnectionsReceiver,
    owner: MediaConnectionsOwner,
  ) {
    this.#start = start;
    this.#join = join;
    this.#signer = signer;
    this.#options = options;
    this.receiver = receiver;
    this.#owner = owner;
    this.#unified = start.unified;
    this.delivery = new MediaDelivery(options, this, receiver);
    for (const leftOut of start.plan.leftOut) this.#leftOut.set(leftOut.mediaType, leftOut);
    this.#media = start.plan.connections.map((plan) => this.#create(plan));
  }

  dial(cause: string): void {
    for (const media of this.#media) media.dial(cause);
    // Only cameras are wanted and none is selected yet: there is nothing to wait for.
    if (this.#media.length === 0) this.#onReady();
  }

  /** Parameters of the media types that are up. */
  get agreed(): AgreedMedia {
    const up: AgreedMedia = Object.assign({}, ...this.#up().map((media) => media.granted));
    return Object.fromEntries(
      MEDIA_TYPES.flatMap((mediaType) => (up[mediaType] ? [[mediaType, up[mediaType]]] : [])),
    );
  }

  /** Wanted media types that do not flow, each with its reason. */
  get leftOut(): readonly LeftOutMedia[] {
    const { agreed } = this;
    const missing = wantedMediaTypes(this.#options.media).filter((type) => !agreed[type]);
    return reasonsOf(missing, {
      known: this.#leftOut,
      notGranted: this.#up().flatMap((media) => media.notGranted),
      hasCameras: this.#start.hasCameras,
    });
  }

  /** How far the fallback went. The next handshake begins there and repeats no refused attempt. */
  get unified(): UnifiedFallback {
    return this.#unified;
  }

  /** Whether media may be told: the parameters of the connections are known. */
  isReady(): boolean {
    return this.#phase === 'ready';
  }

  /** Data that a connection was not opened for is taken when it is wanted and no other connection carries it. */
  isWelcome(media: MediaConnection, mediaType: MediaType, userId: number | undefined): boolean {
    if (media.carries(mediaType, userId)) return true;
    const isWanted = this.#options.media[mediaType] !== false;
    return isWanted && this.#carrier(mediaType, userId) === undefined;
  }

  /** @param userId whose camera (V2); undefined: of anybody */
  isUp(mediaType: MediaType, userId?: number): boolean {
    return this.#carrier(mediaType, userId) !== undefined;
  }

  /** V2: opens a connection for each of these cameras that has none, and closes those of other cameras. */
  setCameras(userIds: readonly number[]): void {
    if (this.#scope.signal.aborted) return;
    const open = this.#media.flatMap(({ userId }) => userId ?? []);
    const { opened, closed } = cameraChange(open, userIds);
    for (const media of this.#media) {
      const { userId } = media;
      if (userId === undefined || !closed.includes(userId)) continue;
      this.#media = this.#media.filter((other) => other !== media);
      const closing = media.close().then(() => {
        this.delivery.drop(media);
        this.#closing.delete(userId);
      });
      this.#closing.set(userId, closing);
      this.#owner.cameraClosed(media);
    }
    for (const plan of cameraConnections(opened, this.#start.plan.offer)) {
      const media = this.#create(plan);
      this.#media = [...this.#media, media];
      // Zoom takes one connection for a camera: the old one has to be closed first.
      void Promise.resolve(this.#closing.get(plan.userId ?? 0)).then(() => {
        const isWanted = this.#media.includes(media) && !this.#scope.signal.aborted;
        if (isWanted) media.dial(CAMERA_SELECTED);
      });
    }
  }

  /** Closes all connections. @returns when the last message has been delivered */
  async close(): Promise<void> {
    this.#scope.abort();
    await Promise.all([...this.#closing.values(), ...this.#media.map((media) => media.close())]);
    for (const media of this.#media) this.delivery.drop(media);
  }

  /**
   * Zoom says that a media connection is broken, but not which. If we have just lost one ourselves, the notice is about
   * that one. Otherwise every connection that brings nothing for `noticeMs`, no keep-alive either, is dialled again.
   */
  check(): void {
    if (this.#checking !== undefined) return;
    this.#checking = this.#scope.signal;
    const noticedMs = this.#options.clock();
    after(this.#options.noticeMs, this.#scope.signal, () => {
      this.#checking = undefined;
      if (this.#media.some((media) => hadTrouble(media.state, noticedMs - EXPLAINED_MS))) return;
      for (const media of this.#up()) {
        const { lastHeardMs } = media;
        if (lastHeardMs <= noticedMs) media.dial('media_connection_interrupted', lastHeardMs);
      }
    });
  }

  mediaChanged(media: MediaConnection, from: ConnectionState, to: ConnectionState): void {
    if (this.#scope.signal.aborted || !this.#media.includes(media)) return;
    if (from.name === 'up' && 'trouble' in to) this.#onLost(media, to.trouble);
    if (to.name === 'up') this.#onUp(media, to.after, to.attempt);
    if (to.name === 'closed') this.#onClosed(media, to.closure);
  }

  /** While another media connection is up, a lost one goes on trying. */
  mayExpire(): boolean {
    return this.#up().length === 0;
  }

  waitsOutTaken(media: MediaConnection, attempt: number): boolean {
    // Mostly our own earlier connection to that camera, which Zoom stops counting soon. If not, the client is told.
    if (media.userId !== undefined) return attempt < CAMERA_ATTEMPTS;
    const hasBeenUp = this.#start.isReconnect || media.hasBeenUp;
    return waitsOutTaken(attempt, hasBeenUp, this.#situation(media));
  }

  #situation(media: MediaConnection) {
    const others = this.#media
      .filter((other) => other !== media && other.userId === undefined)
      .map(({ plan }) => plan);
    return { others, offer: this.#start.plan.offer, unified: this.#unified };
  }

  /** The connection that is up and was opened for this media type, with V2's cameras for this participant. */
  #carrier(mediaType: MediaType, userId: number | undefined): MediaConnection | undefined {
    return this.#up().find(({ plan }) => carries(plan, mediaType, userId));
  }

  #create(plan: PlannedMedia): MediaConnection {
    return new MediaConnection(plan, this.#join, this.#signer, this.#options, this);
  }

  #up(): MediaConnection[] {
    return this.#media.filter((media) => media.state.name === 'up');
  }

  #onLost(media: MediaConnection, trouble: Trouble): void {
    this.#owner.mediaLost(media, trouble);
    if (this.#phase === 'ready') this.#owner.mediaInterrupted(media, trouble);
  }

  #onUp(media: MediaConnection, trouble: Trouble, attempt: number): void {
    for (const mediaType of media.mediaTypes) this.#leftOut.delete(mediaType);
    this.#owner.mediaUp(media);
    if (this.#phase === 'ready') {
      if (trouble.cause === CAMERA_SELECTED) this.#owner.cameraStarted(media);
      else this.#owner.mediaReconnected(media, trouble, attempt);
      this.delivery.release(media);
    } else this.#becomeReady();
  }

  #onClosed(media: MediaConnection, closure: Closure): void {
    const isRefused = closure.name === 'refused' || refusesCameraOnly(media.plan, closure);
    if (closure.name === 'fatal' && !isRefused) {
      this.#owner.mediaEnded(closure);
      return;
    }
    if (isRefused) this.#fallBack(media, 'status' in closure ? closure.status : undefined);
    else this.#media = this.#media.filter((other) => other !== media);
    this.delivery.drop(media);
    if (this.#media.length === 0 && !(isRefused && this.#start.hasCameras)) {
      this.#owner.mediaEnded(closure);
    } else if (this.#phase !== 'ready') this.#becomeReady();
  }

  /** One camera does not come. It can be selected again, and the other connections go on. */
  #refuseCamera(userId: number, status: number): void {
    if (!this.isUp('video')) {
      this.#leftOut.set('video', { mediaType: 'video', reason: 'refused', status });
    }
    this.#owner.cameraRefused(userId, status);
  }

  #fallBack(refused: MediaConnection, status: number | undefined): void {
    const fallback = fallBack({ ...this.#situation(refused), refused: refused.plan, status });
    const replaced =
      fallback.replace === 'all'
        ? this.#media.filter(({ userId }) => userId === undefined)
        : [refused];
    const added = fallback.connections.map((plan) => this.#create(plan));
    const cause = `status_${status ?? 'unknown'}`;
    const { logger, clock } = this.#options;
    const { leftOut, unified } = fallback;
    const { mediaTypes, userId } = refused;
    logger.warn('media refused', { mediaTypes, userId, status, unified, leftOut });
    this.#unified = unified;
    this.#media = [...this.#media.filter((media) => !replaced.includes(media)), ...added];
    for (const media of replaced) {
      if (media.state.name === 'up') this.#onLost(media, { cause, sinceMs: clock() });
    }
    if (userId !== undefined && added.length === 0) this.#refuseCamera(userId, status ?? 0);
    for (const one of leftOut) {
      this.#leftOut.set(one.mediaType, one);
      if (this.#phase === 'ready') this.#owner.mediaLeftOut(one);
    }
    void Promise.all(replaced.map((media) => media.close())).then(() => {
      for (const media of replaced) this.delivery.drop(media);
      if (this.#scope.signal.aborted) return;
      for (const media of added) if (this.#media.includes(media)) media.dial(cause);
    });
  }

  #becomeReady(): void {
    const up = this.#up().length;
    if (up === this.#media.length) this.#onReady();
    else if (up > 0 && this.#phase === 'connecting') {
      this.#phase = 'waiting for the slower ones';
      after(this.#options.mediaWaitMs, this.#scope.signal, () => {
        if (this.#up().length > 0) this.#onReady();
        else if (this.#phase !== 'ready') this.#phase = 'connecting';
      });
    }
  }

  #onReady(): void {
    if (this.#phase === 'ready') return;
    this.#phase = 'ready';
    this.#owner.mediaReady();
    for (const media of this.#media) {
      if (this.#scope.signal.aborted) return;
      if ('trouble' in media.state) {
        const { trouble } = media.state;
        if (trouble.cause !== CAMERA_SELECTED) this.#owner.mediaInterrupted(media, trouble);
      } else if (media.state.name === 'up') this.delivery.release(media);
    }
  }
}
