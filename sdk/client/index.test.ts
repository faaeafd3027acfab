import { expect, test } from 'vitest';
import rtms, * as named from './index.ts';

test("the package has the constants of Zoom's SDK with their numbers", () => {
  expect(rtms).toMatchObject({
    MEDIA_TYPE_AUDIO: 1,
    MEDIA_TYPE_VIDEO: 2,
    MEDIA_TYPE_DESKSHARE: 4,
    MEDIA_TYPE_TRANSCRIPT: 8,
    MEDIA_TYPE_CHAT: 16,
    MEDIA_TYPE_ALL: 32,
    SESSION_EVENT_ADD: 1,
    SESSION_EVENT_STOP: 2,
    SESSION_EVENT_PAUSE: 3,
    SESSION_EVENT_RESUME: 4,
    USER_JOIN: 1,
    USER_LEAVE: 2,
    EVENT_ACTIVE_SPEAKER_CHANGE: 2,
    EVENT_PARTICIPANT_JOIN: 3,
    EVENT_PARTICIPANT_LEAVE: 4,
    EVENT_SHARING_START: 5,
    EVENT_SHARING_STOP: 6,
    EVENT_MEDIA_CONNECTION_INTERRUPTED: 7,
    EVENT_PARTICIPANT_VIDEO_ON: 8,
    EVENT_PARTICIPANT_VIDEO_OFF: 9,
    EVENT_CONSUMER_ANSWERED: 8,
    EVENT_USER_UNHOLD: 13,
    RTMS_SDK_FAILURE: -1,
    RTMS_SDK_OK: 0,
    RTMS_SDK_INVALID_ARGS: 5,
    SESS_STATUS_ACTIVE: 1,
    SESS_STATUS_PAUSED: 2,
    AudioCodec: { UNDEFINED: 0, L16: 1, G711: 2, G722: 3, OPUS: 4 },
    VideoCodec: { UNDEFINED: 0, JPG: 5, PNG: 6, H264: 7 },
    AudioSampleRate: { SR_8K: 0, SR_16K: 1, SR_32K: 2, SR_48K: 3 },
    AudioChannel: { MONO: 1, STEREO: 2 },
    AudioDataOption: { AUDIO_MIXED_STREAM: 1, AUDIO_MULTI_STREAMS: 2 },
    VideoDataOption: {
      VIDEO_SINGLE_ACTIVE_STREAM: 3,
      VIDEO_SINGLE_INDIVIDUAL_STREAM: 4,
      VIDEO_MIXED_GALLERY_VIEW: 5,
    },
    DataOption: { AUDIO_MULTI_STREAMS: 2, VIDEO_SINGLE_INDIVIDUAL_STREAM: 4 },
    VideoResolution: { SD: 1, HD: 2, FHD: 3, QHD: 4 },
    LogLevel: { ERROR: 0, WARN: 1, INFO: 2, DEBUG: 3, TRACE: 4 },
    LogFormat: { PROGRESSIVE: 'progressive', JSON: 'json' },
  });
  expect(Object.keys(rtms.TranscriptLanguage)).toHaveLength(38);
  expect(rtms.TranscriptLanguage).toMatchObject({ NONE: -1, ENGLISH: 9, VIETNAMESE: 36 });
});

test('every named export is in the default export too, except the methods of the module client', () => {
  const { default: _, ServiceError: __, ...exported } = named;
  expect(Object.keys(rtms)).toEqual(expect.arrayContaining(Object.keys(exported)));
});

test('the functions of the module act on one client', async () => {
  expect(rtms.onAudioData(() => {})).toBe(true);
  expect(rtms.setAudioParams({})).toBe(true);
  expect(rtms.uuid()).toBe('');
  expect(await rtms.leave()).toBe(true);
});

test('types that other rooms define keep their names in the package', () => {
  // The compiler checks the names: no program may break because a type is renamed inside.
  const client = new named.Client();
  const media: named.EffectiveMedia = client.media;
  expect(media).toEqual({});
  client.onEnded((end: named.EndReason) => end.cause);
  client.onChatData((...[, , , { message }]) => message satisfies named.ChatMessage | undefined);
  client.onTranscriptData((...[, , , { line }]) => line satisfies named.TranscriptLine | undefined);
  expect('rtms/invalid-state' satisfies named.ErrorCode).toBeDefined();
});
