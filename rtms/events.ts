import type { AgreedMedia, LeftOutMedia } from './protocol/agreed-media.ts';
import type { ChatFields } from './protocol/decode-text.ts';
import type { FrameMediaType, MediaSource, MediaType } from './protocol/media-type.ts';

export type { AgreedMedia, FrameMediaType, LeftOutMedia, MediaType };

/** One media payload as Zoom sent it, decoded from base64. A listener may keep it, unless `lendPayloads` is on. */
export interface MediaFrame extends MediaSource {
  readonly mediaType: FrameMediaType;
  /** From the message, otherwise from the roster; empty when Zoom gave none. */
  readonly userName: string;
  /** Zoom's capture time, Unix ms. */
  readonly capturedAtMs: number;
  /** Our clock, Unix ms. */
  readonly receivedAtMs: number;
  /** MEDIA_PAYLOAD_TYPE: the agreed codec; for a share, what the payload itself shows. */
  readonly codec: number;
  readonly payload: Buffer;
  /** Mixed audio only: the person whom the last ACTIVE_SPEAKER_CHANGE named. */
  readonly activeSpeaker?: { readonly userId: number; readonly userName: string };
}

/**
 * One line of the transcript. Times are Unix ms; `language` is TRANSCRIPT_LANGUAGE, `attribute` DATA_MESSAGE_ATTRIBUTE.
 */
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

/** One chat message, or its change or deletion (`operation`). */
export interface ChatMessage extends ChatFields {
  /** CHAT_OPERATION. */
  readonly operation?: number;
  readonly sender?: Participant;
  readonly receiver?: Participant;
  /** The message as Zoom wrote it, when not all of it could be read. */
  readonly raw?: unknown;
}

/** A person as far as Zoom names one; without an id when Zoom gave none that can be a participant's. */
export interface Participant {
  readonly userId?: number;
  readonly userName: string;
}

/**
 * Events of the signaling socket (message 6), with names from earlier events. `raw` is there when not all of the
 * event could be read, and when this version does not know the event.
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
   * Contact Center: `event` is Zoom's constant in snake_case. `participant` has Zoom's fields in camelCase, and is absent
   * when Zoom gave none.
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
 * Why a client ended.
 *
 * - `left`, `closed`: `leave` was called, without and with `closeStream`
 * - `stopped`: Zoom ended the stream
 * - `refused`: Zoom refused the handshake, or every wanted media type
 * - `lost`: a reconnect window passed, before or after media flowed
 * - `failed`: no address was allowed
 */
export interface EndReason {
  readonly cause: 'left' | 'closed' | 'stopped' | 'refused' | 'lost' | 'failed';
  /** STOP_REASON, when Zoom gave one. */
  readonly stopReason?: number;
  /** STATUS_CODE of the handshake, when `cause` is `refused` and Zoom gave one. */
  readonly status?: number;
  /** Whether a new start may bring the stream back (stop reasons 10-19, 24). */
  readonly restartable: boolean;
}

/** Every event of a client with its arguments, as a map for Node's EventEmitter. */
export interface RtmsClientEvents {
  /** Names of the client's state before and after. */
  state: [from: string, to: string];
  /** Media flows for the first time: the agreed parameters, and the wanted media types that do not flow, with reasons. */
  joined: [media: AgreedMedia, leftOut: readonly LeftOutMedia[]];
  frame: [frame: MediaFrame];
  /** `sentTimestamp`: the line's time in Zoom's unit, mostly microseconds; undefined when Zoom wrote none. */
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
  /** `userId` (V2): this is about the connection of this participant's camera only. */
  interrupted: [
    info: {
      scope: InterruptScope;
      userId?: number;
      cause: string;
      /** How long nothing may have been received already, where the trouble was noticed late. */
      durationMs?: number;
    },
  ];
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
  /** Per source: the capture times before and after an interruption, Unix ms. */
  gap: [gap: MediaSource & { mediaType: FrameMediaType; fromMs: number; toMs: number }];
  /**
   * A message of which nothing can be kept, because it is damaged or too large. It is lost, so its listener has to report
   * a gap; the client goes on. Without `mediaType` it is unknown what it was.
   */
  malformed: [info: MediaSource & { scope: InterruptScope; mediaType?: MediaType; error: Error }];
  /** Data of a media type that is not wanted, or that another connection carries. It is not told as a frame or line. */
  unasked: [info: { mediaType: MediaType }];
  videoSubscribed: [result: { userId: number; status: number; reason: string }];
  /** A whole message that this version does not understand. */
  other: [raw: unknown];
  /** The last event. */
  ended: [reason: EndReason];
}
