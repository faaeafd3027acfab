import {
  EVENT_TYPE,
  MEDIA_DATA_OPTION,
  MESSAGE_TYPE,
  SESSION_STATE,
  STATUS_CODE as STATUS,
  STOP_REASON,
  STREAM_STATE,
} from '../rtms/protocol/constants.ts';
import { MEDIA_TYPES, type MediaType } from '../rtms/protocol/media-type.ts';
import type { Product } from '../rtms/protocol/product.ts';
import type { Clock } from './clock.ts';
import { MediaPump } from './media/media-pump.ts';
import { applyAction } from './scenario/actions.ts';
import type { Behaviour } from './scenario/behaviour.ts';
import { Meeting } from './scenario/meeting.ts';
import { type Action, type Scenario, type TimedAction, timeline } from './scenario/scenario.ts';
import { SentLedger } from './sent-ledger.ts';
import type { ClientConnection, ConnectionEnd } from './sockets/connection.ts';
import { wireId } from './sockets/messages.ts';
import { linkKeys, type MediaLink, StreamClient } from './sockets/stream-client.ts';
import { MEDIA_LOST, SIGNALING_LOST, Windows } from './windows.ts';

/** What a stream needs of the Zoom around it. */
export interface StreamHost {
  readonly clock: Clock;
  readonly sentDir: string | undefined;
  /** Posts a webhook about the stream; `stopReason` with `stopped` only. */
  webhook(
    stream: RtmsStream,
    kind: 'started' | 'interrupted' | 'stopped',
    stopReason?: number,
  ): void;
  /** Actions on webhooks themselves. */
  webhookAction(stream: RtmsStream, action: Action): void;
  stopped(stream: RtmsStream): void;
}

export interface StreamIds {
  readonly rtmsStreamId: string;
  readonly entityId: string;
  /** Of the session that every stream begins with. */
  readonly sessionId: string;
}

/**
 * One RTMS stream as Zoom's servers keep it: the script plays, media flows to whoever is connected, windows
 * run when nobody is, and in the end it stops. Connections are handed in after their handshake was checked.
 *
 * The file is long because every rule here needs the same state; what can stand alone is in stream-client.ts,
 * windows.ts, media-pump.ts and actions.ts.
 *
 * @see spec/rtms-protocol.md §2.7, §4
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
  /** Sessions inside the stream and their SESSION_STATE. */
  readonly sessions = new Map<string, number>();
  /** 1, and one more with every fail-over: part of the addresses, so that old ones lead nowhere. */
  generation = 1;
  /** The last handshake was refused for its signature. */
  hadBadSignature = false;
  /** Why it ended; undefined while it has not. */
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
      cameras: () => this.#selectedCameras(),
      firstPacket: (timestampMs) => this.#firstPacket(timestampMs),
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

  /** Contact Center and Phone number their events apart and shape them differently. */
  get hasVoiceEvents(): boolean {
    return this.product === 'contact_center' || this.product === 'phone';
  }

  /** Unix ms: the script's own time while it acts, else the clock. */
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
    // How Zoom refuses somebody who is not there, or one camera too many, is not public.
    if (userId !== undefined && !this.#isPresent(userId)) return STATUS.INVALID_PAYLOAD;
    if (userId !== undefined && this.client.cameras.length >= this.behaviour.maxCameras) {
      return STATUS.INVALID_MEDIA_VIDEO_PARAMS;
    }
    this.client.addMedia(link);
    for (const key of keys) this.#windows.close(key);
    connection.establish(this.behaviour);
    return STATUS.OK;
  }

  /** Called after the handshake answer: an interruption that the connection healed is over. */
  mediaAttached(): void {
    const isHealed = this.#state === STREAM_STATE.INTERRUPTED && this.#windows.isEmpty;
    if (isHealed && this.client.ready) this.#announceActive();
  }

  mediaEnded(connection: ClientConnection, end: ConnectionEnd): void {
    this.ledger.connectionEnded(connection, end);
    const lost = this.client.loseMedia(connection);
    if (lost.length === 0 || this.terminated || !this.client.signaling) return;
    this.sendEvent(EVENT_TYPE.MEDIA_CONNECTION_INTERRUPTED, {});
    this.#setState(STREAM_STATE.INTERRUPTED, STOP_REASON.DATA_CONNECTION_INTERRUPTED);
    for (const key of lost) {
      this.#windows.open(key, this.behaviour.mediaWindowMs, () => MEDIA_LOST[end]);
    }
  }

  /** Message 7: media may flow. Repeating it changes nothing. */
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

  /** Message 5. Participants already there are reported as joins to whoever begins to listen. */
  subscribe(eventType: number, on: boolean): void {
    const { subscriptions } = this.client;
    const isNew = on && !subscriptions.has(eventType);
    if (on) subscriptions.add(eventType);
    else subscriptions.delete(eventType);
    if (!isNew || this.hasVoiceEvents) return;
    const { present, camerasOn } = this.meeting;
    if (eventType === EVENT_TYPE.PARTICIPANT_JOIN && present.length > 0) {
      this.sendParticipants(eventType, present);
    } else if (eventType === EVENT_TYPE.PARTICIPANT_VIDEO_ON && camerasOn.length > 0) {
      const people = camerasOn.map((userId) => ({ userId }));
      this.sendParticipants(eventType, people);
    }
  }

  /** Events 3, 4, 8 and 9: a list, or one message each. */
  sendParticipants(
    eventType: number,
    people: readonly { readonly userId: number; readonly userName?: string }[],
  ): void {
    const participants = people.map(({ userId, userName }) => ({
      user_id: wireId(userId, this.behaviour),
      ...(userName !== undefined && { user_name: userName }),
    }));
    const { nullParticipants } = this.behaviour;
    if (this.behaviour.participants === 'list') {
      const list = nullParticipants ? [...participants, null] : participants;
      this.sendEvent(eventType, { participants: list });
    } else for (const one of participants) this.sendEvent(eventType, one);
  }

  /** Message 28. @returns STATUS_CODE of message 29 */
  subscribeVideo(userId: number, on: boolean): number {
    const { client } = this;
    const camera = client.media(`video/${userId}`);
    if (camera !== undefined) return this.#selectCamera(userId, on);
    const option = client.media('video')?.params.video?.data_opt;
    if (option !== MEDIA_DATA_OPTION.VIDEO_SINGLE_INDIVIDUAL_STREAM) {
      return STATUS.INVALID_MEDIA_VIDEO_DATA_OPT;
    }
    if (!on) {
      if (client.subscribedVideo === userId) client.subscribedVideo = undefined;
      return STATUS.OK;
    }
    if (client.subscribedVideo === userId) return STATUS.DUPLICATE_VIDEO_SUBSCRIPTION;
    if (!this.#isPresent(userId)) return STATUS.INVALID_PAYLOAD;
    client.subscribedVideo = userId;
    return STATUS.OK;
  }

  /** V2: one more camera, or one less; the others stay. */
  #selectCamera(userId: number, on: boolean): number {
    const { subscribedCameras } = this.client;
    if (on && subscribedCameras.has(userId)) return STATUS.DUPLICATE_VIDEO_SUBSCRIPTION;
    if (on && !this.#isPresent(userId)) return STATUS.INVALID_PAYLOAD;
    if (on) subscribedCameras.add(userId);
    else subscribedCameras.delete(userId);
    return STATUS.OK;
  }

  /** V2: the connections on which cameras are sent now; undefined where the client has not asked for single ones. */
  #selectedCameras(): MediaLink[] | undefined {
    const { client } = this;
    if (!client.usesCameras) return undefined;
    if (!client.ready || this.#paused || !client.signaling) return [];
    return client.cameras.filter(({ userId = 0 }) => client.subscribedCameras.has(userId));
  }

  #isPresent(userId: number): boolean {
    return this.meeting.present.some((one) => one.userId === userId);
  }

  /** Message 6, if the client asked for it or it is one that always comes. */
  sendEvent(eventType: number, fields: Readonly<Record<string, unknown>>): void {
    const isAutomatic =
      eventType === EVENT_TYPE.FIRST_PACKET_TIMESTAMP ||
      eventType === EVENT_TYPE.MEDIA_CONNECTION_INTERRUPTED;
    const timestampMs = this.nowMs;
    const timeField = this.hasVoiceEvents ? 'event_ts' : 'timestamp';
    const event = { event_type: eventType, ...this.#time(timeField, timestampMs), ...fields };
    const sent =
      (isAutomatic || this.client.subscriptions.has(eventType)) &&
      this.client.send({ msg_type: MESSAGE_TYPE.EVENT_UPDATE, event });
    this.ledger.event({ eventType, timestampMs, sent });
  }

  /** Messages 17 and 18. @returns whether anybody got it: text is not kept */
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

  /** Message 9. */
  setSession(sessionId: string, state: number, stopReason?: number): void {
    this.sessions.set(sessionId, state);
    this.client.send({
      msg_type: MESSAGE_TYPE.SESSION_STATE_UPDATE,
      ...(this.behaviour.sessionIds && { rtms_session_id: sessionId }),
      state,
      ...(stopReason !== undefined && { [this.behaviour.sessionReasonKey]: stopReason }),
      ...this.#time('timestamp', this.nowMs),
    });
  }

  /** Another server takes over: new addresses in a second started webhook, same stream. */
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

  /** Ends without a word to anybody: Zoom itself is gone. */
  abandon(): void {
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
    const scriptedMs = this.#scriptedMs;
    this.#scriptedMs = timestampMs;
    this.sendEvent(EVENT_TYPE.FIRST_PACKET_TIMESTAMP, {});
    this.#scriptedMs = scriptedMs;
  }

  #announceActive(): void {
    this.#setState(this.#paused ? STREAM_STATE.PAUSED : STREAM_STATE.ACTIVE);
  }

  /** Message 8. */
  #setState(state: number, reason: number = STOP_REASON.UNDEFINED): void {
    this.#state = state;
    this.client.send({
      msg_type: MESSAGE_TYPE.STREAM_STATE_UPDATE,
      state,
      [this.behaviour.streamReasonKey]: reason,
      ...this.#time('timestamp', this.nowMs),
    });
  }

  #time(field: string, timestampMs: number): Readonly<Record<string, number>> {
    return this.behaviour.eventTimes ? { [field]: timestampMs } : {};
  }
}
