import type { MESSAGE_TYPE } from './constants.ts';
import type { MediaType } from './media-type.ts';
import type { EntityIdField } from './product.ts';

/**
 * Every RTMS message as it stands on the wire, in Zoom's own spelling. Numbers are Zoom's enums of
 * constants.ts, times Unix milliseconds unless said otherwise. One list of types, so it is kept whole.
 *
 * What varies between Zoom's documents, samples and live servers is optional here and evened out in
 * codec.ts; docs/protocol.md lists the variants.
 *
 * @see https://developers.zoom.us/docs/rtms/event-reference/ (read 2026-11-22)
 */
type Type = typeof MESSAGE_TYPE;

/** Exactly one of them: the id of the product that signs the handshakes. */
type EntityIds = { readonly [Field in EntityIdField]?: string };

export interface AudioParamsWire {
  readonly content_type: number;
  readonly codec: number;
  readonly sample_rate: number;
  readonly channel: number;
  readonly data_opt: number;
  /** Milliseconds of audio in one message. */
  readonly send_rate: number;
}

export interface VideoParamsWire {
  readonly content_type: number;
  readonly codec: number;
  readonly resolution: number;
  readonly fps: number;
  readonly data_opt: number;
}

export interface DeskshareParamsWire {
  readonly content_type: number;
  readonly codec: number;
  readonly resolution: number;
  readonly fps: number;
}

export interface TranscriptParamsWire {
  readonly content_type: number;
  readonly src_language: number;
  readonly enable_lid: boolean;
}

export interface ChatParamsWire {
  readonly content_type: number;
}

/** `media_params` of messages 3 and 4: what the client sends always has every field. */
export interface MediaParamsWire {
  readonly audio?: Partial<AudioParamsWire>;
  readonly video?: Partial<VideoParamsWire>;
  readonly deskshare?: Partial<DeskshareParamsWire>;
  readonly transcript?: Partial<TranscriptParamsWire>;
  readonly chat?: Partial<ChatParamsWire>;
}

export interface SignalingHandshakeReqWire extends EntityIds {
  readonly msg_type: Type['SIGNALING_HAND_SHAKE_REQ'];
  readonly protocol_version?: number;
  readonly sequence?: number;
  readonly rtms_stream_id: string;
  readonly signature: string;
  /** Deliver the audio kept since `rtms_started` (60 s at most); Zoom's default is true. */
  readonly buffer_data?: boolean;
}

export interface SignalingHandshakeRespWire {
  readonly msg_type: Type['SIGNALING_HAND_SHAKE_RESP'];
  readonly protocol_version?: number;
  readonly sequence?: number;
  readonly status_code: number;
  readonly reason?: string;
  readonly media_server?: {
    readonly server_urls: { readonly [Key in MediaType | 'all']?: string };
  };
}

export interface DataHandshakeReqWire extends EntityIds {
  readonly msg_type: Type['DATA_HAND_SHAKE_REQ'];
  readonly protocol_version?: number;
  readonly sequence?: number;
  readonly rtms_stream_id: string;
  readonly signature: string;
  /** Bits of MEDIA_DATA_TYPE. */
  readonly media_type: number;
  readonly payload_encryption?: boolean;
  readonly media_params?: MediaParamsWire;
  /** V2, individual video: whose camera. Our reading; Zoom's page could not be read. */
  readonly user_id?: number;
}

export interface DataHandshakeRespWire {
  readonly msg_type: Type['DATA_HAND_SHAKE_RESP'];
  readonly protocol_version?: number;
  readonly sequence?: number;
  readonly status_code: number;
  readonly reason?: string;
  readonly payload_encrypted?: boolean;
  readonly payload_encryption?: boolean;
  readonly media_params?: MediaParamsWire;
}

export interface EventSubscriptionWire {
  readonly msg_type: Type['EVENT_SUBSCRIPTION'];
  readonly events: readonly (
    | { readonly event_type: number; readonly subscribe: boolean }
    | { readonly event_code: number; readonly subscribe: boolean }
  )[];
}

/** Meetings spell `timestamp` and lists, Contact Center `event_ts` and one `participant_info`. */
export interface EventUpdateWire {
  readonly msg_type: Type['EVENT_UPDATE'];
  readonly event: {
    readonly event_type?: number;
    readonly timestamp?: number;
    readonly event_ts?: number;
    readonly user_id?: number | string;
    readonly user_name?: string;
    readonly participants?: readonly {
      readonly user_id: number | string;
      readonly user_name?: string;
    }[];
    readonly participant_info?: Readonly<Record<string, unknown>>;
    readonly paticipant_info?: Readonly<Record<string, unknown>>;
    readonly chat_groups?: readonly unknown[];
    readonly members_update_list?: readonly unknown[];
    readonly member_status_update_list?: readonly unknown[];
  };
}

export interface ClientReadyAckWire {
  readonly msg_type: Type['CLIENT_READY_ACK'];
  readonly rtms_stream_id: string;
}

export interface StreamStateUpdateWire {
  readonly msg_type: Type['STREAM_STATE_UPDATE'];
  readonly state: number;
  readonly reason?: number;
  readonly stop_reason?: number;
  readonly timestamp?: number;
}

export interface SessionStateUpdateWire {
  readonly msg_type: Type['SESSION_STATE_UPDATE'];
  readonly rtms_session_id: string;
  readonly state: number;
  readonly reason?: number;
  readonly stop_reason?: number;
  readonly timestamp?: number;
}

export interface SessionStateReqWire {
  readonly msg_type: Type['SESSION_STATE_REQ'];
  readonly rtms_session_id: string;
}

export interface SessionStateRespWire {
  readonly msg_type: Type['SESSION_STATE_RESP'];
  readonly rtms_session_id: string;
  readonly state: number;
  readonly timestamp?: number;
}

/** int64: beyond 2^53 a bigint keeps every digit. */
export interface KeepAliveReqWire {
  readonly msg_type: Type['KEEP_ALIVE_REQ'];
  readonly timestamp: number | bigint;
}

/** The answer carries the request's timestamp, digit for digit: see `encodeKeepAliveResp`. */
export interface KeepAliveRespWire {
  readonly msg_type: Type['KEEP_ALIVE_RESP'];
  readonly timestamp: number | bigint;
}

export interface FrameWire {
  readonly msg_type: Type['MEDIA_DATA_AUDIO'] | Type['MEDIA_DATA_VIDEO'] | Type['MEDIA_DATA_SHARE'];
  readonly content:
    | {
        readonly user_id?: number | string;
        readonly user_name?: string;
        /** Contact Center and Phone, in place of the user fields. */
        readonly channel_id?: string;
        /** Standard base64 with padding. */
        readonly data: string;
        /** Bytes before base64; absent before May 2026. */
        readonly length?: number;
        readonly timestamp?: number;
      }
    | string;
}

export interface TranscriptWire {
  readonly msg_type: Type['MEDIA_DATA_TRANSCRIPT'];
  readonly content: {
    readonly user_id?: number | string;
    readonly user_name?: string;
    readonly channel_id?: string;
    /** The text itself, not base64. */
    readonly data: string;
    readonly start_time?: number;
    readonly end_time?: number;
    /** Milliseconds by the documents, microseconds as seen live. */
    readonly timestamp?: number;
    readonly language?: number;
    readonly attribute?: number;
  };
}

export interface PersonWire {
  readonly user_id: number | string;
  readonly user_name?: string;
}

export interface ChatWire {
  readonly msg_type: Type['MEDIA_DATA_CHAT'];
  readonly content: {
    readonly timestamp?: number;
    /** The text, or a JSON string that holds all fields below. */
    readonly data?: string;
    readonly user_id?: number | string;
    readonly user_name?: string;
    readonly message_id?: string;
    readonly parent_message_id?: string;
    readonly operation_type?: number;
    readonly chat_session?: { readonly type: number; readonly id: string };
    readonly sender?: PersonWire;
    readonly receiver?: PersonWire;
    readonly files?: readonly {
      readonly file_id: string;
      readonly file_name: string;
      readonly file_size: number;
    }[];
    readonly delete_file_id_list?: readonly string[];
  };
}

export interface StreamStateReqWire {
  readonly msg_type: Type['STREAM_STATE_REQ'];
  readonly rtms_stream_id: string;
}

export interface StreamStateRespWire {
  readonly msg_type: Type['STREAM_STATE_RESP'];
  readonly rtms_stream_id: string;
  readonly state: number;
  /** Seconds in one of Zoom's examples. */
  readonly timestamp?: number;
}

export interface StreamCloseReqWire {
  readonly msg_type: Type['STREAM_CLOSE_REQ'];
  readonly rtms_stream_id: string;
}

export interface StreamCloseRespWire {
  readonly msg_type: Type['STREAM_CLOSE_RESP'];
  readonly rtms_stream_id?: string;
  readonly status_code: number;
  readonly reason?: string;
  readonly timestamp?: number;
}

export interface VideoSubscriptionReqWire {
  readonly msg_type: Type['VIDEO_SUBSCRIPTION_REQ'];
  readonly user_id: number | string;
  readonly subscribe: boolean;
  readonly timestamp: number;
}

export interface VideoSubscriptionRespWire {
  readonly msg_type: Type['VIDEO_SUBSCRIPTION_RESP'];
  readonly user_id: number | string;
  readonly status_code: number;
  readonly reason?: string;
  readonly timestamp?: number;
}

/** Any message, either direction. */
export type MessageWire =
  | SignalingHandshakeReqWire
  | SignalingHandshakeRespWire
  | DataHandshakeReqWire
  | DataHandshakeRespWire
  | EventSubscriptionWire
  | EventUpdateWire
  | ClientReadyAckWire
  | StreamStateUpdateWire
  | SessionStateUpdateWire
  | SessionStateReqWire
  | SessionStateRespWire
  | KeepAliveReqWire
  | KeepAliveRespWire
  | FrameWire
  | TranscriptWire
  | ChatWire
  | StreamStateReqWire
  | StreamStateRespWire
  | StreamCloseReqWire
  | StreamCloseRespWire
  | VideoSubscriptionReqWire
  | VideoSubscriptionRespWire;
