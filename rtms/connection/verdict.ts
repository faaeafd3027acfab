import { STATUS_CODE, type StatusCode } from '../protocol/constants.ts';
import type { MediaType } from '../protocol/media-type.ts';

/**
 * What an answer means for one connection. A loss is always `retry`, and so is a close without an answer: Zoom closes
 * with 1000 whatever the cause, which may be an unknown stream, a stream that needs a moment to start or to change
 * servers, or a Contact Center transfer.
 *
 * - `accepted`: go on
 * - `retry`: dial again inside the reconnect window
 * - `retry_duplicate`: the same, with longer delays: Zoom has to notice that the old connection is gone
 * - `retry_signature`: the same, once there is another signature than the one that Zoom refused
 * - `refused`: this request will never be granted: a media type is left out, a join ends
 * - `fatal`: the stream does not exist or is not ours: everything ends
 */
export type StatusVerdict =
  | 'accepted'
  | 'retry'
  | 'retry_duplicate'
  | 'retry_signature'
  | 'refused'
  | 'fatal';

/** @see https://developers.zoom.us/docs/rtms/data-types/ (read 2026-11-22) for the codes; docs/protocol.md for the grouping */
const STATUS_VERDICT: Readonly<Record<StatusCode, StatusVerdict>> = {
  [STATUS_CODE.OK]: 'accepted',
  [STATUS_CODE.INVALID_MESSAGE_TYPE]: 'refused',
  [STATUS_CODE.INVALID_RTMS_STREAM_ID]: 'fatal',
  [STATUS_CODE.INVALID_SIGNATURE]: 'fatal',
  [STATUS_CODE.INVALID_PAYLOAD]: 'fatal',
  [STATUS_CODE.INVALID_EVENTS]: 'refused',
  [STATUS_CODE.INVALID_EVENT_TYPE]: 'refused',
  [STATUS_CODE.INVALID_MEDIA_TYPE]: 'refused',
  [STATUS_CODE.DUPLICATE_SIGNAL_REQUEST]: 'retry_duplicate',
  [STATUS_CODE.MEDIA_TYPE_AUDIO_NOT_SUPPORT]: 'refused',
  [STATUS_CODE.MEDIA_TYPE_VIDEO_NOT_SUPPORT]: 'refused',
  [STATUS_CODE.MEDIA_TYPE_DESKSHARE_NOT_SUPPORT]: 'refused',
  [STATUS_CODE.MEDIA_TYPE_TRANSCRIPT_NOT_SUPPORT]: 'refused',
  [STATUS_CODE.MEDIA_TYPE_CHAT_NOT_SUPPORT]: 'refused',
  [STATUS_CODE.MEDIA_TYPE_INVALID_VALUE]: 'refused',
  [STATUS_CODE.MEDIA_DATA_ALL_CONNECTION_EXIST]: 'retry_duplicate',
  [STATUS_CODE.DUPLICATE_MEDIA_DATA_CONNECTION]: 'retry_duplicate',
  [STATUS_CODE.INVALID_MEDIA_PARAMS]: 'refused',
  [STATUS_CODE.INVALID_MEDIA_AUDIO_PARAMS]: 'refused',
  [STATUS_CODE.INVALID_MEDIA_AUDIO_CONTENT_TYPE]: 'refused',
  [STATUS_CODE.INVALID_MEDIA_AUDIO_SAMPLE_RATE]: 'refused',
  [STATUS_CODE.INVALID_MEDIA_AUDIO_CHANNEL]: 'refused',
  [STATUS_CODE.INVALID_MEDIA_AUDIO_CODEC]: 'refused',
  [STATUS_CODE.INVALID_MEDIA_AUDIO_DATA_OPT]: 'refused',
  [STATUS_CODE.INVALID_MEDIA_AUDIO_SEND_RATE]: 'refused',
  [STATUS_CODE.INVALID_MEDIA_VIDEO_PARAMS]: 'refused',
  [STATUS_CODE.INVALID_MEDIA_VIDEO_CONTENT_TYPE]: 'refused',
  [STATUS_CODE.INVALID_MEDIA_VIDEO_CODEC]: 'refused',
  [STATUS_CODE.INVALID_MEDIA_VIDEO_RESOLUTION]: 'refused',
  [STATUS_CODE.INVALID_MEDIA_VIDEO_DATA_OPT]: 'refused',
  [STATUS_CODE.INVALID_MEDIA_VIDEO_FPS]: 'refused',
  [STATUS_CODE.INVALID_MEDIA_DESKSHARE_PARAMS]: 'refused',
  [STATUS_CODE.INVALID_MEDIA_DESKSHARE_CONTENT_TYPE]: 'refused',
  [STATUS_CODE.INVALID_MEDIA_DESKSHARE_CODEC]: 'refused',
  [STATUS_CODE.INVALID_MEDIA_DESKSHARE_RESOLUTION]: 'refused',
  [STATUS_CODE.INVALID_MEDIA_DESKSHARE_FPS]: 'refused',
  [STATUS_CODE.INVALID_MEDIA_TRANSCRIPT_PARAMS]: 'refused',
  [STATUS_CODE.INVALID_MEDIA_TRANSCRIPT_CONTENT_TYPE]: 'refused',
  [STATUS_CODE.INVALID_MEDIA_CHAT_PARAMS]: 'refused',
  [STATUS_CODE.INVALID_MEDIA_CHAT_CONTENT_TYPE]: 'refused',
  [STATUS_CODE.INVALID_RTMS_SESSION_ID]: 'refused',
  [STATUS_CODE.INVALID_CLIENT_READY_ACK]: 'refused',
  [STATUS_CODE.INVALID_EVENT_SUBSCRIBE]: 'refused',
  [STATUS_CODE.INVALID_MEDIA_TRANSCRIPT_SOURCE_LANGUAGE]: 'refused',
  /** What was asked for is the case already. */
  [STATUS_CODE.DUPLICATE_VIDEO_SUBSCRIPTION]: 'accepted',
  [STATUS_CODE.INTERNAL_EXCEPTION]: 'retry',
  [STATUS_CODE.INVALID_MEDIA_TRANSCRIPT_TARGET_LANGUAGE]: 'refused',
  [STATUS_CODE.CHAT_SESSION_KEY_NOT_AVAILABLE]: 'retry',
};

/** A status that is not documented may be a passing fault. After five attempts it counts as a refusal. */
const UNKNOWN_STATUS_ATTEMPTS = 5;

/**
 * This refusal has different numbers in Zoom's tables of different age: 8 or 17 for signaling, 16 or 31 for media.
 * Zoom's own managers go by the text, and so do we.
 */
const DUPLICATE_TEXT = /duplicate[\s_-]*(signal|media|data)|all[\s_-]*connection[\s_-]*exist/i;

/**
 * Whether an answer to message 28 means that this participant's video will not come. Without a video connection, or
 * with one for another kind of video, Zoom refuses every participant. That refusal is not about the one asked for, and
 * is over with the next video connection.
 */
export function refusesParticipant(status: number): boolean {
  if (status === STATUS_CODE.INVALID_MEDIA_VIDEO_DATA_OPT) return false;
  const verdict = statusVerdict(status, 1);
  return verdict === 'refused' || verdict === 'fatal';
}

/**
 * @param attempt counts from 1
 * @param reason Zoom's text: if it tells of a connection that Zoom still counts, it overrules the number
 */
export function statusVerdict(status: number, attempt: number, reason = ''): StatusVerdict {
  if (status !== STATUS_CODE.OK && DUPLICATE_TEXT.test(reason)) return 'retry_duplicate';
  const known = STATUS_VERDICT[status as StatusCode] as StatusVerdict | undefined;
  if (known !== undefined) return known;
  return attempt < UNKNOWN_STATUS_ATTEMPTS ? 'retry' : 'refused';
}

/** The media type that a refusal is about, so that a connection for several types can go on without it. */
export function mediaTypeOfStatus(status: number): MediaType | undefined {
  const { MEDIA_TYPE_AUDIO_NOT_SUPPORT, MEDIA_TYPE_VIDEO_NOT_SUPPORT } = STATUS_CODE;
  if (status === MEDIA_TYPE_AUDIO_NOT_SUPPORT || (status >= 18 && status <= 24)) return 'audio';
  if (status === MEDIA_TYPE_VIDEO_NOT_SUPPORT || (status >= 25 && status <= 30)) return 'video';
  if (status === STATUS_CODE.MEDIA_TYPE_DESKSHARE_NOT_SUPPORT || (status >= 31 && status <= 35)) {
    return 'deskshare';
  }
  switch (status) {
    case STATUS_CODE.MEDIA_TYPE_TRANSCRIPT_NOT_SUPPORT:
    case STATUS_CODE.INVALID_MEDIA_TRANSCRIPT_PARAMS:
    case STATUS_CODE.INVALID_MEDIA_TRANSCRIPT_CONTENT_TYPE:
    case STATUS_CODE.INVALID_MEDIA_TRANSCRIPT_SOURCE_LANGUAGE:
    case STATUS_CODE.INVALID_MEDIA_TRANSCRIPT_TARGET_LANGUAGE:
      return 'transcript';
    case STATUS_CODE.MEDIA_TYPE_CHAT_NOT_SUPPORT:
    case STATUS_CODE.INVALID_MEDIA_CHAT_PARAMS:
    case STATUS_CODE.INVALID_MEDIA_CHAT_CONTENT_TYPE:
    case STATUS_CODE.CHAT_SESSION_KEY_NOT_AVAILABLE:
      return 'chat';
    default:
      return undefined;
  }
}
