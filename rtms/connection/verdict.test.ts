import { describe, expect, test } from 'vitest';
import { nameOf, STATUS_CODE } from '../protocol/constants.ts';
import { mediaTypeOfStatus, statusVerdict } from './verdict.ts';

/** Protocol reference 5.5, one row a code: what it does to a connection, and whom it speaks of. */
const STATUS_ROWS: [number, string, string, string?][] = [
  [0, 'OK', 'accepted'],
  [1, 'INVALID_MESSAGE_TYPE', 'refused'],
  [2, 'INVALID_RTMS_STREAM_ID', 'fatal'],
  [3, 'INVALID_SIGNATURE', 'fatal'],
  [4, 'INVALID_PAYLOAD', 'fatal'],
  [5, 'INVALID_EVENTS', 'refused'],
  [6, 'INVALID_EVENT_TYPE', 'refused'],
  [7, 'INVALID_MEDIA_TYPE', 'refused'],
  [8, 'DUPLICATE_SIGNAL_REQUEST', 'retry_duplicate'],
  [9, 'MEDIA_TYPE_AUDIO_NOT_SUPPORT', 'refused', 'audio'],
  [10, 'MEDIA_TYPE_VIDEO_NOT_SUPPORT', 'refused', 'video'],
  [11, 'MEDIA_TYPE_DESKSHARE_NOT_SUPPORT', 'refused', 'deskshare'],
  [12, 'MEDIA_TYPE_TRANSCRIPT_NOT_SUPPORT', 'refused', 'transcript'],
  [13, 'MEDIA_TYPE_CHAT_NOT_SUPPORT', 'refused', 'chat'],
  [14, 'MEDIA_TYPE_INVALID_VALUE', 'refused'],
  [15, 'MEDIA_DATA_ALL_CONNECTION_EXIST', 'retry_duplicate'],
  [16, 'DUPLICATE_MEDIA_DATA_CONNECTION', 'retry_duplicate'],
  [17, 'INVALID_MEDIA_PARAMS', 'refused'],
  [18, 'INVALID_MEDIA_AUDIO_PARAMS', 'refused', 'audio'],
  [19, 'INVALID_MEDIA_AUDIO_CONTENT_TYPE', 'refused', 'audio'],
  [20, 'INVALID_MEDIA_AUDIO_SAMPLE_RATE', 'refused', 'audio'],
  [21, 'INVALID_MEDIA_AUDIO_CHANNEL', 'refused', 'audio'],
  [22, 'INVALID_MEDIA_AUDIO_CODEC', 'refused', 'audio'],
  [23, 'INVALID_MEDIA_AUDIO_DATA_OPT', 'refused', 'audio'],
  [24, 'INVALID_MEDIA_AUDIO_SEND_RATE', 'refused', 'audio'],
  [25, 'INVALID_MEDIA_VIDEO_PARAMS', 'refused', 'video'],
  [26, 'INVALID_MEDIA_VIDEO_CONTENT_TYPE', 'refused', 'video'],
  [27, 'INVALID_MEDIA_VIDEO_CODEC', 'refused', 'video'],
  [28, 'INVALID_MEDIA_VIDEO_RESOLUTION', 'refused', 'video'],
  [29, 'INVALID_MEDIA_VIDEO_DATA_OPT', 'refused', 'video'],
  [30, 'INVALID_MEDIA_VIDEO_FPS', 'refused', 'video'],
  [31, 'INVALID_MEDIA_DESKSHARE_PARAMS', 'refused', 'deskshare'],
  [32, 'INVALID_MEDIA_DESKSHARE_CONTENT_TYPE', 'refused', 'deskshare'],
  [33, 'INVALID_MEDIA_DESKSHARE_CODEC', 'refused', 'deskshare'],
  [34, 'INVALID_MEDIA_DESKSHARE_RESOLUTION', 'refused', 'deskshare'],
  [35, 'INVALID_MEDIA_DESKSHARE_FPS', 'refused', 'deskshare'],
  [36, 'INVALID_MEDIA_TRANSCRIPT_PARAMS', 'refused', 'transcript'],
  [37, 'INVALID_MEDIA_TRANSCRIPT_CONTENT_TYPE', 'refused', 'transcript'],
  [38, 'INVALID_MEDIA_CHAT_PARAMS', 'refused', 'chat'],
  [39, 'INVALID_MEDIA_CHAT_CONTENT_TYPE', 'refused', 'chat'],
  [40, 'INVALID_RTMS_SESSION_ID', 'refused'],
  [41, 'INVALID_CLIENT_READY_ACK', 'refused'],
  [42, 'INVALID_EVENT_SUBSCRIBE', 'refused'],
  [43, 'INVALID_MEDIA_TRANSCRIPT_SOURCE_LANGUAGE', 'refused', 'transcript'],
  [44, 'DUPLICATE_VIDEO_SUBSCRIPTION', 'accepted'],
  [45, 'INTERNAL_EXCEPTION', 'retry'],
  [46, 'INVALID_MEDIA_TRANSCRIPT_TARGET_LANGUAGE', 'refused', 'transcript'],
  [47, 'CHAT_SESSION_KEY_NOT_AVAILABLE', 'retry', 'chat'],
];

describe('status codes', () => {
  test.each(STATUS_ROWS)('%i %s: %s', (status, name, verdict, mediaType) => {
    expect(nameOf(STATUS_CODE, status)).toBe(name);
    expect(statusVerdict(status, 1)).toBe(verdict);
    expect(statusVerdict(status, 99)).toBe(verdict);
    expect(mediaTypeOfStatus(status)).toBe(mediaType);
  });

  test('have one row each', () => {
    expect(STATUS_ROWS.map(([status]) => status)).toEqual(Object.values(STATUS_CODE));
  });

  test('that are not documented are retried a few times', () => {
    expect([1, 2, 3, 4, 5, 6].map((attempt) => statusVerdict(75, attempt))).toEqual([
      'retry',
      'retry',
      'retry',
      'retry',
      'refused',
      'refused',
    ]);
  });
});

describe('a reason that speaks of a connection Zoom still counts', () => {
  const TEXTS = [
    'Duplicate signal request',
    'DUPLICATE_SIGNAL_REQUEST',
    'STATUS_DUPLICATE_SIGNAL_REQUEST',
    'duplicate signaling connection',
    'Duplicate media data connection',
    'all connection exist',
  ];

  test.each(TEXTS)('"%s" overrules every number but OK', (reason) => {
    for (const status of [1, 2, 3, 4, 8, 13, 17, 30, 31, 45, 75, 999]) {
      expect(statusVerdict(status, 9, reason)).toBe('retry_duplicate');
    }
    expect(statusVerdict(0, 1, reason)).toBe('accepted');
  });

  test.each(['', 'Invalid media params', 'STATUS_DUPLICATE_VIDEO_SUBSCRIPTION', 'signal'])(
    '"%s" overrules nothing',
    (reason) => {
      expect(statusVerdict(17, 1, reason)).toBe('refused');
      expect(statusVerdict(3, 1, reason)).toBe('fatal');
    },
  );
});
