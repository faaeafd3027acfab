import type { EventEmitter } from 'node:events';
import { type Closure, goneSince, type Trouble } from './connection/connection-state.ts';
import type { HandshakeSigner, RtmsJoin } from './connection/handshake-signer.ts';
import { MediaConnections } from './connection/media-connections.ts';
import type { MediaConnectionsOwner } from './connection/media-connections-owner.ts';
import { canOpenCameras, planMedia } from './connection/media-plan.ts';
import type { CompleteOptions } from './connection/options.ts';
import type { Signaling } from './connection/signaling.ts';
import { refusesParticipant } from './connection/verdict.ts';
import type { InterruptScope, RtmsClientEvents } from './events.ts';
import type { Incoming } from './incoming.ts';
import { type AgreedMedia, agreedMedia, type LeftOutMedia } from './protocol/agreed-media.ts';
import type { VideoSubscriptionResp } from './protocol/decode-signaling.ts';
import { type MediaType, mediaSource } from './protocol/media-type.ts';
import type { OfferedUrls } from './protocol/offered-urls.ts';
import { followsSeveralCameras, wantedMediaTypes } from './protocol/params.ts';
import { toWireParams } from './protocol/wire-params.ts';

/** What `ClientMedia` tells its client, and asks it. */
export interface ClientMediaOwner {
  /** The media connections of a signaling handshake are ready: media may flow. */
  mediaReady(): void;
  /** No media connection is left, or Zoom says that the stream is not ours. */
  mediaEnded(closure: Closure): void;
  /** The addresses among these that may be used. */
  allowed(addresses: readonly string[]): readonly string[];
}

/** What the media of a client needs of the rest of it. */
export interface ClientMediaParts {
  readonly join: RtmsJoin;
  readonly signer: HandshakeSigner;
  readonly incoming: Incoming;
  readonly signaling: Signaling;
}

/** A media type that is not there: by its connection, or one camera's. */
interface Down {
  readonly scope: MediaType;
  readonly userId?: number | undefined;
  readonly trouble: Trouble;
}

/** What `interrupted` tells of a trouble; its duration where that began well before it was noticed. */
export function causeOf(
  { cause, goneMs }: Trouble,
  nowMs: number,
): Pick<RtmsClientEvents['interrupted'][0], 'cause' | 'durationMs'> {
  return goneMs === undefined
    ? { cause }
    : { cause, durationMs: Math.max(0, Math.round(nowMs - goneMs)) };
}

const keyOf = (scope: MediaType, userId?: number) => `${scope}/${userId ?? ''}`;

/**
 * The media connections of one client across its signaling handshakes. Each handshake opens new ones: after those of the
 * handshake before are closed, and in the form that Zoom accepted there.
 */
export class ClientMedia {
  readonly #parts: ClientMediaParts;
  /** `media` is what was wanted at the latest handshake. */
  #options: CompleteOptions;
  readonly #events: EventEmitter<RtmsClientEvents>;
  readonly #owner: ClientMediaOwner;
  /** Undefined while signaling is down. */
  #connections: MediaConnections | undefined;
  /** The connections of the latest handshake, also when they are closed: the next fallback begins where theirs ended. */
  #latest: MediaConnections | undefined;
  #agreed: AgreedMedia = {};
  /** Media types of which an interruption was told, and not yet that they are back, by `keyOf`. */
  readonly #down = new Map<string, Down>();
  /** Resolves when the connections of earlier handshakes have delivered their last frame. */
  #draining: Promise<unknown> = Promise.resolve();

  constructor(
    parts: ClientMediaParts,
    options: CompleteOptions,
    events: EventEmitter<RtmsClientEvents>,
    owner: ClientMediaOwner,
  ) {
    this.#parts = parts;
    this.#options = options;
    this.#events = events;
    this.#owner = owner;
  }

  /** Per media type the parameters that its latest handshake agreed on: those of its frames. */
  get agreed(): AgreedMedia {
    return this.#agreed;
  }

  /** Parameters of the media types that are up. */
  get flowing(): AgreedMedia {
    return this.#connections?.agreed ?? {};
  }

  /** Wanted media types that do not flow, each with its reason. */
  get leftOut(): readonly LeftOutMedia[] {
    return this.#connections?.leftOut ?? [];
  }

  /** Whether the parameters of the latest handshake are known, so that data may be told. */
  isReady(): boolean {
    return this.#latest?.isReady() ?? false;
  }

  isWanted(mediaType: MediaType): boolean {
    return this.#options.media[mediaType] !== false;
  }

  /**
   * Opens the media connections of a signaling handshake.
   *
   * @param cause of the handshake, for logs and events
   * @returns false when Zoom offered nothing of what is wanted
   */
  open(serverUrls: OfferedUrls, cause: string): boolean {
    const { layout, currentMedia, logger } = this.#options;
    if (currentMedia !== undefined) this.#options = { ...this.#options, media: currentMedia() };
    const { media } = this.#options;
    const { join, signer, incoming, signaling } = this.#parts;
    incoming.asking(agreedMedia(undefined, toWireParams(media)));
    const before = this.#latest;
    const hasCameras = this.#hasCameras;
    const plan = planMedia(
      wantedMediaTypes(media),
      before?.unified === 'current' ? 'unified' : layout,
      serverUrls,
      (url) => this.#owner.allowed([url]).length > 0,
      hasCameras ? signaling.selectedVideos : undefined,
    );
    if (plan.connections.length === 0 && !(hasCameras && canOpenCameras(plan.offer))) {
      logger.warn('media left out', { leftOut: plan.leftOut });
      return false;
    }
    const isReconnect = before !== undefined;
    const unified = before?.unified ?? 'untried';
    const start = { plan, unified, isReconnect, hasCameras };
    const owner = this.#connectionsOwner();
    const connections = new MediaConnections(start, join, signer, this.#options, incoming, owner);
    this.#connections = connections;
    this.#latest = connections;
    void this.#draining.then(() => {
      if (this.#connections === connections) connections.dial(cause);
    });
    return true;
  }

  /** Closes the connections of this handshake. The next handshake waits for their last frame. */
  drain(): void {
    this.#draining = Promise.all([this.#draining, this.#connections?.close()]);
    this.#connections = undefined;
  }

  /** Closes everything. @returns when the last message has been delivered */
  close(): Promise<unknown> {
    return Promise.all([this.#draining, this.#connections?.close()]);
  }

  /** Zoom says that a media connection is broken, but not which. */
  check(): void {
    this.#connections?.check();
  }

  /** Selects or deselects the participant whose video is sent. */
  subscribeVideo(userId: number, on: boolean): void {
    const { signaling } = this.#parts;
    const several = this.#hasCameras;
    const isVideoUp = this.#connections?.isUp('video', several ? userId : undefined) ?? false;
    signaling.subscribeVideo(userId, on, { isVideoUp, several });
    if (several) this.#connections?.setCameras(signaling.selectedVideos);
  }

  /** @returns false when it is unknown whom the answer is about */
  videoAnswered({ userId: named, statusCode, reason }: VideoSubscriptionResp): boolean {
    const { signaling } = this.#parts;
    const userId = signaling.videoAnswered(named);
    if (userId === undefined) return false;
    if (refusesParticipant(statusCode) && this.#connections?.isUp('video') === true) {
      signaling.dropVideoSubscription(userId);
      if (this.#hasCameras) this.#connections.setCameras(signaling.selectedVideos);
    }
    this.#events.emit('videoSubscribed', { userId, status: statusCode, reason });
    return true;
  }

  /** Tells that a media type is not there any more. Its first sign stands until it is back, whatever breaks meanwhile. */
  interrupted(down: Down): void {
    const { scope, userId, trouble } = down;
    const key = keyOf(scope, userId);
    if (!this.#down.has(key)) this.#down.set(key, down);
    const source = mediaSource({ userId });
    this.#events.emit('interrupted', {
      scope,
      ...source,
      ...causeOf(trouble, this.#options.clock()),
    });
  }

  /**
   * Tells that signaling is back, and then each media type that was gone before signaling was lost, and is back with it. That of
   * signaling alone would hide the time before it.
   */
  signalingReconnected(trouble: Trouble, attempt: number): void {
    this.#emitReconnected('signaling', trouble, attempt);
    for (const { scope, userId, trouble: before } of [...this.#down.values()]) {
      if (this.#connections?.isUp(scope, userId)) {
        this.#mediaReconnected(scope, before, attempt, userId);
      }
    }
  }

  #mediaReconnected(scope: MediaType, trouble: Trouble, attempt: number, userId?: number): void {
    const key = keyOf(scope, userId);
    const first = this.#down.get(key)?.trouble ?? trouble;
    this.#down.delete(key);
    this.#emitReconnected(scope, first, attempt, userId);
  }

  #emitReconnected(
    scope: InterruptScope,
    trouble: Trouble,
    attempt: number,
    userId?: number,
  ): void {
    const { cause } = trouble;
    const durationMs = Math.max(0, Math.round(this.#options.clock() - goneSince(trouble)));
    const source = mediaSource({ userId });
    const media = this.flowing;
    this.#events.emit('reconnected', { scope, ...source, cause, attempt, durationMs, media });
  }

  get #hasCameras(): boolean {
    return followsSeveralCameras(this.#options.media, this.#options.protocol);
  }

  #connectionsOwner(): MediaConnectionsOwner {
    const { incoming, signaling } = this.#parts;
    return {
      mediaReady: () => this.#owner.mediaReady(),
      mediaUp: (media) => {
        this.#agreed = { ...this.#agreed, ...media.granted };
        incoming.resumed(media);
        if (media.mediaTypes.includes('video')) signaling.repeatVideoSubscription(media.userId);
      },
      mediaLost: (media, trouble) => incoming.interrupted(media.keys, trouble),
      mediaInterrupted: ({ mediaTypes, userId }, trouble) => {
        for (const scope of mediaTypes) this.interrupted({ scope, userId, trouble });
      },
      mediaReconnected: ({ mediaTypes, userId }, trouble, attempt) => {
        signaling.sendReady();
        for (const scope of mediaTypes) this.#mediaReconnected(scope, trouble, attempt, userId);
      },
      cameraStarted: () => signaling.sendReady(),
      cameraRefused: (userId, status) => {
        signaling.dropVideoSubscription(userId);
        this.#events.emit('videoSubscribed', { userId, status, reason: 'connection refused' });
      },
      cameraClosed: ({ userId }) => {
        if (userId === undefined) return;
        this.#down.delete(keyOf('video', userId));
        incoming.cameraClosed(userId);
      },
      mediaLeftOut: ({ mediaType, status }) => {
        const trouble = { cause: `status_${status ?? 'unknown'}`, sinceMs: this.#options.clock() };
        this.interrupted({ scope: mediaType, trouble });
      },
      mediaEnded: (closure) => this.#owner.mediaEnded(closure),
    };
  }
}
