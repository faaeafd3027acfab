import { createHmac } from 'node:crypto';
import { EVENT_TYPE, type MESSAGE_TYPE, ZCC_VOICE_EVENT_TYPE } from './constants.ts';
import type { EntityIdField, Product } from './product.ts';
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

/** Several short lists: if Zoom refuses a list because of one entry, the other lists stand. */
const MEETING_EVENTS = [
  [EVENT_TYPE.ACTIVE_SPEAKER_CHANGE, EVENT_TYPE.PARTICIPANT_JOIN, EVENT_TYPE.PARTICIPANT_LEAVE],
  [EVENT_TYPE.SHARING_START, EVENT_TYPE.SHARING_STOP],
  [EVENT_TYPE.PARTICIPANT_VIDEO_ON, EVENT_TYPE.PARTICIPANT_VIDEO_OFF],
  [
    EVENT_TYPE.CHAT_GROUP_CREATE,
    EVENT_TYPE.CHAT_GROUP_DELETE,
    EVENT_TYPE.CHAT_GROUP_MEMBERS_ADD,
    EVENT_TYPE.CHAT_GROUP_MEMBERS_DELETE,
    EVENT_TYPE.CHAT_GROUP_MEMBER_STATUS_UPDATE,
  ],
];

/**
 * Every event type of a product, in the lists of message 5 that subscribe to them. Phone has none: it numbers its
 * events by codes that are not public.
 */
export const PRODUCT_EVENTS: Readonly<Record<Product, readonly (readonly number[])[]>> = {
  meeting: MEETING_EVENTS,
  webinar: MEETING_EVENTS,
  session: MEETING_EVENTS,
  contact_center: [Object.values(ZCC_VOICE_EVENT_TYPE)],
  phone: [],
};

/** The wanted event types as the lists of message 5: the product's own lists first, then one of those it does not have. */
export function subscriptionLists(product: Product, wanted: ReadonlySet<number>): number[][] {
  const lists = PRODUCT_EVENTS[product];
  const listed = new Set(lists.flat());
  return [...lists, [...wanted].filter((type) => !listed.has(type))]
    .map((list) => list.filter((type) => wanted.has(type)))
    .filter((list) => list.length > 0);
}

/** What signs handshakes: the Zoom app's own id and secret, or the key and secret of the Video SDK. */
export interface HandshakeCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

/**
 * The signature of a stream. The signaling handshake and every media handshake carry the same one.
 *
 * @param entityId the product's own id, verbatim (never URL-decoded)
 * @returns 64 lower-case hex digits
 * @see https://developers.zoom.us/docs/rtms/event-reference/ (read 2026-11-22)
 */
export function signHandshake(
  input: HandshakeCredentials & { readonly entityId: string; readonly rtmsStreamId: string },
): string {
  return createHmac('sha256', input.clientSecret)
    .update(`${input.clientId},${input.entityId},${input.rtmsStreamId}`)
    .digest('hex');
}
