import { EventEmitter } from 'node:events';
import { ServiceError } from '../shared/errors.ts';
import {
  type ClientInput,
  type ClientState,
  endOfConnection,
  nextClientState,
  stopped,
} from './client-state.ts';
import { after } from './connection/connection.ts';
import type { Closure, ConnectionState, Trouble } from './connection/connection-state.ts';
import { HandshakeSigner, type RtmsJoin } from './connection/handshake-signer.ts';
import { MediaConnections } from './connection/media-connections.ts';
import type { MediaConnectionsStart } from './connection/media-connections-owner.ts';
import { MediaDelivery } from './connection/media-delivery.ts';
import { canOpenCameras, planMedia } from './connection/media-plan.ts';
import {
  type CompleteOptions,
  completeOptions,
  type RtmsClientOptions,
} from './connection/options.ts';
import { Signaling } from './connection/signaling.ts';
import { refusesParticipant } from './connection/verdict.ts';
import type { EndReason, InterruptScope, RtmsClientEvents } from './events.ts';
import { Incoming, type IncomingOwner } from './incoming.ts';
import { type AgreedMedia, agreedMedia } from './protocol/agreed-media.ts';
import { STOP_REASON, STREAM_STATE } from './protocol/constants.ts';
import type {
  StreamStateResp,
  StreamStateUpdate,
  VideoSubscriptionResp,
} from './protocol/decode-signaling.ts';
import { mediaSource } from './protocol/media-type.ts';
import type { OfferedUrls } from './protocol/offered-urls.ts';
import { followsSeveralCameras, wantedMediaTypes } from './protocol/params.ts';
import { toWireParams } from './protocol/wire-params.ts';

/**
 * One RTMS stream: joins it, keeps it joined, and emits everything that it brings as events.
 *
 * Add listeners before `join`. Frames keep Zoom's order per socket. Nothing is buffered here, so a listener
 * that cannot keep up has to bound its own queue. `ended` comes exactly once, as the last event.
 *
 * Over 300 lines because what signaling and media mean for each other is decided here and nowhere else.
 */
export class RtmsClient extends EventEmitter<RtmsClientEvents> {
  #options: CompleteOptions;
  readonly #closeAnswered = Promise.withResolvers<void>();
  #state: ClientState = { name: 'idle' };
  #session: Session | undefined;
  #connections: MediaConnections | undefined;
  /** The connections of the latest handshake, also when they are closed: the next fallback begins where theirs ended. */
  #mediaBefore: MediaConnections | undefined;
  #media: AgreedMedia = {};
  /** Resolves when the media connections of earlier handshakes have delivered their last frame. */
  #draining: Promise<unknown> = Promise.resolve();
  #hasUnknownState = false;
  /** Stop reason of TERMINATING. A connection that closes after it is not dialled again. */
  #announcedStop: number | undefined;
  #ended: Promise<void> | undefined;

  constructor(options: RtmsClientOptions) {
    super();
    this.#options = completeOptions(options);
  }

  get state(): ClientState['name'] {
    return this.#state.name;
  }

  /** Per media type the parameters that its latest handshake agreed on: those of its frames. */
  get media(): AgreedMedia {
    return this.#media;
  }

  /**
   * Starts joining. Everything that follows is told by events.
   *
   * @throws ServiceError `rtms/invalid-state` when the client has joined before
   */
  join(join: RtmsJoin): void {
    if (this.#state.name !== 'idle') {
      throw new ServiceError('rtms/invalid-state', 'a client joins one stream, once');
    }
    this.#apply({ name: 'join' });
    if (this.state !== 'connecting') return;
    const addresses = this.#allowed(join.serverUrls);
    if (addresses.length === 0) {
      void this.#finish({ cause: 'failed', restartable: false });
      return;
    }
    const { renewCredentials, logger, clock } = this.#options;
    const signer = new HandshakeSigner(join, renewCredentials, logger);
    const owner: IncomingOwner = {
      streamState: (update, receivedAtMs) => this.#onStreamState(update, receivedAtMs),
      mediaConnectionInterrupted: () => this.#connections?.check(),
      videoAnswered: (answer) => this.#onVideoAnswered(answer),
      streamCloseAnswered: () => this.#closeAnswered.resolve(),
    };
    const { events } = this.#options.protocol;
    const incoming = new Incoming(join.product, this, clock, owner, events);
    const signalingMedia = new MediaDelivery<'signaling'>(
      this.#options,
      {
        isReady: () => this.#mediaBefore?.isReady() ?? false,
        isWelcome: (_, mediaType) => this.#options.media[mediaType] !== false,
      },
      {
        mediaMessage: (_, message, receivedAtMs) =>
          incoming.signalingMessage(message, receivedAtMs),
        mediaUnasked: (mediaType) => incoming.mediaUnasked(mediaType),
        mediaDropped: (mediaType, message, error) =>
          incoming.mediaDropped(mediaType, message, error),
      },
    );
    const signaling = new Signaling(join, signer, addresses, this.#options, signalingMedia, {
      signalingUp: (serverUrls) => this.#onSignalingUp(serverUrls),
      signalingChanged: (from, to) => this.#onSignalingChanged(from, to),
      signalingMalformed: (error) => incoming.signalingMalformed(error),
    });
    this.#session = { join, signer, incoming, signaling, signalingMedia };
    signaling.dial('join');
  }

  /**
   * Reconnects everything now, because Zoom asked for it: a fail-over with new addresses, or `rtms_interrupted`.
   * Does nothing before `join` and while leaving.
   */
  reconnect(cause: string, serverUrls?: readonly string[]): void {
    if (this.#state.name === 'leaving' || this.#state.name === 'ended') return;
    const addresses = serverUrls && this.#allowed(serverUrls);
    if (addresses?.length === 0) return;
    this.#session?.signaling.dial(cause, addresses);
  }

  /**
   * Closes the sockets. Reads until Zoom's half of each close handshake has come, at most `closeTimeoutMs`.
   * For Zoom this is an interruption: it waits for a client to reconnect.
   *
   * @param options `closeStream`: also end the stream for good, for every client
   * @returns after `ended`
   */
  leave(options: { readonly closeStream?: boolean } = {}): Promise<void> {
    const signaling = this.#session?.signaling;
    if (options.closeStream !== true || signaling?.state.name !== 'up') {
      return this.#finish({ cause: 'left', restartable: false });
    }
    signaling.sendStreamClose();
    after(this.#options.closeTimeoutMs, new AbortController().signal, this.#closeAnswered.resolve);
    return this.#finish({ cause: 'closed', restartable: false }, this.#closeAnswered.promise);
  }

  /**
   * Selects or deselects the participant whose video is sent, with VIDEO_SINGLE_INDIVIDUAL_STREAM. A new
   * selection replaces the one before. It waits until the video connection is up, and is repeated after a reconnect;
   * `videoSubscribed` tells Zoom's answer. If several cameras are asked for (V2), each selected one has a
   * connection of its own until it is deselected.
   *
   * @throws ServiceError `rtms/invalid-state` before `join`
   */
  subscribeVideo(userId: number, on: boolean): void {
    const { signaling } = this.#joined();
    const several = this.#hasCameras;
    const isVideoUp = this.#connections?.isUp('video', several ? userId : undefined) ?? false;
    signaling.subscribeVideo(userId, on, { isVideoUp, several });
    if (several) this.#connections?.setCameras(signaling.selectedVideos);
  }

  get #hasCameras(): boolean {
    return followsSeveralCameras(this.#options.media, this.#options.protocol);
  }

  /**
   * Subscribes to event types or unsubscribes from them, in the product's own numbers. Zoom gives no answer. The
   * subscription is repeated after a reconnect.
   *
   * @throws ServiceError `rtms/invalid-state` before `join`
   */
  subscribeEvents(types: readonly number[], on: boolean): void {
    this.#joined().signaling.subscribeEvents(types, on);
  }

  #joined(): Session {
    if (this.#session !== undefined) return this.#session;
    throw new ServiceError('rtms/invalid-state', 'the client has not joined');
  }

  #allowed(addresses: readonly string[]): string[] {
    const allowed = addresses.filter((address) => this.#options.isAllowedAddress(address));
    if (allowed.length < addresses.length) {
      const error = new ServiceError('rtms/refused-host', 'address outside the allowed hosts');
      this.#options.logger.error('server address refused', { error });
    }
    return allowed;
  }

  #apply(input: ClientInput): void {
    const from = this.#state;
    this.#state = nextClientState(from, input);
    if (this.#state.name !== from.name) this.emit('state', from.name, this.#state.name);
  }

  #finish(reason: EndReason, goodbye: Promise<void> = Promise.resolve()): Promise<void> {
    this.#apply({ name: 'end', reason });
    this.#ended ??= goodbye.then(() => this.#close());
    return this.#ended;
  }

  async #close(): Promise<void> {
    await Promise.all([
      this.#draining,
      this.#connections?.close(),
      this.#session?.signaling.close(),
    ]);
    this.#session?.signalingMedia.drop('signaling');
    this.#apply({ name: 'closed' });
    if (this.#state.name === 'ended') this.emit('ended', this.#state.reason);
  }

  #onSignalingUp(serverUrls: OfferedUrls): void {
    const { layout, currentMedia } = this.#options;
    if (currentMedia !== undefined) this.#options = { ...this.#options, media: currentMedia() };
    const { media } = this.#options;
    this.#session?.incoming.asking(agreedMedia(undefined, toWireParams(media)));
    const before = this.#mediaBefore;
    const hasCameras = this.#hasCameras;
    const plan = planMedia(
      wantedMediaTypes(media),
      before?.unified === 'current' ? 'unified' : layout,
      serverUrls,
      (url) => this.#allowed([url]).length > 0,
      hasCameras ? this.#session?.signaling.selectedVideos : undefined,
    );
    if (plan.connections.length === 0 && !(hasCameras && canOpenCameras(plan.offer))) {
      this.#options.logger.warn('media left out', { leftOut: plan.leftOut });
      void this.#finish({ cause: 'refused', restartable: false });
      return;
    }
    const isReconnect = before !== undefined;
    const unified = before?.unified ?? 'untried';
    const connections = this.#openMedia({ plan, unified, isReconnect, hasCameras });
    this.#connections = connections;
    this.#mediaBefore = connections;
    const cause = this.#state.name === 'reconnecting' ? this.#state.trouble.cause : 'join';
    void this.#draining.then(() => {
      if (this.#connections === connections) connections.dial(cause);
    });
  }

  #openMedia(start: MediaConnectionsStart): MediaConnections {
    const { join, signer, incoming, signaling, signalingMedia } = this.#joined();
    return new MediaConnections(start, join, signer, this.#options, incoming, {
      mediaReady: () => {
        this.#onMediaReady(signaling, incoming);
        signalingMedia.release('signaling');
      },
      mediaUp: (media) => {
        this.#media = { ...this.#media, ...media.granted };
        incoming.resumed(media);
        if (media.mediaTypes.includes('video')) signaling.repeatVideoSubscription(media.userId);
      },
      mediaLost: (media, { sinceMs }) => incoming.interrupted(media.keys, sinceMs),
      mediaInterrupted: ({ mediaTypes, userId }, { cause }) => {
        for (const scope of mediaTypes) {
          this.emit('interrupted', { scope, ...mediaSource({ userId }), cause });
        }
      },
      mediaReconnected: ({ mediaTypes, userId }, trouble, attempt) => {
        signaling.sendReady();
        for (const scope of mediaTypes) this.#emitReconnected(scope, trouble, attempt, userId);
      },
      cameraStarted: () => signaling.sendReady(),
      cameraRefused: (userId, status) => {
        signaling.dropVideoSubscription(userId);
        this.emit('videoSubscribed', { userId, status, reason: 'connection refused' });
      },
      cameraClosed: ({ userId }) => {
        if (userId !== undefined) incoming.cameraClosed(userId);
      },
      mediaLeftOut: ({ mediaType, status }) => {
        this.emit('interrupted', { scope: mediaType, cause: `status_${status ?? 'unknown'}` });
      },
      mediaEnded: (closure) => this.#onConnectionEnded(closure),
    });
  }

  #onMediaReady(signaling: Signaling, incoming: Incoming): void {
    signaling.sendReady();
    const before = this.#state;
    this.#apply({ name: 'ready' });
    const leftOut = this.#connections?.leftOut ?? [];
    if (leftOut.length > 0) this.#options.logger.warn('media left out', { leftOut });
    if (before.name === 'connecting') this.emit('joined', this.#connections?.agreed ?? {}, leftOut);
    if (before.name !== 'reconnecting') return;
    for (const { mediaType, reason, status } of leftOut) {
      // The media connections tell themselves about those that they still try.
      if (reason === 'not_connected' || this.#media[mediaType] === undefined) continue;
      const cause = status === undefined ? reason : `status_${status}`;
      this.emit('interrupted', { scope: mediaType, cause });
    }
    signaling.queryStates(incoming.openSessions);
    const attempt = signaling.state.name === 'up' ? signaling.state.attempt : 1;
    this.#emitReconnected('signaling', before.trouble, attempt);
  }

  #emitReconnected(
    scope: InterruptScope,
    { cause, sinceMs }: Trouble,
    attempt: number,
    userId?: number,
  ): void {
    const durationMs = Math.max(0, Math.round(this.#options.clock() - sinceMs));
    const media = this.#connections?.agreed ?? {};
    const source = mediaSource({ userId });
    this.emit('reconnected', { scope, ...source, cause, attempt, durationMs, media });
  }

  #onSignalingChanged(from: ConnectionState, to: ConnectionState): void {
    if (this.#state.name === 'leaving') this.#closeAnswered.resolve();
    else if (to.name === 'closed') this.#onConnectionEnded(to.closure);
    else if (from.name === 'up' && 'trouble' in to) this.#onSignalingLost(to.trouble);
  }

  #onSignalingLost(trouble: Trouble): void {
    if (this.#announcedStop !== undefined) {
      void this.#finish(stopped(this.#announcedStop));
      return;
    }
    this.#session?.incoming.allInterrupted(trouble.sinceMs);
    this.#draining = Promise.all([this.#draining, this.#connections?.close()]);
    this.#connections = undefined;
    const before = this.#state;
    this.#apply({ name: 'interrupted', trouble });
    if (this.#state === before) return;
    this.emit('interrupted', { scope: 'signaling', cause: trouble.cause });
  }

  #onConnectionEnded(closure: Closure): void {
    if (closure.name === 'left') return;
    void this.#finish(endOfConnection(closure));
  }

  #onStreamState(update: StreamStateUpdate | StreamStateResp, receivedAtMs: number): void {
    const { state, timestampMs = receivedAtMs } = update;
    const stopReason = ('stopReason' in update ? update.stopReason : undefined) ?? 0;
    switch (state) {
      case STREAM_STATE.TERMINATED:
        this.#closeAnswered.resolve();
        void this.#finish(stopped(stopReason || (this.#announcedStop ?? 0)));
        break;
      case STREAM_STATE.TERMINATING:
        this.#announcedStop = stopReason;
        break;
      case STREAM_STATE.INTERRUPTED:
        if (stopReason !== STOP_REASON.SIGNAL_CONNECTION_INTERRUPTED) this.#connections?.check();
        else this.reconnect('signal_connection_interrupted');
        break;
      case STREAM_STATE.PAUSED:
        this.#setPaused('paused', timestampMs);
        break;
      case STREAM_STATE.ACTIVE:
      case STREAM_STATE.RESUMED:
        this.#setPaused('resumed', timestampMs);
        break;
      default:
        // Zoom may add states. Logged once only, so that a peer that makes up states does not fill the log.
        if (!this.#hasUnknownState) this.#options.logger.info('unknown stream state', { state });
        this.#hasUnknownState = true;
    }
  }

  #setPaused(name: 'paused' | 'resumed', timestampMs: number): void {
    const before = this.#state;
    this.#apply({ name });
    if (this.#state !== before) this.emit(name, timestampMs);
  }

  /** @returns false when it is unknown whom the answer is about */
  #onVideoAnswered({ userId: named, statusCode, reason }: VideoSubscriptionResp): boolean {
    const { signaling } = this.#joined();
    const userId = signaling.videoAnswered(named);
    if (userId === undefined) return false;
    if (refusesParticipant(statusCode) && this.#connections?.isUp('video') === true) {
      signaling.dropVideoSubscription(userId);
      if (this.#hasCameras) this.#connections.setCameras(signaling.selectedVideos);
    }
    this.emit('videoSubscribed', { userId, status: statusCode, reason });
    return true;
  }
}

/** What a client has from `join` on. */
interface Session {
  readonly join: RtmsJoin;
  readonly signer: HandshakeSigner;
  readonly incoming: Incoming;
  readonly signaling: Signaling;
  readonly signalingMedia: MediaDelivery<'signaling'>;
}
