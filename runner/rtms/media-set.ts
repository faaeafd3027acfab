import type { ServiceError } from '../../shared/errors.ts';
import type { RtmsMessage } from '../../shared/rtms/codec.ts';
import type { EffectiveMedia } from '../../shared/rtms/effective-media.ts';
import type { CompleteOptions } from './client-options.ts';
import { after } from './connection.ts';
import type { Closure, ConnectionState, Trouble } from './connection-state.ts';
import type { RtmsJoin } from './events.ts';
import type { HandshakeSigner } from './handshake-signer.ts';
import { Media, type MediaOwner } from './media.ts';
import type { PlannedMedia } from './media-plan.ts';
import { mediaTypeOfStatus } from './verdict.ts';

export interface MediaSetOwner {
  /** The first connections are up and none is about to be: media may flow. */
  mediaSettled(): void;
  /** A connection came up: before or after the set settled. */
  mediaUp(media: Media): void;
  mediaLost(media: Media, trouble: Trouble): void;
  /** After the set settled: one connection is down, one is back. */
  mediaInterrupted(media: Media, trouble: Trouble): void;
  mediaReconnected(media: Media, trouble: Trouble, attempt: number): void;
  /** No connection is left, or Zoom disowned the stream. */
  mediaEnded(closure: Closure): void;
  mediaMessage(media: Media, message: RtmsMessage, receivedAtMs: number): void;
  mediaMalformed(media: Media, error: ServiceError): void;
}

/** A loss this recent explains a notice. */
const EXPLAINED_MS = 5_000;

/** The media connections that belong to one signaling handshake. */
export class MediaSet implements MediaOwner {
  readonly #join: RtmsJoin;
  readonly #signer: HandshakeSigner;
  readonly #options: CompleteOptions;
  readonly #owner: MediaSetOwner;
  readonly #scope = new AbortController();
  #media: readonly Media[];
  #phase: 'settling' | 'waiting for the slower ones' | 'settled' = 'settling';
  #checking: AbortSignal | undefined;

  constructor(
    plans: readonly PlannedMedia[],
    join: RtmsJoin,
    signer: HandshakeSigner,
    options: CompleteOptions,
    owner: MediaSetOwner,
  ) {
    this.#join = join;
    this.#signer = signer;
    this.#options = options;
    this.#owner = owner;
    this.#media = plans.map((plan) => this.#create(plan));
  }

  dial(cause: string): void {
    for (const media of this.#media) media.dial(cause);
  }

  /** Effective parameters of the connections that are up. */
  get effective(): EffectiveMedia {
    return Object.assign({}, ...this.#up().map((media) => media.effective)) as EffectiveMedia;
  }

  /** Closes all; resolves when the last message has been delivered. */
  close(): Promise<unknown> {
    this.#scope.abort();
    return Promise.all(this.#media.map((media) => media.close()));
  }

  /**
   * Zoom says that a media connection is broken, but not which. If we lost one ourselves, that was it;
   * otherwise every connection that brought nothing since, no keep-alive either, is redone.
   */
  check(): void {
    if (this.#checking !== undefined) return;
    this.#checking = this.#scope.signal;
    const noticedMs = this.#options.now();
    after(this.#options.noticeMs, this.#scope.signal, () => {
      this.#checking = undefined;
      if (this.#media.some((media) => hadTrouble(media.state, noticedMs - EXPLAINED_MS))) return;
      for (const media of this.#up()) {
        if (media.lastHeardMs <= noticedMs) media.dial('media_connection_interrupted');
      }
    });
  }

  mediaChanged(media: Media, from: ConnectionState, to: ConnectionState): void {
    if (this.#scope.signal.aborted) return;
    if (from.name === 'up' && 'trouble' in to) this.#onLost(media, to.trouble);
    if (to.name === 'up') this.#onUp(media, to.after, to.attempt);
    if (to.name === 'closed') this.#onClosed(media, to.closure);
  }

  mediaMessage(media: Media, message: RtmsMessage, receivedAtMs: number): void {
    this.#owner.mediaMessage(media, message, receivedAtMs);
  }

  mediaMalformed(media: Media, error: ServiceError): void {
    this.#owner.mediaMalformed(media, error);
  }

  mayGiveUp(): boolean {
    return this.#up().length === 0;
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
    this.#owner.mediaUp(media);
    if (this.#phase === 'settled') this.#owner.mediaReconnected(media, trouble, attempt);
    else this.#settle();
  }

  #onClosed(media: Media, closure: Closure): void {
    const { logger } = this.#options;
    logger.warn('media left out', { mediaTypes: media.mediaTypes, closure });
    if (closure.name === 'fatal') {
      this.#owner.mediaEnded(closure);
      return;
    }
    const reduced = closure.name === 'refused' && withoutRefused(media, closure.status);
    this.#media = this.#media.filter((other) => other !== media);
    if (reduced) {
      const rest = this.#create(reduced);
      this.#media = [...this.#media, rest];
      void media.close().then(() => {
        if (!this.#scope.signal.aborted) rest.dial('refused_in_part');
      });
    }
    if (this.#media.length === 0) this.#owner.mediaEnded(closure);
    else if (this.#phase !== 'settled') this.#settle();
  }

  #settle(): void {
    const up = this.#up().length;
    if (up === this.#media.length) this.#onSettled();
    else if (up > 0 && this.#phase === 'settling') {
      this.#phase = 'waiting for the slower ones';
      after(this.#options.settleMs, this.#scope.signal, () => this.#onSettled());
    }
  }

  #onSettled(): void {
    if (this.#phase === 'settled') return;
    this.#phase = 'settled';
    this.#owner.mediaSettled();
    for (const media of this.#media) {
      if (this.#scope.signal.aborted) return;
      if ('trouble' in media.state) this.#owner.mediaInterrupted(media, media.state.trouble);
    }
  }
}

/** Not up, or back up after a loss since then. */
function hadTrouble(state: ConnectionState, sinceMs: number): boolean {
  if (state.name !== 'up') return true;
  return state.after.cause !== 'join' && state.after.sinceMs >= sinceMs;
}

/** What remains of a unified connection when Zoom refuses one of its media types. */
function withoutRefused(media: Media, status: number | undefined): PlannedMedia | undefined {
  const refused = status === undefined ? undefined : mediaTypeOfStatus(status);
  const mediaTypes = media.mediaTypes.filter((mediaType) => mediaType !== refused);
  const isReduced = mediaTypes.length > 0 && mediaTypes.length < media.mediaTypes.length;
  return isReduced ? { url: media.url, mediaTypes } : undefined;
}
