import {
  EVENT_TYPE,
  SESSION_STATE,
  STATUS_CODE as STATUS,
  STREAM_STATE,
} from '../rtms/protocol/constants.ts';
import { MEDIA_TYPES, type MediaType } from '../rtms/protocol/media-type.ts';
import type { Product } from '../rtms/protocol/product.ts';
import { STOP_REASON } from '../rtms/protocol/stop-reason.ts';
import type { StreamIds } from './account.ts';
import type { Clock } from './clock.ts';
import { MediaPump } from './media/media-pump.ts';
import { applyAction } from './scenario/actions.ts';
import type { Behaviour } from './scenario/behaviour.ts';
import { Meeting } from './scenario/meeting.ts';
import { type Action, type Scenario, type TimedAction, timeline } from './scenario/scenario.ts';
import { SentLedger } from './sent-ledger.ts';
import type { ClientConnection, ConnectionEnd } from './sockets/connection.ts';
import { linkKeys, type MediaLink, StreamClient } from './sockets/stream-client.ts';
import { StreamMessages } from './stream-messages.ts';
import { VideoSelection } from './video-selection.ts';
import { MEDIA_LOST, SIGNALING_LOST, Windows } from './windows.ts';

/** What a stream needs of the Zoom around it. */
export interface StreamHost {
  readonly clock: Clock;
  readonly sentDir: string | undefined;
  /** Posts a webhook about the stream. @param stopReason with `stopped` only */
  webhook(
    stream: RtmsStream,
    kind: 'started' | 'interrupted' | 'stopped',
    stopReason?: number,
  ): void;
  /** Does an action that is about webhooks themselves. */
  webhookAction(stream: RtmsStream, action: Action): void;
  stopped(stream: RtmsStream): void;
}

/**
 * One RTMS stream as Zoom's servers keep it: the script plays, media flows to the client, windows run while the client
 * is away, and in the end the stream stops. Connections are handed in after their handshake was checked.
 *
 * Over 300 lines because the rules that are left here all need the same state. What can stand alone is in
 * stream-messages.ts, video-selection.ts, windows.ts, media/media-pump.ts and scenario/actions.ts.
 *
 * @see docs/protocol.md for the rules
 */
export class RtmsStream {
  readonly scenario: Scenario;
  readonly behaviour: Behaviour;
  readonly rtmsStreamId: string;
  readonly entityId: string;
  readonly startedAtMs: number;
  readonly meeting: Meeting;
  readonly ledger: SentLedger;
  readonly client = new StreamClient();
  readonly messages: StreamMessages;
  readonly video: VideoSelection;
  /** SESSION_STATE of the sessions inside the stream. */
  readonly sessions = new Map<string, number>();
  /**
   * 1, and one more after every fail-over. It is part of the addresses, so that the addresses before a fail-over lead
   * nowhere.
   */
  generation = 1;
  /** The last handshake was refused for its signature. */
  hadBadSignature = false;
  /** STOP_REASON; undefined until it stops. */
  stopReason: number | undefined;
  readonly #host: StreamHost;
  readonly #pump: MediaPump;
  readonly #windows: Windows;
  readonly #actions: TimedAction[];
  #state: number = STREAM_STATE.INACTIVE;
  #paused = false;
  #declinedBacklog = false;
  #hasStreamed = false;
  #firstPacketSeen = false;
  #scriptedMs: number | undefined;

  constructor(host: StreamHost, scenario: Scenario, behaviour: Behaviour, ids: StreamIds) {
    this.#host = host;
    this.scenario = scenario;
    this.behaviour = behaviour;
    this.rtmsStreamId = ids.rtmsStreamId;
    this.entityId = ids.entityId;
    this.startedAtMs = host.clock.now();
    this.sessions.set(ids.sessionId, SESSION_STATE.INITIALIZE);
    this.meeting = new Meeting(scenario);
    this.ledger = new SentLedger(ids.rtmsStreamId, host.sentDir);
    this.#actions = timeline(scenario);
    this.#windows = new Windows(host.clock, (stopReason) => {
      this.advance();
      this.stop(stopReason);
    });
    this.#pump = new MediaPump({
      meeting: this.meeting,
      ledger: this.ledger,
      behaviour,
      startedAtMs: this.startedAtMs,
      link: (mediaType) => this.link(mediaType),
      subscribedVideo: () => this.client.subscribedVideo,
      cameras: () => this.#shownCameras(),
      firstPacket: (timestampMs) => this.#firstPacket(timestampMs),
    });
    this.video = new VideoSelection(this.client, this.meeting);
    this.messages = new StreamMessages({
      client: this.client,
      meeting: this.meeting,
      ledger: this.ledger,
      behaviour,
      hasVoiceEvents: this.hasVoiceEvents,
      nowMs: () => this.nowMs,
    });
  }

  get product(): Product {
    return this.scenario.product;
  }

  get state(): number {
    return this.#state;
  }

  get terminated(): boolean {
    return this.#state === STREAM_STATE.TERMINATED;
  }

  /** Media types the app's scopes grant. Calls have neither pictures nor chat. */
  get granted(): readonly MediaType[] {
    return this.scenario.media ?? (this.hasVoiceEvents ? ['audio', 'transcript'] : MEDIA_TYPES);
  }

  /** Contact Center and Phone have event numbers and event fields of their own. */
  get hasVoiceEvents(): boolean {
    return this.product === 'contact_center' || this.product === 'phone';
  }

  /** Unix ms: the time of the script while an action of it runs, otherwise the clock. */
  get nowMs(): number {
    return this.#scriptedMs ?? this.#host.clock.now();
  }

  /** The connection to send on, if media of this type may flow now. */
  link(mediaType: MediaType): MediaLink | undefined {
    if (!this.client.ready || this.#paused || !this.client.signaling) return undefined;
    return this.client.media(mediaType);
  }

  start(): void {
    this.advance();
    this.#host.webhook(this, 'started');
    this.#windows.open('connect', this.behaviour.connectWindowMs, () =>
      this.hadBadSignature ? STOP_REASON.AUTHENTICATION_FAILURE : STOP_REASON.CONNECTION_TIMEOUT,
    );
  }

  /** Brings media and script up to the clock. */
  advance(): void {
    const untilMs = this.#host.clock.now() - this.startedAtMs;
    while (!this.terminated) {
      const [next] = this.#actions;
      if (next === undefined || next.atMs > untilMs) break;
      this.#actions.shift();
      this.#advanceMedia(next.atMs);
      this.#scriptedMs = this.startedAtMs + next.atMs;
      this.act(next.action);
      this.#scriptedMs = undefined;
    }
    if (!this.terminated) this.#advanceMedia(untilMs);
  }

  act(action: Action): void {
    if (!this.terminated) applyAction(this, this.#host, action);
  }

  /** @returns STATUS_CODE: OK when the connection is the stream's own now */
  attachSignaling(connection: ClientConnection, bufferData: boolean): number {
    if (this.client.signaling && this.behaviour.duplicateSignaling === 'refuse') {
      return STATUS.DUPLICATE_SIGNAL_REQUEST;
    }
    this.client.detach('close');
    this.client.takeSignaling(connection);
    this.#windows.closeAll();
    this.#declinedBacklog = !bufferData;
    connection.establish(this.behaviour);
    return STATUS.OK;
  }

  signalingEnded(connection: ClientConnection, end: ConnectionEnd): void {
    if (!this.client.loseSignaling(connection) || this.terminated) return;
    this.#state = STREAM_STATE.INTERRUPTED;
    this.#host.webhook(this, 'interrupted');
    this.#windows.open('signaling', this.behaviour.signalingWindowMs, () => SIGNALING_LOST[end]);
  }

  /** @returns STATUS_CODE: OK when media may flow here once the client is ready */
  attachMedia(link: MediaLink): number {
    const keys = linkKeys(link);
    const { userId, connection } = link;
    const status = this.client.mediaStatus(link.exclusive, keys);
    if (status !== STATUS.OK) return status;
    // How Zoom refuses a participant who is not there, or one camera too many, is not public.
    if (userId !== undefined && !this.meeting.isPresent(userId)) return STATUS.INVALID_PAYLOAD;
    if (userId !== undefined && this.client.cameras.length >= this.behaviour.maxCameras) {
      return STATUS.INVALID_MEDIA_VIDEO_PARAMS;
    }
    this.client.addMedia(link);
    for (const key of keys) this.#windows.close(key);
    connection.establish(this.behaviour);
    return STATUS.OK;
  }

  /** Called after the handshake answer. Ends an interruption if no connection is missing any more. */
  mediaAttached(): void {
    const isHealed = this.#state === STREAM_STATE.INTERRUPTED && this.#windows.isEmpty;
    if (isHealed && this.client.ready) this.#announceActive();
  }

  mediaEnded(connection: ClientConnection, end: ConnectionEnd): void {
    this.ledger.connectionEnded(connection, end);
    const lost = this.client.loseMedia(connection);
    if (lost.length === 0 || this.terminated || !this.client.signaling) return;
    this.messages.event(EVENT_TYPE.MEDIA_CONNECTION_INTERRUPTED, {});
    this.#setState(STREAM_STATE.INTERRUPTED, STOP_REASON.DATA_CONNECTION_INTERRUPTED);
    for (const key of lost) {
      this.#windows.open(key, this.behaviour.mediaWindowMs, () => MEDIA_LOST[end]);
    }
  }

  /** Message 7: media may flow. A repeated one changes nothing. */
  clientReady(): void {
    if (this.client.ready || !this.client.signaling) return;
    this.client.ready = true;
    this.#firstPacketSeen = false;
    if (this.#declinedBacklog && !this.#hasStreamed) {
      this.#pump.dropBacklog(this.nowMs - this.startedAtMs, 'buffer_declined');
    }
    this.#hasStreamed = true;
    for (const [sessionId, state] of this.sessions) {
      const isNew = state === SESSION_STATE.INITIALIZE;
      if (isNew) this.setSession(sessionId, SESSION_STATE.STARTED);
    }
    this.#announceActive();
  }

  /** Messages 17 and 18. @returns whether it was sent: text is not kept for a client that comes later */
  sendText(mediaType: 'transcript' | 'chat', json: string): boolean {
    return this.link(mediaType)?.connection.send(json) ?? false;
  }

  setPaused(paused: boolean): void {
    this.#paused = paused;
    for (const [sessionId, state] of this.sessions) {
      if (state === SESSION_STATE.STOPPED) continue;
      this.setSession(sessionId, paused ? SESSION_STATE.PAUSED : SESSION_STATE.RESUMED);
    }
    if (this.client.ready) this.#setState(paused ? STREAM_STATE.PAUSED : STREAM_STATE.RESUMED);
  }

  setSession(sessionId: string, state: number, stopReason?: number): void {
    this.sessions.set(sessionId, state);
    this.messages.sessionState(sessionId, state, stopReason);
  }

  /** Another server takes the stream over. A second started webhook tells the new addresses. */
  failOver(gapMs: number, oldSockets: 'cut' | 'keep'): void {
    this.generation += 1;
    this.client.detach(oldSockets);
    this.#windows.closeAll();
    this.#state = STREAM_STATE.INTERRUPTED;
    this.#windows.open(
      'signaling',
      this.behaviour.signalingWindowMs,
      () => STOP_REASON.INSTANCE_CONNECTION_INTERRUPTED,
    );
    this.#host.clock.after(gapMs, () => {
      if (!this.terminated) this.#host.webhook(this, 'started');
    });
  }

  /** Ends the stream for good. */
  stop(reason: number): void {
    if (this.terminated) return;
    this.stopReason = reason;
    this.#advanceMedia(this.nowMs - this.startedAtMs);
    this.#setState(STREAM_STATE.TERMINATING, reason);
    for (const [sessionId, state] of this.sessions) {
      if (state !== SESSION_STATE.STOPPED) {
        this.setSession(sessionId, SESSION_STATE.STOPPED, reason);
      }
    }
    this.#setState(STREAM_STATE.TERMINATED, reason);
    this.#windows.closeAll();
    this.client.closeAll();
    this.#pump.dropBacklog(this.nowMs - this.startedAtMs, 'not_connected');
    this.#host.webhook(this, 'stopped', reason);
    this.#host.stopped(this);
  }

  /** Ends without a webhook or message: Zoom itself is gone. */
  vanish(): void {
    this.#state = STREAM_STATE.TERMINATED;
    this.#windows.closeAll();
  }

  #advanceMedia(untilMs: number): void {
    if (this.#paused) this.#pump.skip(untilMs);
    else this.#pump.advance(untilMs);
  }

  #firstPacket(timestampMs: number): void {
    if (this.#firstPacketSeen) return;
    this.#firstPacketSeen = true;
    this.messages.event(EVENT_TYPE.FIRST_PACKET_TIMESTAMP, {}, timestampMs);
  }

  #announceActive(): void {
    this.#setState(this.#paused ? STREAM_STATE.PAUSED : STREAM_STATE.ACTIVE);
  }

  /** V2: the connections on which cameras are sent now; undefined as long as the client has none for a single camera. */
  #shownCameras(): MediaLink[] | undefined {
    const mayFlow = this.client.ready && !this.#paused && this.client.signaling !== undefined;
    const cameras = this.video.cameras();
    return mayFlow || cameras === undefined ? cameras : [];
  }

  #setState(state: number, reason?: number): void {
    this.#state = state;
    this.messages.streamState(state, reason);
  }
}
