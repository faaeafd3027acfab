import type { ServiceError } from '../../shared/errors.ts';
import type { LeftOutMedia } from '../../shared/record/event-data.ts';
import type { CompleteOptions } from '../client-options.ts';
import type { RtmsJoin } from '../events.ts';
import type { AgreedMedia } from '../protocol/agreed-media.ts';
import type { RtmsMessage } from '../protocol/codec.ts';
import { MEDIA_TYPES, type MediaType } from '../protocol/media-type.ts';
import { wantedMediaTypes } from '../protocol/params.ts';
import { after } from './connection.ts';
import {
  type Closure,
  type ConnectionState,
  hadTrouble,
  type Trouble,
} from './connection-state.ts';
import type { HandshakeSigner } from './handshake-signer.ts';
import { Media, type MediaOwner } from './media-connection.ts';
import type { MediaSetOwner, MediaSetStart } from './media-connections-owner.ts';
import { MediaDelivery } from './media-delivery.ts';
import { fallBack, refusesCameraOnly, waitsOutTaken } from './media-fallback.ts';
import { cameraChange, carries } from './media-key.ts';
import { cameraConnections, type PlannedMedia, type UnifiedFallback } from './media-plan.ts';

/** A loss this recent explains a notice. */
const EXPLAINED_MS = 5_000;
/** How often a camera is asked for that Zoom says it sends already. */
const CAMERA_ATTEMPTS = 5;
/** Cause of a connection that is opened because a camera was selected: nothing is interrupted, nothing comes back. */
const CAMERA_SELECTED = 'camera_selected';

/** The media connections that belong to one signaling handshake. */
export class MediaSet implements MediaOwner {
  readonly #start: MediaSetStart;
  readonly #join: RtmsJoin;
  readonly #signer: HandshakeSigner;
  readonly #options: CompleteOptions;
  readonly #owner: MediaSetOwner;
  readonly #scope = new AbortController();
  readonly #delivery: MediaDelivery;
  readonly #leftOut = new Map<MediaType, LeftOutMedia>();
  /** Connections of cameras that are wanted no more, until they are gone. */
  readonly #closing = new Map<number, Promise<unknown>>();
  #unified: UnifiedFallback;
  #media: readonly Media[];
  #phase: 'settling' | 'waiting for the slower ones' | 'settled' = 'settling';
  #checking: AbortSignal | undefined;

  constructor(
    start: MediaSetStart,
    join: RtmsJoin,
    signer: HandshakeSigner,
    options: CompleteOptions,
    owner: MediaSetOwner,
  ) {
    this.#start = start;
    this.#join = join;
    this.#signer = signer;
    this.#options = options;
    this.#owner = owner;
    this.#unified = start.unified;
    this.#delivery = new MediaDelivery({
      options,
      owner,
      carrier: (mediaType, userId) => this.#carrier(mediaType, userId),
    });
    for (const leftOut of start.plan.leftOut) this.#leftOut.set(leftOut.mediaType, leftOut);
    this.#media = start.plan.connections.map((plan) => this.#create(plan));
  }

  dial(cause: string): void {
    for (const media of this.#media) media.dial(cause);
    // Nobody's camera is wanted yet, and nothing else: there is nothing to wait for.
    if (this.#media.length === 0) this.#onSettled();
  }

  /** Parameters of the media types that are up. */
  get effective(): AgreedMedia {
    const up: AgreedMedia = Object.assign({}, ...this.#up().map((media) => media.granted));
    return Object.fromEntries(
      MEDIA_TYPES.flatMap((mediaType) => (up[mediaType] ? [[mediaType, up[mediaType]]] : [])),
    );
  }

  /** Wanted media types that do not flow, each with its reason. */
  get leftOut(): readonly LeftOutMedia[] {
    const flowing = Object.keys(this.effective);
    // Without a camera to open yet, nothing is missing.
    const isWaiting = (mediaType: MediaType) =>
      this.#start.hasCameras && mediaType === 'video' && !this.#leftOut.has(mediaType);
    return wantedMediaTypes(this.#options.media)
      .filter((mediaType) => !flowing.includes(mediaType) && !isWaiting(mediaType))
      .map((mediaType) => {
        const known = this.#leftOut.get(mediaType);
        if (known !== undefined) return known;
        const isMissing = this.#up().some((media) => media.notGranted.includes(mediaType));
        return { mediaType, reason: isMissing ? 'not_granted' : 'not_connected' };
      });
  }

  /** How far this set had to go; the next one need not try in vain again. */
  get unified(): UnifiedFallback {
    return this.#unified;
  }

  /** Whether the parameters of whatever comes are known: media may be told. */
  get isSettled(): boolean {
    return this.#phase === 'settled';
  }

  /** @param userId of whom; undefined: of anybody */
  isUp(mediaType: MediaType, userId?: number): boolean {
    return this.#carrier(mediaType, userId) !== undefined;
  }

  /** V2: opens a connection for each of these cameras that has none, and closes those of others. */
  setCameras(userIds: readonly number[]): void {
    if (this.#scope.signal.aborted) return;
    const open = this.#media.flatMap(({ userId }) => userId ?? []);
    const { opened, closed } = cameraChange(open, userIds);
    for (const media of this.#media) {
      const { userId } = media;
      if (userId === undefined || !closed.includes(userId)) continue;
      this.#media = this.#media.filter((other) => other !== media);
      const closing = media.close().then(() => {
        this.#delivery.drop(media);
        this.#closing.delete(userId);
      });
      this.#closing.set(userId, closing);
      this.#owner.cameraClosed(media);
    }
    for (const plan of cameraConnections(opened, this.#start.plan.offer)) {
      const media = this.#create(plan);
      this.#media = [...this.#media, media];
      // Zoom takes one connection of a camera: the old one has to be gone first.
      void Promise.resolve(this.#closing.get(plan.userId ?? 0)).then(() => {
        const isWanted = this.#media.includes(media) && !this.#scope.signal.aborted;
        if (isWanted) media.dial(CAMERA_SELECTED);
      });
    }
  }

  /** Closes all; resolves when the last message has been delivered. */
  async close(): Promise<void> {
    this.#scope.abort();
    await Promise.all([...this.#closing.values(), ...this.#media.map((media) => media.close())]);
    for (const media of this.#media) this.#delivery.drop(media);
  }

  /**
   * Zoom says that a media connection is broken, but not which. If we lost one ourselves, that was it;
   * otherwise every connection that brought nothing since, no keep-alive either, is redone.
   */
  check(): void {
    if (this.#checking !== undefined) return;
    this.#checking = this.#scope.signal;
    const noticedMs = this.#options.clock();
    after(this.#options.noticeMs, this.#scope.signal, () => {
      this.#checking = undefined;
      if (this.#media.some((media) => hadTrouble(media.state, noticedMs - EXPLAINED_MS))) return;
      for (const media of this.#up()) {
        if (media.lastHeardMs <= noticedMs) media.dial('media_connection_interrupted');
      }
    });
  }

  mediaChanged(media: Media, from: ConnectionState, to: ConnectionState): void {
    if (this.#scope.signal.aborted || !this.#media.includes(media)) return;
    if (from.name === 'up' && 'trouble' in to) this.#onLost(media, to.trouble);
    if (to.name === 'up') this.#onUp(media, to.after, to.attempt);
    if (to.name === 'closed') this.#onClosed(media, to.closure);
  }

  mediaMessage(media: Media, message: RtmsMessage, receivedAtMs: number, isEarly: boolean): void {
    this.#delivery.message(media, message, receivedAtMs, !isEarly && this.isSettled);
  }

  mediaMalformed(media: Media, error: ServiceError): void {
    this.#owner.mediaMalformed(media, error);
  }

  mayGiveUp(): boolean {
    return this.#up().length === 0;
  }

  waitsOutTaken(media: Media, attempt: number): boolean {
    // Our own connection to that camera: Zoom forgets it soon, or it is something else that the client has to be told.
    if (media.userId !== undefined) return attempt < CAMERA_ATTEMPTS;
    const hasBeenUp = this.#start.isReconnect || media.hasBeenUp;
    return waitsOutTaken(attempt, hasBeenUp, this.#situation(media));
  }

  #situation(media: Media) {
    const others = this.#media
      .filter((other) => other !== media && other.userId === undefined)
      .map(({ plan }) => plan);
    return { others, offer: this.#start.plan.offer, unified: this.#unified };
  }

  /** The connection that is up and was asked for this: a media type, of V2's cameras this participant's. */
  #carrier(mediaType: MediaType, userId: number | undefined): Media | undefined {
    return this.#up().find(({ plan }) => carries(plan, mediaType, userId));
  }

  #create(plan: PlannedMedia): Media {
    return new Media(plan, this.#join, this.#signer, this.#options, this);
  }

  #up(): Media[] {
    return this.#media.filter((media) => media.state.name === 'up');
  }

  #onLost(media: Media, trouble: Trouble): void {
    this.#owner.mediaLost(media, trouble);
    if (this.#phase === 'settled') this.#owner.mediaInterrupted(media, trouble);
  }

  #onUp(media: Media, trouble: Trouble, attempt: number): void {
    for (const mediaType of media.mediaTypes) this.#leftOut.delete(mediaType);
    this.#owner.mediaUp(media);
    if (this.#phase === 'settled') {
      if (trouble.cause === CAMERA_SELECTED) this.#owner.cameraStarted(media);
      else this.#owner.mediaReconnected(media, trouble, attempt);
      this.#delivery.release(media);
    } else this.#settle();
  }

  #onClosed(media: Media, closure: Closure): void {
    const isRefused = closure.name === 'refused' || refusesCameraOnly(media.plan, closure);
    if (closure.name === 'fatal' && !isRefused) {
      this.#owner.mediaEnded(closure);
      return;
    }
    if (isRefused) this.#fallBack(media, 'status' in closure ? closure.status : undefined);
    else this.#media = this.#media.filter((other) => other !== media);
    this.#delivery.drop(media);
    if (this.#media.length === 0 && !(isRefused && this.#start.hasCameras)) {
      this.#owner.mediaEnded(closure);
    } else if (this.#phase !== 'settled') this.#settle();
  }

  /** One camera does not come: it can be asked for again, and the set goes on without it. */
  #refuseCamera(userId: number, status: number): void {
    if (!this.isUp('video')) {
      this.#leftOut.set('video', { mediaType: 'video', reason: 'refused', status });
    }
    this.#owner.cameraRefused(userId, status);
  }

  #fallBack(refused: Media, status: number | undefined): void {
    const fallback = fallBack({ ...this.#situation(refused), refused: refused.plan, status });
    const replaced =
      fallback.replace === 'all'
        ? this.#media.filter(({ userId }) => userId === undefined)
        : [refused];
    const added = fallback.connections.map((plan) => this.#create(plan));
    const cause = `status_${status ?? 'unknown'}`;
    const { logger, now } = this.#options;
    const { leftOut, unified } = fallback;
    const { mediaTypes, userId } = refused;
    logger.warn('media refused', { mediaTypes, userId, status, unified, leftOut });
    this.#unified = unified;
    this.#media = [...this.#media.filter((media) => !replaced.includes(media)), ...added];
    for (const media of replaced) {
      if (media.state.name === 'up') this.#onLost(media, { cause, sinceMs: now() });
    }
    if (userId !== undefined && added.length === 0) this.#refuseCamera(userId, status ?? 0);
    for (const one of leftOut) {
      this.#leftOut.set(one.mediaType, one);
      if (this.#phase === 'settled') this.#owner.mediaLeftOut(one);
    }
    void Promise.all(replaced.map((media) => media.close())).then(() => {
      for (const media of replaced) this.#delivery.drop(media);
      if (this.#scope.signal.aborted) return;
      for (const media of added) if (this.#media.includes(media)) media.dial(cause);
    });
  }

  #settle(): void {
    const up = this.#up().length;
    if (up === this.#media.length) this.#onSettled();
    else if (up > 0 && this.#phase === 'settling') {
      this.#phase = 'waiting for the slower ones';
      after(this.#options.settleMs, this.#scope.signal, () => {
        if (this.#up().length > 0) this.#onSettled();
        else if (this.#phase !== 'settled') this.#phase = 'settling';
      });
    }
  }

  #onSettled(): void {
    if (this.#phase === 'settled') return;
    this.#phase = 'settled';
    this.#owner.mediaSettled();
    for (const media of this.#media) {
      if (this.#scope.signal.aborted) return;
      if ('trouble' in media.state) {
        const { trouble } = media.state;
        if (trouble.cause !== CAMERA_SELECTED) this.#owner.mediaInterrupted(media, trouble);
      } else if (media.state.name === 'up') this.#delivery.release(media);
    }
  }
}
