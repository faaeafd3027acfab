import type { EventEmitter } from 'node:events';
import type { ServiceError } from '../shared/errors.ts';
import { CaptureGaps } from './capture-gaps.ts';
import { goneSince, type Trouble } from './connection/connection-state.ts';
import type { MediaConnection } from './connection/media-connection.ts';
import { cameraKey, type MediaKey } from './connection/media-key.ts';
import type { RtmsClientEvents } from './events.ts';
import { type FrameShape, toChatMessage, toFrame, toTranscriptLine } from './media-messages.ts';
import { followSpeaker, type MeetingView, Roster } from './meeting-view.ts';
import type { AgreedMedia } from './protocol/agreed-media.ts';
import { mediaSourceOf, type RtmsMessage } from './protocol/codec.ts';
import { MESSAGE_TYPE } from './protocol/constants.ts';
import type { FrameMessage } from './protocol/decode-media.ts';
import type {
  EventUpdate,
  SessionStateResp,
  SessionStateUpdate,
  StreamStateResp,
  StreamStateUpdate,
  VideoSubscriptionResp,
} from './protocol/decode-signaling.ts';
import {
  type FrameMediaType,
  type MediaType,
  mediaSource,
  mediaTypeOfMessage,
} from './protocol/media-type.ts';
import type { Product } from './protocol/product.ts';
import { SessionStates } from './session-states.ts';
import { readSignalingEvent } from './signaling-event.ts';

/**
 * What became of a message. Every message has exactly one outcome, so that none disappears.
 *
 * - `frame`, `line`, `event`, `other`: told as an event of the client
 * - `control`: for the connections only; if it changed something, they tell what
 */
export type MessageOutcome = 'frame' | 'line' | 'event' | 'control' | 'other';

/** The messages that are for the connections and not for the client's listeners. */
export interface IncomingOwner {
  streamState(update: StreamStateUpdate | StreamStateResp, receivedAtMs: number): void;
  /** Zoom lost a media connection. It does not say which. */
  mediaConnectionInterrupted(): void;
  /** @returns false when no selection was asked for */
  videoAnswered(answer: VideoSubscriptionResp): boolean;
  streamCloseAnswered(): void;
}

/** Makes the client's events from decoded messages, with names and states that earlier messages told. */
export class Incoming {
  readonly #product: Product;
  readonly #eventNames: Readonly<Record<string, string>>;
  readonly #events: EventEmitter<RtmsClientEvents>;
  readonly #clock: () => number;
  readonly #owner: IncomingOwner;
  readonly #gaps = new CaptureGaps();
  readonly #view: MeetingView = { roster: new Roster(), activeSpeaker: undefined };
  /** Per media type what its last handshake agreed on; before the first handshake, what is asked for. */
  #agreed: FrameShape = { agreed: {} };
  readonly #sessions = new SessionStates();

  /** @param clock monotonic ms: tells which sources were live just before an interruption */
  constructor(
    product: Product,
    events: EventEmitter<RtmsClientEvents>,
    clock: () => number,
    owner: IncomingOwner,
    eventNames: Readonly<Record<string, string>>,
  ) {
    this.#eventNames = eventNames;
    this.#product = product;
    this.#events = events;
    this.#clock = clock;
    this.#owner = owner;
  }

  /** Sessions that have not stopped: their state may have changed while the signaling connection was down. */
  get openSessions(): string[] {
    return this.#sessions.open;
  }

  /** Sources of these connections that were live when the trouble began are interrupted. */
  interrupted(keys: readonly MediaKey[], trouble: Trouble): void {
    this.#gaps.interrupt(keys, goneSince(trouble));
  }

  /** All sources are interrupted, also cameras with connections of their own. */
  allInterrupted(trouble: Trouble): void {
    this.#gaps.interruptAll(goneSince(trouble));
  }

  /** This participant's camera is not selected any more: that its frames end is no gap. */
  cameraClosed(userId: number): void {
    this.#gaps.dropCamera(userId);
  }

  /** A new signaling handshake: this is what its media connections will ask for. */
  asking(asked: AgreedMedia): void {
    this.#agreed = { agreed: asked };
  }

  /** From now on the frames of this connection are those of its latest handshake. */
  resumed(media: MediaConnection): void {
    const { audio, video, deskshare } = media.granted;
    this.#agreed = { agreed: { ...this.#agreed.agreed, ...media.granted } };
    if (audio) this.#gaps.resume('audio', 2 * audio.sendRateMs);
    if (video) {
      const key = media.userId === undefined ? 'video' : cameraKey(media.userId);
      this.#gaps.resume(key, pictureToleranceMs(video.fps));
    }
    if (deskshare) this.#gaps.resume('deskshare', pictureToleranceMs(deskshare.fps));
  }

  /** A message of the signaling socket. Media over it has the parameters that the media connections agreed on. */
  signalingMessage(message: RtmsMessage, receivedAtMs: number): MessageOutcome {
    return this.mediaMessage(this.#agreed, message, receivedAtMs);
  }

  /** A message of a media socket. Zoom's mock server sends stream states over media sockets too. */
  mediaMessage(media: FrameShape, message: RtmsMessage, receivedAtMs: number): MessageOutcome {
    switch (message.msgType) {
      case MESSAGE_TYPE.MEDIA_DATA_AUDIO:
      case MESSAGE_TYPE.MEDIA_DATA_VIDEO:
      case MESSAGE_TYPE.MEDIA_DATA_SHARE:
        this.#onFrame(media, message, receivedAtMs);
        return 'frame';
      case MESSAGE_TYPE.MEDIA_DATA_TRANSCRIPT:
        this.#events.emit(
          'transcript',
          toTranscriptLine(message, this.#view.roster, receivedAtMs),
          message.sentTimestamp,
        );
        return 'line';
      case MESSAGE_TYPE.MEDIA_DATA_CHAT:
        this.#events.emit('chat', toChatMessage(message, this.#view.roster, receivedAtMs));
        return 'line';
      case MESSAGE_TYPE.EVENT_UPDATE:
        return this.#onEvent(message, receivedAtMs);
      case MESSAGE_TYPE.SESSION_STATE_UPDATE:
      case MESSAGE_TYPE.SESSION_STATE_RESP:
        return this.#onSessionState(message, receivedAtMs);
      case MESSAGE_TYPE.STREAM_STATE_UPDATE:
      case MESSAGE_TYPE.STREAM_STATE_RESP:
        this.#owner.streamState(message, receivedAtMs);
        // If the reason is a word that this version does not know, the whole message is told.
        return message.raw === undefined ? 'control' : this.#other(message.raw);
      case MESSAGE_TYPE.VIDEO_SUBSCRIPTION_RESP:
        return this.#owner.videoAnswered(message) ? 'control' : this.#other(message.raw);
      case MESSAGE_TYPE.STREAM_CLOSE_RESP:
        this.#owner.streamCloseAnswered();
        return 'control';
      case MESSAGE_TYPE.SIGNALING_HAND_SHAKE_RESP:
      case MESSAGE_TYPE.DATA_HAND_SHAKE_RESP:
      case MESSAGE_TYPE.KEEP_ALIVE_REQ:
        // The connection has answered the keep-alive already. A handshake answer after the handshake means nothing.
        return 'control';
      case 'other':
        return this.#other(message.raw);
    }
  }

  #other(raw: unknown): MessageOutcome {
    this.#events.emit('other', raw);
    return 'other';
  }

  signalingMalformed(error: ServiceError): void {
    this.#events.emit('malformed', { scope: 'signaling', error });
  }

  /** A message too broken to tell its type belongs to the media type of its socket, if that has only one. */
  mediaMalformed(media: MediaConnection, error: ServiceError): void {
    const { msgType, userId = media.userId, channelId } = error.detail;
    const [first, second] = media.mediaTypes;
    const mediaType =
      (typeof msgType === 'number' ? mediaTypeOfMessage(msgType) : undefined) ??
      (second === undefined ? first : undefined);
    this.#events.emit('malformed', {
      scope: mediaType ?? first ?? 'signaling',
      ...(mediaType !== undefined && { mediaType }),
      ...(typeof userId === 'number' && { userId }),
      ...(typeof channelId === 'string' && { channelId }),
      error,
    });
  }

  /** A data message that cannot be told: it counts as lost, with its source. */
  mediaDropped(mediaType: MediaType, message: RtmsMessage, error: ServiceError): void {
    this.#events.emit('malformed', {
      scope: mediaType,
      mediaType,
      ...mediaSourceOf(message),
      error,
    });
  }

  mediaUnasked(mediaType: MediaType): void {
    this.#events.emit('unasked', { mediaType });
  }

  #onFrame(media: FrameShape, message: FrameMessage, receivedAtMs: number): void {
    const mediaType = mediaTypeOfMessage(message.msgType) as FrameMediaType;
    const frame = toFrame(message, mediaType, media, this.#view, receivedAtMs);
    const { userId, channelId, capturedAtMs } = frame;
    const source = userId ?? channelId ?? 0;
    const gap = this.#gaps.see(mediaType, source, capturedAtMs, this.#clock());
    if (gap !== undefined) {
      this.#events.emit('gap', { mediaType, ...mediaSource(frame), ...gap });
    }
    this.#events.emit('frame', frame);
  }

  #onEvent(message: EventUpdate, receivedAtMs: number): MessageOutcome {
    const event = readSignalingEvent(
      this.#product,
      message,
      this.#view.roster,
      receivedAtMs,
      this.#eventNames,
    );
    followSpeaker(this.#view, event);
    this.#events.emit('event', event, message.raw);
    if (event.name === 'media_connection_interrupted') this.#owner.mediaConnectionInterrupted();
    return 'event';
  }

  #onSessionState(
    message: SessionStateUpdate | SessionStateResp,
    receivedAtMs: number,
  ): MessageOutcome {
    const change = this.#sessions.take(message, receivedAtMs);
    if (change === undefined) return this.#other(message.raw);
    if (change === 'known') return 'control';
    this.#events.emit('sessionState', change);
    return 'event';
  }
}

/** Cameras deliver fewer pictures than asked for, so that a step counts as a gap from half a second on. */
function pictureToleranceMs(fps: number): number {
  return Math.max(500, 2_000 / fps);
}
