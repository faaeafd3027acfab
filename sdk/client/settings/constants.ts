import {
  AUDIO_CHANNEL,
  AUDIO_SAMPLE_RATE,
  EVENT_TYPE,
  MEDIA_CONTENT_TYPE,
  MEDIA_DATA_OPTION,
  MEDIA_DATA_TYPE,
  MEDIA_PAYLOAD_TYPE,
  MEDIA_RESOLUTION,
  MESSAGE_TYPE,
  SESSION_STATE,
  STREAM_STATE,
  TRANSCRIPT_LANGUAGE,
  ZCC_VOICE_EVENT_TYPE,
} from '../../../rtms/protocol/constants.ts';
import { STOP_REASON } from '../../../rtms/protocol/stop-reason.ts';

/**
 * Zoom's numbers under the names its SDK gives them.
 *
 * @see https://github.com/zoom/rtms, release 1.1.0 (read 2026-11-22)
 */
const { UNDEFINED, L16, G711, G722, OPUS, JPG, PNG, H264 } = MEDIA_PAYLOAD_TYPE;
const { AUDIO_MIXED_STREAM, AUDIO_MULTI_STREAMS } = MEDIA_DATA_OPTION;
const { VIDEO_SINGLE_ACTIVE_STREAM, VIDEO_SINGLE_INDIVIDUAL_STREAM, VIDEO_MIXED_GALLERY_VIEW } =
  MEDIA_DATA_OPTION;
const { RTP, RAW_AUDIO, RAW_VIDEO, FILE_STREAM, TEXT } = MEDIA_CONTENT_TYPE;

export const AudioContentType = { UNDEFINED, RTP, RAW_AUDIO, FILE_STREAM, TEXT } as const;
export const AudioCodec = { UNDEFINED, L16, G711, G722, OPUS } as const;
export const AudioSampleRate = AUDIO_SAMPLE_RATE;
export const AudioChannel = AUDIO_CHANNEL;
export const AudioDataOption = { UNDEFINED, AUDIO_MIXED_STREAM, AUDIO_MULTI_STREAMS } as const;

export const VideoContentType = { UNDEFINED, RTP, RAW_VIDEO, FILE_STREAM, TEXT } as const;
export const VideoCodec = { UNDEFINED, JPG, PNG, H264 } as const;
export const VideoResolution = MEDIA_RESOLUTION;
export const VideoDataOption = {
  UNDEFINED,
  VIDEO_SINGLE_ACTIVE_STREAM,
  /** The name of 4 before March 2026. */
  VIDEO_MIXED_SPEAKER_VIEW: VIDEO_SINGLE_INDIVIDUAL_STREAM,
  VIDEO_SINGLE_INDIVIDUAL_STREAM,
  VIDEO_MIXED_GALLERY_VIEW,
} as const;

export const DataOption = {
  ...MEDIA_DATA_OPTION,
  VIDEO_MIXED_SPEAKER_VIEW: VIDEO_SINGLE_INDIVIDUAL_STREAM,
} as const;
export const TranscriptLanguage = TRANSCRIPT_LANGUAGE;
export const MediaDataType = MEDIA_DATA_TYPE;
export const SessionState = SESSION_STATE;
export const StreamState = STREAM_STATE;
const { CONSUMER_ANSWERED, CONSUMER_END, USER_ANSWERED, USER_END, USER_HOLD, USER_UNHOLD } =
  ZCC_VOICE_EVENT_TYPE;
const {
  CHAT_GROUP_CREATE,
  CHAT_GROUP_DELETE,
  CHAT_GROUP_MEMBERS_ADD,
  CHAT_GROUP_MEMBERS_DELETE,
  CHAT_GROUP_MEMBER_STATUS_UPDATE,
  ...MEETING_EVENT_TYPE
} = EVENT_TYPE;

/**
 * Events of Meetings, Webinars and Video SDK, and six of Contact Center, which uses some of the same numbers for
 * other events. The order is that of Zoom's SDK, because programs look for the first name of a number.
 */
export const EventType = {
  ...MEETING_EVENT_TYPE,
  CONSUMER_ANSWERED,
  CONSUMER_END,
  USER_ANSWERED,
  USER_END,
  USER_HOLD,
  USER_UNHOLD,
  CHAT_GROUP_CREATE,
  CHAT_GROUP_DELETE,
  CHAT_GROUP_MEMBERS_ADD,
  CHAT_GROUP_MEMBERS_DELETE,
  CHAT_GROUP_MEMBER_STATUS_UPDATE,
} as const;
/** Events of Contact Center. Some of their numbers are those of meeting events too, hence a table of their own. */
export const VoiceEventType = ZCC_VOICE_EVENT_TYPE;
export const MessageType = MESSAGE_TYPE;
/** The names of Zoom's SDK first, then the names that only its types have. */
export const StopReason = {
  ...STOP_REASON,
  STOP_BC_HOST_TRIGGERED: STOP_REASON.HOST_TRIGGERED,
  STOP_BC_USER_TRIGGERED: STOP_REASON.USER_TRIGGERED,
  STOP_BC_USER_LEFT: STOP_REASON.USER_LEFT,
  STOP_BC_USER_EJECTED: STOP_REASON.USER_EJECTED,
  STOP_BC_APP_DISABLED_BY_HOST: STOP_REASON.HOST_DISABLED_APP,
  STOP_BC_MEETING_ENDED: STOP_REASON.MEETING_ENDED,
  STOP_BC_STREAM_CANCELED: STOP_REASON.STREAM_CANCELED,
  STOP_BC_STREAM_REVOKED: STOP_REASON.STREAM_REVOKED,
  STOP_BC_ALL_APPS_DISABLED: STOP_REASON.ALL_APPS_DISABLED,
  STOP_BC_INTERNAL_EXCEPTION: STOP_REASON.INTERNAL_EXCEPTION,
  STOP_BC_CONNECTION_TIMEOUT: STOP_REASON.CONNECTION_TIMEOUT,
  STOP_BC_MEETING_CONNECTION_INTERRUPTED: STOP_REASON.INSTANCE_CONNECTION_INTERRUPTED,
  STOP_BC_SIGNAL_CONNECTION_INTERRUPTED: STOP_REASON.SIGNAL_CONNECTION_INTERRUPTED,
  STOP_BC_DATA_CONNECTION_INTERRUPTED: STOP_REASON.DATA_CONNECTION_INTERRUPTED,
  STOP_BC_SIGNAL_CONNECTION_CLOSED_ABNORMALLY: STOP_REASON.SIGNAL_CONNECTION_CLOSED_ABNORMALLY,
  STOP_BC_DATA_CONNECTION_CLOSED_ABNORMALLY: STOP_REASON.DATA_CONNECTION_CLOSED_ABNORMALLY,
  STOP_BC_EXIT_SIGNAL: STOP_REASON.EXIT_SIGNAL,
  STOP_BC_AUTHENTICATION_FAILURE: STOP_REASON.AUTHENTICATION_FAILURE,
} as const;

export const MEDIA_TYPE_AUDIO = MEDIA_DATA_TYPE.AUDIO;
export const MEDIA_TYPE_VIDEO = MEDIA_DATA_TYPE.VIDEO;
export const MEDIA_TYPE_DESKSHARE = MEDIA_DATA_TYPE.DESKSHARE;
export const MEDIA_TYPE_TRANSCRIPT = MEDIA_DATA_TYPE.TRANSCRIPT;
export const MEDIA_TYPE_CHAT = MEDIA_DATA_TYPE.CHAT;
/** A bit of its own, not the sum of the others. */
export const MEDIA_TYPE_ALL = MEDIA_DATA_TYPE.ALL;

/** First argument of `onSessionUpdate`. */
export const SESSION_EVENT_ADD = 1;
export const SESSION_EVENT_STOP = 2;
export const SESSION_EVENT_PAUSE = 3;
export const SESSION_EVENT_RESUME = 4;

/** First argument of `onUserUpdate`. */
export const USER_JOIN = 1;
export const USER_LEAVE = 2;
/** The names of these two in the first releases of Zoom's SDK. */
export const USER_EVENT_JOIN = USER_JOIN;
export const USER_EVENT_LEAVE = USER_LEAVE;

/** `status` of a session in `onSessionUpdate`; 0 once it has stopped. */
export const SESS_STATUS_ACTIVE = 1;
export const SESS_STATUS_PAUSED = 2;

/** Argument of `onJoinConfirm` where it is not a status code of Zoom's servers. */
export const RTMS_SDK_FAILURE = -1;
export const RTMS_SDK_OK = 0;
export const RTMS_SDK_TIMEOUT = 1;
export const RTMS_SDK_NOT_EXIST = 2;
export const RTMS_SDK_WRONG_TYPE = 3;
export const RTMS_SDK_INVALID_STATUS = 4;
export const RTMS_SDK_INVALID_ARGS = 5;

/** For `subscribeEvent` and `unsubscribeEvent` in Meetings, Webinars and Video SDK. */
export const EVENT_UNDEFINED = EVENT_TYPE.UNDEFINED;
export const EVENT_FIRST_PACKET_TIMESTAMP = EVENT_TYPE.FIRST_PACKET_TIMESTAMP;
export const EVENT_ACTIVE_SPEAKER_CHANGE = EVENT_TYPE.ACTIVE_SPEAKER_CHANGE;
export const EVENT_PARTICIPANT_JOIN = EVENT_TYPE.PARTICIPANT_JOIN;
export const EVENT_PARTICIPANT_LEAVE = EVENT_TYPE.PARTICIPANT_LEAVE;
export const EVENT_SHARING_START = EVENT_TYPE.SHARING_START;
export const EVENT_SHARING_STOP = EVENT_TYPE.SHARING_STOP;
export const EVENT_MEDIA_CONNECTION_INTERRUPTED = EVENT_TYPE.MEDIA_CONNECTION_INTERRUPTED;
export const EVENT_PARTICIPANT_VIDEO_ON = EVENT_TYPE.PARTICIPANT_VIDEO_ON;
export const EVENT_PARTICIPANT_VIDEO_OFF = EVENT_TYPE.PARTICIPANT_VIDEO_OFF;
export const EVENT_CHAT_GROUP_CREATE = EVENT_TYPE.CHAT_GROUP_CREATE;
export const EVENT_CHAT_GROUP_DELETE = EVENT_TYPE.CHAT_GROUP_DELETE;
export const EVENT_CHAT_GROUP_MEMBERS_ADD = EVENT_TYPE.CHAT_GROUP_MEMBERS_ADD;
export const EVENT_CHAT_GROUP_MEMBERS_DELETE = EVENT_TYPE.CHAT_GROUP_MEMBERS_DELETE;
export const EVENT_CHAT_GROUP_MEMBER_STATUS_UPDATE = EVENT_TYPE.CHAT_GROUP_MEMBER_STATUS_UPDATE;

/** For `subscribeEvent` and `unsubscribeEvent` in Contact Center only. */
export const EVENT_CONSUMER_ANSWERED = ZCC_VOICE_EVENT_TYPE.CONSUMER_ANSWERED;
export const EVENT_CONSUMER_END = ZCC_VOICE_EVENT_TYPE.CONSUMER_END;
export const EVENT_USER_ANSWERED = ZCC_VOICE_EVENT_TYPE.USER_ANSWERED;
export const EVENT_USER_END = ZCC_VOICE_EVENT_TYPE.USER_END;
export const EVENT_USER_HOLD = ZCC_VOICE_EVENT_TYPE.USER_HOLD;
export const EVENT_USER_UNHOLD = ZCC_VOICE_EVENT_TYPE.USER_UNHOLD;

/** The type of a table as Zoom's types have it: its names, each with any number. */
type Table<Constants> = { [Name in keyof Constants]: number };

export type AudioContentType = Table<typeof AudioContentType>;
export type AudioCodec = Table<typeof AudioCodec>;
export type AudioSampleRate = Table<typeof AudioSampleRate>;
export type AudioChannel = Table<typeof AudioChannel>;
export type AudioDataOption = Table<typeof AudioDataOption>;
export type VideoContentType = Table<typeof VideoContentType>;
export type VideoCodec = Table<typeof VideoCodec>;
export type VideoResolution = Table<typeof VideoResolution>;
export type VideoDataOption = Table<typeof VideoDataOption>;
export type DataOption = Table<typeof DataOption>;
export type TranscriptLanguage = Table<typeof TranscriptLanguage>;
export type MediaDataType = Table<typeof MediaDataType>;
export type SessionState = Table<typeof SessionState>;
export type StreamState = Table<typeof StreamState>;
export type EventType = Table<typeof EventType>;
export type VoiceEventType = Table<typeof VoiceEventType>;
export type MessageType = Table<typeof MessageType>;
export type StopReason = Table<typeof StopReason>;
