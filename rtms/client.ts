import { EventEmitter } from 'node:events';
import { ServiceError } from '../shared/errors.ts';
import { ClientMedia, causeOf } from './client-media.ts';
import {
  type ClientInput,
  type ClientState,
  endOfConnection,
  nextClientState,
  stopped,
} from './client-state.ts';
import type { Closure, ConnectionState, Trouble } from './connection/connection-state.ts';
import { after } from './connection/delays.ts';
import { HandshakeSigner, type RtmsJoin } from './connection/handshake-signer.ts';
import { MediaDelivery } from './connection/media-delivery.ts';
import {
  type CompleteOptions,
  completeOptions,
  type RtmsClientOptions,
} from './connection/options.ts';
import { Signaling } from './connection/signaling.ts';
import type { EndReason, RtmsClientEvents } from './events.ts';
import { Incoming, type IncomingOwner } from './incoming.ts';
import type { AgreedMedia, LeftOutMedia } from './protocol/agreed-media.ts';
import { STREAM_STATE } from './protocol/constants.ts';
import type { StreamStateResp, StreamStateUpdate } from './protocol/decode-signaling.ts';
import type { OfferedUrls } from './protocol/offered-urls.ts';
import { STOP_REASON } from './protocol/stop-reason.ts';

/**
 * One RTMS stream: joins it, keeps it joined, and emits everything that it brings as events. The client decides what
 * signaling and media mean for each other; `ClientMedia` has the media connections, `Incoming` makes the events.
 *
 * Add listeners before `join`. Frames keep Zoom's order per socket. Nothing is buffered here, so a listener
 * that cannot keep up has to bound its own queue. `ended` comes exactly once, as the last event.
 */
export class RtmsClient extends EventEmitter<RtmsClientEvents> {
  readonly #options: CompleteOptions;
  readonly #closeAnswered = Promise.withResolvers<void>();
  #state: ClientState = { name: 'idle' };
  #session: Session | undefined;
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
    return this.#session?.media.agreed ?? {};
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
      mediaConnectionInterrupted: () => this.#session?.media.check(),
      videoAnswered: (answer) => this.#joined().media.videoAnswered(answer),
      streamCloseAnswered: () => this.#closeAnswered.resolve(),
    };
    const { events } = this.#options.protocol;
    const incoming = new Incoming(join.product, this, clock, owner, events);
    const signalingMedia = new MediaDelivery<'signaling'>(
      this.#options,
      {
        isReady: () => this.#session?.media.isReady() ?? false,
        isWelcome: (_, mediaType) => this.#session?.media.isWanted(mediaType) ?? false,
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
    const media = new ClientMedia({ join, signer, incoming, signaling }, this.#options, this, {
      mediaReady: () => this.#onMediaReady(),
      mediaEnded: (closure) => this.#onConnectionEnded(closure),
      allowed: (urls) => this.#allowed(urls),
    });
    this.#session = { incoming, signaling, signalingMedia, media };
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
    this.#joined().media.subscribeVideo(userId, on);
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
    await Promise.all([this.#session?.media.close(), this.#session?.signaling.close()]);
    this.#session?.signalingMedia.drop('signaling');
    this.#apply({ name: 'closed' });
    if (this.#state.name === 'ended') this.emit('ended', this.#state.reason);
  }

  #onSignalingUp(serverUrls: OfferedUrls): void {
    const cause = this.#state.name === 'reconnecting' ? this.#state.trouble.cause : 'join';
    const isOpen = this.#session?.media.open(serverUrls, cause) ?? false;
    if (!isOpen) void this.#finish({ cause: 'refused', restartable: false });
  }

  #onMediaReady(): void {
    const { incoming, signaling, signalingMedia, media } = this.#joined();
    signaling.sendReady();
    const before = this.#state;
    this.#apply({ name: 'ready' });
    const { leftOut } = media;
    if (leftOut.length > 0) this.#options.logger.warn('media left out', { leftOut });
    if (before.name === 'connecting') this.emit('joined', media.flowing, leftOut);
    if (before.name === 'reconnecting') {
      this.#tellLeftOut(leftOut, media.agreed, before.trouble);
      signaling.queryStates(incoming.openSessions);
      const attempt = signaling.state.name === 'up' ? signaling.state.attempt : 1;
      media.signalingReconnected(before.trouble, attempt);
    }
    signalingMedia.release('signaling');
  }

  /** After a reconnect: media types that flowed before and do not come back. Those still being tried are told later. */
  #tellLeftOut(leftOut: readonly LeftOutMedia[], agreed: AgreedMedia, { sinceMs }: Trouble): void {
    for (const { mediaType, reason, status } of leftOut) {
      if (reason === 'not_connected' || agreed[mediaType] === undefined) continue;
      const cause = status === undefined ? reason : `status_${status}`;
      this.#session?.media.interrupted({ scope: mediaType, trouble: { cause, sinceMs } });
    }
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
    this.#session?.incoming.allInterrupted(trouble);
    this.#session?.media.drain();
    const before = this.#state;
    this.#apply({ name: 'interrupted', trouble });
    if (this.#state === before) return;
    this.emit('interrupted', { scope: 'signaling', ...causeOf(trouble, this.#options.clock()) });
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
        if (stopReason !== STOP_REASON.SIGNAL_CONNECTION_INTERRUPTED) this.#session?.media.check();
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
}

/** What a client has from `join` on. */
interface Session {
  readonly incoming: Incoming;
  readonly signaling: Signaling;
  /** Media that comes over the signaling socket. */
  readonly signalingMedia: MediaDelivery<'signaling'>;
  readonly media: ClientMedia;
}
