import type { AgreedMedia, LeftOutMedia } from './protocol/agreed-media.ts';
import type { ChatFields } from './protocol/decode-text.ts';
import type { FrameMediaType, MediaSource, MediaType } from './protocol/media-type.ts';

export type { AgreedMedia, FrameMediaType, LeftOutMedia, MediaType };

/** One media payload as Zoom sent it, base64 removed; the receiver's to keep, unless `lendPayloads` says no. */
export interface MediaFrame extends MediaSource {
  readonly mediaType: FrameMediaType;
  /** Name in the message, else the roster's; empty when Zoom gave none. */
  readonly userName: string;
  /** Zoom's capture time, Unix ms. */
  readonly capturedAtMs: number;
  /** Our clock, Unix ms. */
  readonly receivedAtMs: number;
  /** MEDIA_PAYLOAD_TYPE: effective codec of the handshake; for share, detected from the payload. */
  readonly codec: number;
  readonly payload: Buffer;
  /** Mixed audio only: who the last ACTIVE_SPEAKER_CHANGE named. */
  readonly activeSpeaker?: { readonly userId: number; readonly userName: string };
}

export interface TranscriptLine extends MediaSource {
  readonly text: string;
  readonly userName: string;
  readonly language?: number;
  readonly startMs?: number;
  readonly endMs?: number;
  readonly timestampMs: number;
  readonly attribute?: number;
  /** The message as Zoom wrote it, when not all of it could be read. */
  readonly raw?: unknown;
}

export interface ChatMessage extends ChatFields {
  /** CHAT_OPERATION. */
  readonly operation?: number;
  readonly sender?: Participant;
  readonly receiver?: Participant;
  /** The message as Zoom wrote it, when not all of it could be read. */
  readonly raw?: unknown;
}

/** A person as far as Zoom names one: without an id when it gave none that is a participant's. */
export interface Participant {
  readonly userId?: number;
  readonly userName: string;
}

/**
 * Events of the signaling socket (message 6), names remembered from joins. `raw` is there when not all of the
 * event could be read, and where this version reads nothing.
 */
export type SignalingEvent = (
  | { readonly name: 'first_packet'; readonly timestampMs: number }
  | {
      readonly name:
        | 'participant_joined'
        | 'participant_left'
        | 'participant_video_on'
        | 'participant_video_off';
      readonly participants: readonly Participant[];
      readonly timestampMs: number;
    }
  | {
      readonly name: 'active_speaker' | 'sharing_started';
      readonly userId?: number;
      readonly userName: string;
      readonly timestampMs: number;
    }
  | { readonly name: 'sharing_stopped'; readonly timestampMs: number }
  | { readonly name: 'media_connection_interrupted'; readonly timestampMs: number }
  | {
      readonly name: 'chat_group';
      readonly event: string;
      readonly raw: unknown;
      readonly timestampMs: number;
    }
  /**
   * Contact Center: `event` is the enum name in snake_case, `participant` camelCase fields as Zoom gave them,
   * absent when it gave none.
   */
  | {
      readonly name: 'voice';
      readonly event: string;
      readonly participant?: Readonly<Record<string, string>>;
      readonly timestampMs: number;
    }
  | { readonly name: 'other'; readonly raw: unknown; readonly timestampMs: number }
) & { readonly raw?: unknown };

export type InterruptScope = 'signaling' | MediaType;

/**
 * Why a client ended. `lost`: the window passed, before or after media flowed; `failed`: no address was allowed.
 * `stopReason` is Zoom's number when Zoom gave one.
 */
export interface EndReason {
  readonly cause: 'left' | 'closed' | 'stopped' | 'refused' | 'lost' | 'failed';
  readonly stopReason?: number;
  /** Handshake status that ended it, when `cause` is `refused`. */
  readonly status?: number;
  /** May a new start bring the stream back (stop reasons 10-19, 24)? */
  readonly restartable: boolean;
}

/** Everything a client tells its owner; a tuple map for Node's EventEmitter. */
export interface RtmsClientEvents {
  /** State name before and after. */
  state: [from: string, to: string];
  /** Media flows for the first time: parameters per media type, and which wanted ones do not flow, and why. */
  joined: [media: AgreedMedia, leftOut: readonly LeftOutMedia[]];
  frame: [frame: MediaFrame];
  /** `sentTimestamp`: the line's time as Zoom wrote it, mostly microseconds; undefined where it wrote none. */
  transcript: [line: TranscriptLine, sentTimestamp?: number];
  chat: [message: ChatMessage];
  /** `raw`: the event as Zoom wrote it. */
  event: [event: SignalingEvent, raw: unknown];
  /** Message 9: one user's session inside the stream. */
  sessionState: [
    session: {
      rtmsSessionId: string;
      state: number;
      stopReason?: number;
      timestampMs: number;
      /** The message as Zoom wrote it, when not all of it could be read. */
      raw?: unknown;
    },
  ];
  /** Message 8 states 5 and 6, once per change. */
  paused: [timestampMs: number];
  resumed: [timestampMs: number];
  /** `userId`: only the connection of this participant's camera (V2). */
  interrupted: [info: { scope: InterruptScope; userId?: number; cause: string }];
  reconnected: [
    info: {
      scope: InterruptScope;
      userId?: number;
      cause: string;
      attempt: number;
      durationMs: number;
      media: AgreedMedia;
    },
  ];
  /** Per source, the capture times around an interruption. */
  gap: [gap: MediaSource & { mediaType: FrameMediaType; fromMs: number; toMs: number }];
  /**
   * A message of which nothing can be kept, truncated or too large: it is lost and has to become a gap; the
   * session goes on. Without `mediaType` nobody knows what it was.
   */
  malformed: [info: MediaSource & { scope: InterruptScope; mediaType?: MediaType; error: Error }];
  /** Data of a media type that is not wanted, or that comes on another connection too: not told otherwise. */
  unasked: [info: { mediaType: MediaType }];
  videoSubscribed: [result: { userId: number; status: number; reason: string }];
  /** A message that this version does not understand, whole. */
  other: [raw: unknown];
  /** Last event: nothing follows. */
  ended: [reason: EndReason];
}
