import type { MESSAGE_TYPE } from './constants.ts';
import type { EntityIdField } from './product.ts';
import type { MediaParamsWire } from './wire-params.ts';

type Type = typeof MESSAGE_TYPE;

/** What messages 1 and 3 share: which stream, and the proof that it is ours. */
interface HandshakeWire {
  readonly protocol_version: number;
  readonly sequence: number;
  readonly rtms_stream_id: string;
  readonly signature: string;
}

/** One field of these: the id of the product, which is part of what is signed. */
type EntityIdWire = { readonly [Field in EntityIdField]?: string };

interface SignalingHandshakeWire extends HandshakeWire, EntityIdWire {
  readonly msg_type: Type['SIGNALING_HAND_SHAKE_REQ'];
  /** Deliver the audio kept since `rtms_started`, 60 s at most. Zoom's default is true. */
  readonly buffer_data: boolean;
}

interface DataHandshakeWire extends HandshakeWire, EntityIdWire {
  readonly msg_type: Type['DATA_HAND_SHAKE_REQ'];
  /** Bits of MEDIA_DATA_TYPE. */
  readonly media_type: number;
  readonly payload_encryption: boolean;
  readonly media_params: MediaParamsWire;
  /** V2, individual video: the participant whose camera is asked for. This is our reading; Zoom's page could not be read. */
  readonly user_id?: number;
}

interface EventSubscriptionWire {
  readonly msg_type: Type['EVENT_SUBSCRIPTION'];
  readonly events: readonly (
    | { readonly event_type: number; readonly subscribe: boolean }
    | { readonly event_code: number; readonly subscribe: boolean }
  )[];
}

interface SessionStateWire {
  readonly msg_type: Type['SESSION_STATE_REQ'];
  readonly rtms_session_id: string;
}

interface StreamWire {
  readonly msg_type: Type['CLIENT_READY_ACK'] | Type['STREAM_STATE_REQ'] | Type['STREAM_CLOSE_REQ'];
  readonly rtms_stream_id: string;
}

interface VideoSubscriptionWire {
  readonly msg_type: Type['VIDEO_SUBSCRIPTION_REQ'];
  readonly user_id: number;
  readonly subscribe: boolean;
  /** Unix ms. */
  readonly timestamp: number;
}

/**
 * The messages that a client sends, as they stand on the wire in Zoom's own spelling; message 13 is written by
 * `encodeKeepAliveResp`. What Zoom sends has no such types, because its forms vary: decode-signaling.ts, decode-text.ts and
 * decode-media.ts say what is read of it, and docs/protocol.md lists the variants.
 *
 * @see https://developers.zoom.us/docs/rtms/event-reference/ (read 2026-11-22)
 */
export type ClientMessageWire =
  | SignalingHandshakeWire
  | DataHandshakeWire
  | EventSubscriptionWire
  | SessionStateWire
  | StreamWire
  | VideoSubscriptionWire;
