import type { ServiceError } from '../../shared/errors.ts';
import type { LeftOutMedia } from '../../shared/record/event-data.ts';
import type { CompleteOptions } from '../client-options.ts';
import type { RtmsJoin } from '../events.ts';
import type { EffectiveMedia } from '../protocol/agreed-media.ts';
import type { RtmsMessage } from '../protocol/codec.ts';
import { MEDIA_TYPES, type MediaType } from '../protocol/media-type.ts';
import { wantedMediaTypes } from '../protocol/params.ts';
import { after } from './connection.ts';
import type { Closure, ConnectionState, Trouble } from './connection-state.ts';
import type { HandshakeSigner } from './handshake-signer.ts';
import { earlyMediaLost, HeldMessages } from './held-messages.ts';
import { Media, type MediaOwner } from './media-connection.ts';
import { fallBack, waitsOutTaken } from './media-fallback.ts';
import { dataTypeOf } from './media-messages.ts';
import type { MediaPlan, PlannedMedia, UnifiedFallback } from './media-plan.ts';

export interface MediaSetOwner {
  /** The first connections are up and none is about to be: media may flow. */
  mediaSettled(): void;
  /** A connection came up: before or after the set settled. */
  mediaUp(media: Media): void;
  mediaLost(media: Media, trouble: Trouble): void;
  /** After the set settled: one connection is down, one is back. */
  mediaInterrupted(media: Media, trouble: Trouble): void;
  mediaReconnected(media: Media, trouble: Trouble, attempt: number): void;
  /** After the set settled: Zoom refused a media type for good. */
  mediaLeftOut(leftOut: LeftOutMedia): void;
  /** No connection is left, or Zoom disowned the stream. */
  mediaEnded(closure: Closure): void;
  mediaMessage(media: Media, message: RtmsMessage, receivedAtMs: number): void;
  /** A data message is lost: it came before its parameters, and they never came or it was too much to keep. */
  mediaDropped(mediaType: MediaType, message: RtmsMessage, error: ServiceError): void;
  /** A data message of a media type that nobody wants, or that another connection carries. */
  mediaUnasked(mediaType: MediaType): void;
  mediaMalformed(media: Media, error: ServiceError): void;
}

/** What the sets of one client hand on to the next, and how the first begins. */
export interface MediaSetStart {
  readonly plan: MediaPlan;
  readonly unified: UnifiedFallback;
  /** Zoom may still count the connections of an earlier set. */
  readonly isReconnect: boolean;
}

/** A loss this recent explains a notice. */
const EXPLAINED_MS = 5_000;

/** The media connections that belong to one signaling handshake. */
export class MediaSet implements MediaOwner {
  readonly #start: MediaSetStart;
  readonly #join: RtmsJoin;
  readonly #signer: HandshakeSigner;
  readonly #options: CompleteOptions;
  readonly #owner: MediaSetOwner;
  readonly #scope = new AbortController();
  readonly #held: HeldMessages<Media>;
  readonly #leftOut = new Map<MediaType, LeftOutMedia>();
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
    this.#held = new HeldMessages(options);
    for (const leftOut of start.plan.leftOut) this.#leftOut.set(leftOut.mediaType, leftOut);
    this.#media = start.plan.connections.map((plan) => this.#create(plan));
  }

  dial(cause: string): void {
    for (const media of this.#media) media.dial(cause);
  }

  /** Parameters of the media types that are up. */
  get effective(): EffectiveMedia {
    const up: EffectiveMedia = Object.assign({}, ...this.#up().map((media) => media.granted));
    return Object.fromEntries(
      MEDIA_TYPES.flatMap((mediaType) => (up[mediaType] ? [[mediaType, up[mediaType]]] : [])),
    );
  }

  /** Wanted media types that do not flow, each with its reason. */
  get leftOut(): readonly LeftOutMedia[] {
    const flowing = Object.keys(this.effective);
    return wantedMediaTypes(this.#options.media)
      .filter((mediaType) => !flowing.includes(mediaType))
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

  isUp(mediaType: MediaType): boolean {
    return this.#carrier(mediaType) !== undefined;
  }

  /** Closes all; resolves when the last message has been delivered. */
  async close(): Promise<void> {
    this.#scope.abort();
    await Promise.all(this.#media.map((media) => media.close()));
    for (const media of this.#media) this.#dropHeld(media);
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

  /**
   * Data is told when its parameters are, and they are what message 4 said: what comes earlier waits, so that
   * nothing is recorded as of no codec, or before the session has begun.
   */
  mediaMessage(media: Media, message: RtmsMessage, receivedAtMs: number, isEarly: boolean): void {
    const mediaType = dataTypeOf(message);
    if (mediaType === undefined) this.#owner.mediaMessage(media, message, receivedAtMs);
    else if (isEarly || this.#phase !== 'settled') {
      if (this.#held.hold(media, message, receivedAtMs)) return;
      this.#owner.mediaDropped(mediaType, message, earlyMediaLost(mediaType, 'full'));
    } else this.#deliver(media, mediaType, message, receivedAtMs);
  }

  mediaMalformed(media: Media, error: ServiceError): void {
    this.#owner.mediaMalformed(media, error);
  }

  mayGiveUp(): boolean {
    return this.#up().length === 0;
  }

  waitsOutTaken(media: Media, attempt: number): boolean {
    const hasBeenUp = this.#start.isReconnect || media.hasBeenUp;
    return waitsOutTaken(attempt, hasBeenUp, this.#situation(media));
  }

  #situation(media: Media) {
    const others = this.#media.filter((other) => other !== media).map(({ plan }) => plan);
    return { others, offer: this.#start.plan.offer, unified: this.#unified };
  }

  /** The connection that is up and was asked for this media type. */
  #carrier(mediaType: MediaType): Media | undefined {
    return this.#up().find((media) => media.mediaTypes.includes(mediaType));
  }

  #deliver(media: Media, mediaType: MediaType, message: RtmsMessage, receivedAtMs: number): void {
    const isWelcome =
      media.mediaTypes.includes(mediaType) ||
      (this.#options.media[mediaType] !== false && this.#carrier(mediaType) === undefined);
    if (isWelcome) this.#owner.mediaMessage(media, message, receivedAtMs);
    else this.#owner.mediaUnasked(mediaType);
  }

  #releaseHeld(media: Media): void {
    for (const { message, receivedAtMs } of this.#held.take(media)) {
      const mediaType = dataTypeOf(message);
      if (mediaType !== undefined) this.#deliver(media, mediaType, message, receivedAtMs);
    }
  }

  #dropHeld(media: Media): void {
    for (const { message } of this.#held.take(media)) {
      const mediaType = dataTypeOf(message);
      if (mediaType === undefined) continue;
      this.#owner.mediaDropped(mediaType, message, earlyMediaLost(mediaType, 'over'));
    }
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
      this.#owner.mediaReconnected(media, trouble, attempt);
      this.#releaseHeld(media);
    } else this.#settle();
  }

  #onClosed(media: Media, closure: Closure): void {
    if (closure.name === 'fatal') {
      this.#owner.mediaEnded(closure);
      return;
    }
    if (closure.name === 'refused') this.#fallBack(media, closure.status);
    else this.#media = this.#media.filter((other) => other !== media);
    this.#dropHeld(media);
    if (this.#media.length === 0) this.#owner.mediaEnded(closure);
    else if (this.#phase !== 'settled') this.#settle();
  }

  #fallBack(refused: Media, status: number | undefined): void {
    const fallback = fallBack({ ...this.#situation(refused), refused: refused.plan, status });
    const replaced = fallback.replace === 'all' ? this.#media : [refused];
    const added = fallback.connections.map((plan) => this.#create(plan));
    const cause = `status_${status ?? 'unknown'}`;
    const { logger, now } = this.#options;
    const { leftOut, unified } = fallback;
    logger.warn('media refused', { mediaTypes: refused.mediaTypes, status, unified, leftOut });
    this.#unified = unified;
    this.#media = [...this.#media.filter((media) => !replaced.includes(media)), ...added];
    for (const media of replaced) {
      if (media.state.name === 'up') this.#onLost(media, { cause, sinceMs: now() });
    }
    for (const one of leftOut) {
      this.#leftOut.set(one.mediaType, one);
      if (this.#phase === 'settled') this.#owner.mediaLeftOut(one);
    }
    void Promise.all(replaced.map((media) => media.close())).then(() => {
      for (const media of replaced) this.#dropHeld(media);
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
      if ('trouble' in media.state) this.#owner.mediaInterrupted(media, media.state.trouble);
      else if (media.state.name === 'up') this.#releaseHeld(media);
    }
  }
}

/** Not up, or back up after a loss since then. */
function hadTrouble(state: ConnectionState, sinceMs: number): boolean {
  if (state.name !== 'up') return true;
  return state.after.cause !== 'join' && state.after.sinceMs >= sinceMs;
}
