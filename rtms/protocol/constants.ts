/**
 * Zoom's RTMS numbers. Names are as Zoom spells them, without the prefix of their group.
 *
 * Over 300 lines because every number of Zoom's is in this one file.
 *
 * @see https://developers.zoom.us/docs/rtms/data-types/ (read 2026-11-22); docs/protocol.md for doubts
 */

/** `msg_type` of every message on both sockets. */
export const MESSAGE_TYPE = {
  UNDEFINED: 0,
  SIGNALING_HAND_SHAKE_REQ: 1,
  SIGNALING_HAND_SHAKE_RESP: 2,
  DATA_HAND_SHAKE_REQ: 3,
  DATA_HAND_SHAKE_RESP: 4,
  EVENT_SUBSCRIPTION: 5,
  EVENT_UPDATE: 6,
  CLIENT_READY_ACK: 7,
  STREAM_STATE_UPDATE: 8,
  SESSION_STATE_UPDATE: 9,
  SESSION_STATE_REQ: 10,
  SESSION_STATE_RESP: 11,
  KEEP_ALIVE_REQ: 12,
  KEEP_ALIVE_RESP: 13,
  MEDIA_DATA_AUDIO: 14,
  MEDIA_DATA_VIDEO: 15,
  MEDIA_DATA_SHARE: 16,
  MEDIA_DATA_TRANSCRIPT: 17,
  MEDIA_DATA_CHAT: 18,
  STREAM_STATE_REQ: 19,
  STREAM_STATE_RESP: 20,
  STREAM_CLOSE_REQ: 21,
  STREAM_CLOSE_RESP: 22,
  META_DATA_AUDIO: 23,
  META_DATA_VIDEO: 24,
  META_DATA_SHARE: 25,
  META_DATA_TRANSCRIPT: 26,
  META_DATA_CHAT: 27,
  VIDEO_SUBSCRIPTION_REQ: 28,
  VIDEO_SUBSCRIPTION_RESP: 29,
} as const;

/** Bits of `media_type` in message 3. ALL is a bit of its own and not the sum of the others. */
export const MEDIA_DATA_TYPE = {
  UNDEFINED: 0,
  AUDIO: 1,
  VIDEO: 2,
  DESKSHARE: 4,
  TRANSCRIPT: 8,
  CHAT: 16,
  ALL: 32,
} as const;

/** `event_type` of EVENT_UPDATE for Meetings, Webinars and Video SDK. */
export const EVENT_TYPE = {
  UNDEFINED: 0,
  FIRST_PACKET_TIMESTAMP: 1,
  ACTIVE_SPEAKER_CHANGE: 2,
  PARTICIPANT_JOIN: 3,
  PARTICIPANT_LEAVE: 4,
  SHARING_START: 5,
  SHARING_STOP: 6,
  MEDIA_CONNECTION_INTERRUPTED: 7,
  PARTICIPANT_VIDEO_ON: 8,
  PARTICIPANT_VIDEO_OFF: 9,
  CHAT_GROUP_CREATE: 10,
  CHAT_GROUP_DELETE: 11,
  CHAT_GROUP_MEMBERS_ADD: 12,
  CHAT_GROUP_MEMBERS_DELETE: 13,
  CHAT_GROUP_MEMBER_STATUS_UPDATE: 14,
} as const;

/** `event_type` of EVENT_UPDATE for Contact Center, where the same numbers have another meaning. */
export const ZCC_VOICE_EVENT_TYPE = {
  CONSUMER_ANSWERED: 8,
  CONSUMER_END: 9,
  USER_ANSWERED: 10,
  USER_END: 11,
  USER_HOLD: 12,
  USER_UNHOLD: 13,
  MONITOR_STARTED: 14,
  MONITOR_TRANSITIONED: 15,
  MONITOR_ENDED: 16,
  TAKEOVER_STARTED: 17,
  TRANSFER_INITIATED: 18,
  TRANSFER_CANCELED: 19,
  TRANSFER_ACCEPTED: 20,
  TRANSFER_COMPLETED: 21,
  TRANSFER_REJECTED: 22,
  TRANSFER_TIMEOUT: 23,
  CONFERENCE_CANCELED: 24,
  CONFERENCE_PARTICIPANT_CANCELED: 25,
  CONFERENCE_PARTICIPANT_INVITED: 26,
  CONFERENCE_PARTICIPANT_REJECTED: 27,
  CONFERENCE_PARTICIPANT_TIMEOUT: 28,
  CONFERENCE_PARTICIPANT_LEFT: 29,
} as const;

/** State of one user's session inside the stream (message 9). */
export const SESSION_STATE = {
  INACTIVE: 0,
  INITIALIZE: 1,
  STARTED: 2,
  PAUSED: 3,
  RESUMED: 4,
  STOPPED: 5,
} as const;

/** State of the whole stream (message 8). */
export const STREAM_STATE = {
  INACTIVE: 0,
  ACTIVE: 1,
  INTERRUPTED: 2,
  TERMINATING: 3,
  TERMINATED: 4,
  PAUSED: 5,
  RESUMED: 6,
} as const;

/** `status_code` of messages 2, 4, 22 and 29. */
export const STATUS_CODE = {
  OK: 0,
  INVALID_MESSAGE_TYPE: 1,
  INVALID_RTMS_STREAM_ID: 2,
  INVALID_SIGNATURE: 3,
  INVALID_PAYLOAD: 4,
  INVALID_EVENTS: 5,
  INVALID_EVENT_TYPE: 6,
  INVALID_MEDIA_TYPE: 7,
  DUPLICATE_SIGNAL_REQUEST: 8,
  MEDIA_TYPE_AUDIO_NOT_SUPPORT: 9,
  MEDIA_TYPE_VIDEO_NOT_SUPPORT: 10,
  MEDIA_TYPE_DESKSHARE_NOT_SUPPORT: 11,
  MEDIA_TYPE_TRANSCRIPT_NOT_SUPPORT: 12,
  MEDIA_TYPE_CHAT_NOT_SUPPORT: 13,
  MEDIA_TYPE_INVALID_VALUE: 14,
  MEDIA_DATA_ALL_CONNECTION_EXIST: 15,
  DUPLICATE_MEDIA_DATA_CONNECTION: 16,
  INVALID_MEDIA_PARAMS: 17,
  INVALID_MEDIA_AUDIO_PARAMS: 18,
  INVALID_MEDIA_AUDIO_CONTENT_TYPE: 19,
  INVALID_MEDIA_AUDIO_SAMPLE_RATE: 20,
  INVALID_MEDIA_AUDIO_CHANNEL: 21,
  INVALID_MEDIA_AUDIO_CODEC: 22,
  INVALID_MEDIA_AUDIO_DATA_OPT: 23,
  INVALID_MEDIA_AUDIO_SEND_RATE: 24,
  INVALID_MEDIA_VIDEO_PARAMS: 25,
  INVALID_MEDIA_VIDEO_CONTENT_TYPE: 26,
  INVALID_MEDIA_VIDEO_CODEC: 27,
  INVALID_MEDIA_VIDEO_RESOLUTION: 28,
  INVALID_MEDIA_VIDEO_DATA_OPT: 29,
  INVALID_MEDIA_VIDEO_FPS: 30,
  INVALID_MEDIA_DESKSHARE_PARAMS: 31,
  INVALID_MEDIA_DESKSHARE_CONTENT_TYPE: 32,
  INVALID_MEDIA_DESKSHARE_CODEC: 33,
  INVALID_MEDIA_DESKSHARE_RESOLUTION: 34,
  INVALID_MEDIA_DESKSHARE_FPS: 35,
  INVALID_MEDIA_TRANSCRIPT_PARAMS: 36,
  INVALID_MEDIA_TRANSCRIPT_CONTENT_TYPE: 37,
  INVALID_MEDIA_CHAT_PARAMS: 38,
  INVALID_MEDIA_CHAT_CONTENT_TYPE: 39,
  INVALID_RTMS_SESSION_ID: 40,
  INVALID_CLIENT_READY_ACK: 41,
  INVALID_EVENT_SUBSCRIBE: 42,
  INVALID_MEDIA_TRANSCRIPT_SOURCE_LANGUAGE: 43,
  DUPLICATE_VIDEO_SUBSCRIPTION: 44,
  INTERNAL_EXCEPTION: 45,
  INVALID_MEDIA_TRANSCRIPT_TARGET_LANGUAGE: 46,
  CHAT_SESSION_KEY_NOT_AVAILABLE: 47,
} as const;

/**
 * Why a stream or session stopped. After 8 everything that was stored has to be deleted. 10 to 19 and 24 are technical
 * reasons, after which the stream may be started again.
 */
export const STOP_REASON = {
  UNDEFINED: 0,
  HOST_TRIGGERED: 1,
  USER_TRIGGERED: 2,
  USER_LEFT: 3,
  USER_EJECTED: 4,
  HOST_DISABLED_APP: 5,
  MEETING_ENDED: 6,
  STREAM_CANCELED: 7,
  STREAM_REVOKED: 8,
  ALL_APPS_DISABLED: 9,
  INTERNAL_EXCEPTION: 10,
  CONNECTION_TIMEOUT: 11,
  INSTANCE_CONNECTION_INTERRUPTED: 12,
  SIGNAL_CONNECTION_INTERRUPTED: 13,
  DATA_CONNECTION_INTERRUPTED: 14,
  SIGNAL_CONNECTION_CLOSED_ABNORMALLY: 15,
  DATA_CONNECTION_CLOSED_ABNORMALLY: 16,
  EXIT_SIGNAL: 17,
  AUTHENTICATION_FAILURE: 18,
  AWAIT_RECONNECTION_TIMEOUT: 19,
  RECEIVER_REQUEST_CLOSE: 20,
  CUSTOMER_DISCONNECTED: 21,
  AGENT_DISCONNECTED: 22,
  ADMIN_DISABLED_APP: 23,
  KEEP_ALIVE_TIMEOUT: 24,
  MANUAL_API_TRIGGERED: 25,
  STREAMING_NOT_SUPPORTED: 26,
} as const;

export const MEDIA_CONTENT_TYPE = {
  UNDEFINED: 0,
  RTP: 1,
  RAW_AUDIO: 2,
  RAW_VIDEO: 3,
  FILE_STREAM: 4,
  TEXT: 5,
} as const;

/** Codecs. Audio and video share one number space. */
export const MEDIA_PAYLOAD_TYPE = {
  UNDEFINED: 0,
  L16: 1,
  G711: 2,
  G722: 3,
  OPUS: 4,
  JPG: 5,
  PNG: 6,
  H264: 7,
} as const;

export const MEDIA_DATA_OPTION = {
  UNDEFINED: 0,
  AUDIO_MIXED_STREAM: 1,
  AUDIO_MULTI_STREAMS: 2,
  VIDEO_SINGLE_ACTIVE_STREAM: 3,
  VIDEO_SINGLE_INDIVIDUAL_STREAM: 4,
  VIDEO_MIXED_GALLERY_VIEW: 5,
} as const;

export const MEDIA_RESOLUTION = { SD: 1, HD: 2, FHD: 3, QHD: 4 } as const;

export const AUDIO_SAMPLE_RATE = { SR_8K: 0, SR_16K: 1, SR_32K: 2, SR_48K: 3 } as const;

export const AUDIO_CHANNEL = { MONO: 1, STEREO: 2 } as const;

export const DATA_MESSAGE_ATTRIBUTE = { NONE: 0, NEW: 1, UPDATE: 2, DELETE: 3 } as const;

export const CHAT_OPERATION = {
  NEW: 1,
  DELETE: 2,
  UPDATE: 3,
  ADD_EMOJI: 4,
  REMOVE_EMOJI: 5,
} as const;

export const CHAT_SESSION_TYPE = {
  EVERYONE: 1,
  INDIVIDUAL: 2,
  CHAT_GROUP: 3,
  HOSTS_AND_PANELISTS: 4,
  INDIVIDUAL_CC_HOSTS_AND_PANELISTS: 5,
} as const;

export const TRANSCRIPT_LANGUAGE = {
  NONE: -1,
  ARABIC: 0,
  BENGALI: 1,
  CANTONESE: 2,
  CATALAN: 3,
  CHINESE_SIMPLIFIED: 4,
  CHINESE_TRADITIONAL: 5,
  CZECH: 6,
  DANISH: 7,
  DUTCH: 8,
  ENGLISH: 9,
  ESTONIAN: 10,
  FINNISH: 11,
  FRENCH_CANADA: 12,
  FRENCH_FRANCE: 13,
  GERMAN: 14,
  HEBREW: 15,
  HINDI: 16,
  HUNGARIAN: 17,
  INDONESIAN: 18,
  ITALIAN: 19,
  JAPANESE: 20,
  KOREAN: 21,
  MALAY: 22,
  PERSIAN: 23,
  POLISH: 24,
  PORTUGUESE: 25,
  ROMANIAN: 26,
  RUSSIAN: 27,
  SPANISH: 28,
  SWEDISH: 29,
  TAGALOG: 30,
  TAMIL: 31,
  TELUGU: 32,
  THAI: 33,
  TURKISH: 34,
  UKRAINIAN: 35,
  VIETNAMESE: 36,
} as const;

export type StatusCode = (typeof STATUS_CODE)[keyof typeof STATUS_CODE];
export type StopReasonCode = (typeof STOP_REASON)[keyof typeof STOP_REASON];

/** Zoom's name for a number of one table, or undefined for a number that this version does not know. */
export function nameOf<Table extends Readonly<Record<string, number>>>(
  table: Table,
  value: number | undefined,
): (keyof Table & string) | undefined {
  for (const name in table) if (table[name] === value) return name;
  return undefined;
}

/** Words that Zoom's documents and mock servers put in front of a name: `STOP_BC_USER_LEFT`, `STATUS_OK`. */
const GROUP_WORDS = new Set(
  'RTMS STREAM SESSION STATE STATUS STOP BC REASON CODE EVENT TYPE LANGUAGE ID CHAT OPERATION MEDIA AUDIO'.split(
    ' ',
  ),
);
/** Twice as long as the longest name of any table. */
const MAX_NAME_LENGTH = 80;

/** The number of a name of one table, in upper, lower or camel case, with or without the prefix of its group. */
export function numberOf(
  table: Readonly<Record<string, number>>,
  name: unknown,
): number | undefined {
  if (typeof name !== 'string' || name.length > MAX_NAME_LENGTH) return undefined;
  const words = name
    .trim()
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_')
    .toUpperCase()
    .split(/[\s_-]+/);
  do {
    const candidate = words.join('_');
    if (Object.hasOwn(table, candidate)) return table[candidate];
  } while (GROUP_WORDS.has(words.shift() ?? ''));
  return undefined;
}
