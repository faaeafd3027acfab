import type { EndReason, RtmsClientEvents } from '../../../rtms/events.ts';
import type { DroppedWork } from './backlog.ts';
import type { Metadata } from './metadata.ts';

/** When a callback returns a promise, the next call for the same source waits for it. */
type Result = unknown;

/**
 * Called with exactly four arguments, as by Zoom's SDK, because programs collect them with `...args`.
 *
 * @param timestamp capture time, Unix ms; for a transcript line the time as Zoom wrote it, mostly microseconds
 */
export type MediaDataCallback = (
  buffer: Buffer,
  size: number,
  timestamp: number,
  metadata: Metadata,
) => Result;
/** `buffer` is one frame of audio, in the codec that Zoom agreed to. */
export type AudioDataCallback = MediaDataCallback;
/** `buffer` is one picture of a camera: an access unit of H.264, or a JPG or PNG. */
export type VideoDataCallback = MediaDataCallback;
/** `buffer` is one picture of a share: an access unit of H.264, or a JPG or PNG. */
export type DeskshareCallback = MediaDataCallback;
/** A second name in Zoom's types for `DeskshareCallback`. */
export type DeskshareDataCallback = MediaDataCallback;
/** `buffer` is UTF-8 text; `metadata.line` is the whole line. */
export type TranscriptDataCallback = MediaDataCallback;
/** `buffer` is UTF-8 text; `metadata.message` is the whole message. */
export type ChatDataCallback = MediaDataCallback;

/** One session inside a stream, for `onSessionUpdate`. */
export interface SessionInfo {
  sessionId: string;
  streamId: string;
  /** The product's own id, as `uuid()`. */
  meetingId: string;
  /** When the session entered this state, Unix seconds, because Zoom's SDK has 32 bits for it. The spelling is Zoom's. */
  statTime: number;
  /** SESS_STATUS_ACTIVE, SESS_STATUS_PAUSED, or 0 once it has stopped. */
  status: number;
  isActive: boolean;
  isPaused: boolean;
}

/** Has both pairs of names: Zoom's types say `id` and `name`, its documents `userId` and `userName`. */
export interface ParticipantInfo {
  id: number;
  name: string;
  userId?: number;
  userName?: string;
}

/** A participant whom `onParticipantEvent` names. */
export interface EventParticipantInfo {
  userId: number;
  userName?: string;
}

/** @param reason 0 once media flows, else Zoom's status code or `RTMS_SDK_*` */
export type JoinConfirmCallback = (reason: number) => Result;
/** @param op `SESSION_EVENT_*` */
export type SessionUpdateCallback = (op: number, sessionInfo: SessionInfo) => Result;
/** @param op `USER_JOIN` or `USER_LEAVE` */
export type UserUpdateCallback = (op: number, participant: ParticipantInfo) => Result;
/** @param reason `StopReason`; where Zoom gave none, the nearest one */
export type LeaveCallback = (reason: number) => Result;
/** @param eventData the event as Zoom wrote it, JSON */
export type EventExCallback = (eventData: string) => Result;
/** @param timestamp Unix ms */
export type ParticipantEventCallback = (
  event: 'join' | 'leave',
  timestamp: number,
  participants: EventParticipantInfo[],
) => Result;
/** @param timestamp Unix ms */
export type ActiveSpeakerEventCallback = (
  timestamp: number,
  userId: number,
  userName: string,
) => Result;
/** @param timestamp Unix ms. Zoom names nobody when a share stops */
export type SharingEventCallback = (
  event: 'start' | 'stop',
  timestamp: number,
  userId?: number,
  userName?: string,
) => Result;

/** Which frames were dropped because a callback is too slow. */
export type Dropped = Omit<DroppedWork, 'kind'> & { readonly callback: CallbackName };

export interface DataCallbacks {
  onAudioData: AudioDataCallback;
  onVideoData: VideoDataCallback;
  onDeskshareData: DeskshareCallback;
  onTranscriptData: TranscriptDataCallback;
  onChatData: ChatDataCallback;
}

export interface EventCallbacks {
  onJoinConfirm: JoinConfirmCallback;
  onSessionUpdate: SessionUpdateCallback;
  onUserUpdate: UserUpdateCallback;
  onLeave: LeaveCallback;
  onEventEx: EventExCallback;
  onParticipantEvent: ParticipantEventCallback;
  onActiveSpeakerEvent: ActiveSpeakerEventCallback;
  onSharingEvent: SharingEventCallback;
  onMediaConnectionInterrupted: (timestamp: number) => Result;
  onParticipantVideo: (users: number[], isOn: boolean) => Result;
  onVideoSubscribed: (userId: number, status: number, error: string) => Result;
  onEnded: (end: EndReason) => Result;
  onInterrupted: (info: RtmsClientEvents['interrupted'][0]) => Result;
  onReconnected: (info: RtmsClientEvents['reconnected'][0]) => Result;
  onGap: (gap: RtmsClientEvents['gap'][0]) => Result;
  onDropped: (dropped: Dropped) => Result;
  onError: (error: unknown, callback: CallbackName) => Result;
}

export type DataCallbackName = keyof DataCallbacks;
/** Names of all methods that register a callback. */
export type CallbackName = DataCallbackName | keyof EventCallbacks;

/** Called with what a task returned, and the metadata and timestamp of the frame it worked on. */
export type TaskResultCallback = (result: unknown, metadata: Metadata, timestamp: number) => Result;

/** A callback for data: a function, or the name of an export of the executor's module. */
export interface DataRegistration {
  readonly callback: MediaDataCallback | string;
  readonly onResult: TaskResultCallback | undefined;
}

/** Every callback of one client. A second registration under a name replaces the first. */
export type Registered = {
  [Name in DataCallbackName]?: DataRegistration;
} & Partial<EventCallbacks>;
