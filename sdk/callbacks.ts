import type {
  ChatMessage,
  EndReason,
  RtmsClientEvents,
  TranscriptLine,
} from '../runner/rtms/events.ts';
import type { DroppedWork } from './backlog.ts';
import type { Metadata } from './metadata.ts';

/** A promise is waited for before the same source is called again. */
type Result = unknown;

/** @param timestamp capture time, Unix ms */
export type MediaDataCallback = (
  buffer: Buffer,
  size: number,
  timestamp: number,
  metadata: Metadata,
) => Result;
/** @param buffer UTF-8 text of `line` */
export type TranscriptDataCallback = (
  buffer: Buffer,
  size: number,
  timestamp: number,
  metadata: Metadata,
  line: TranscriptLine,
) => Result;
/** @param buffer UTF-8 text of `message` */
export type ChatDataCallback = (
  buffer: Buffer,
  size: number,
  timestamp: number,
  metadata: Metadata,
  message: ChatMessage,
) => Result;

export interface SessionInfo {
  readonly sessionId: string;
  readonly streamId: string;
  /** The product's own id, as `uuid()`. */
  readonly meetingId: string;
  /** When the session came into this state, Unix ms. The spelling is Zoom's. */
  readonly statTime: number;
  /** SESS_STATUS_ACTIVE, SESS_STATUS_PAUSED, or 0 once it has stopped. */
  readonly status: number;
  readonly isActive: boolean;
  readonly isPaused: boolean;
}

/** Zoom's types say `id` and `name`, its documents `userId` and `userName`. */
export interface ParticipantInfo {
  readonly id: number;
  readonly name: string;
  readonly userId: number;
  readonly userName: string;
}

/** Which frames were given up because callbacks are too slow. */
export type Dropped = Omit<DroppedWork, 'kind'> & { readonly callback: CallbackName };

export interface DataCallbacks {
  onAudioData: MediaDataCallback;
  onVideoData: MediaDataCallback;
  onDeskshareData: MediaDataCallback;
  onTranscriptData: TranscriptDataCallback;
  onChatData: ChatDataCallback;
}

export interface EventCallbacks {
  onJoinConfirm: (reason: number) => Result;
  onSessionUpdate: (op: number, session: SessionInfo) => Result;
  onUserUpdate: (op: number, participant: ParticipantInfo) => Result;
  onLeave: (reason: number, end: EndReason) => Result;
  onEventEx: (json: string) => Result;
  onParticipantEvent: (
    event: 'join' | 'leave',
    timestamp: number,
    participants: readonly { readonly userId: number; readonly userName: string }[],
  ) => Result;
  onActiveSpeakerEvent: (timestamp: number, userId: number, userName: string) => Result;
  onSharingEvent: (
    event: 'start' | 'stop',
    timestamp: number,
    userId?: number,
    userName?: string,
  ) => Result;
  onMediaConnectionInterrupted: (timestamp: number) => Result;
  onParticipantVideo: (userIds: number[], isOn: boolean) => Result;
  onVideoSubscribed: (userId: number, status: number, error: string) => Result;
  onInterrupted: (info: RtmsClientEvents['interrupted'][0]) => Result;
  onReconnected: (info: RtmsClientEvents['reconnected'][0]) => Result;
  onGap: (gap: RtmsClientEvents['hole'][0]) => Result;
  onDropped: (dropped: Dropped) => Result;
  onError: (error: unknown, callback: CallbackName) => Result;
}

export type DataCallbackName = keyof DataCallbacks;
export type CallbackName = DataCallbackName | keyof EventCallbacks;

/** What a task returned, with the frame it worked on. */
export type TaskResultCallback = (result: unknown, metadata: Metadata, timestamp: number) => Result;

/** A task of the executor, by the name of its export. */
export interface ExecutorCallback {
  readonly task: string;
  readonly onResult: TaskResultCallback | undefined;
}

/** Everything registered with one client; a second registration replaces the first. */
export type Registered = {
  [Name in DataCallbackName]?: DataCallbacks[Name] | ExecutorCallback;
} & Partial<EventCallbacks>;
