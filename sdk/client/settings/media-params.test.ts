import { expect, test } from 'vitest';
import rtms, { Client } from '../index.ts';

/** What a name with a typing error gives. */
const NO_SUCH = (rtms.AudioCodec as Record<string, number>)['MP3'] as number;

test.for<[string, (client: Client) => unknown]>([
  ['audio.codec is 9', (client) => client.setAudioParams({ codec: 9 })],
  ['audio.codec is H264', (client) => client.setAudioParams({ codec: 7 })],
  ['audio.sampleRate is SR_16K', (client) => client.setAudioParams({ sampleRate: 1 })],
  ['audio.frameSize is 480, allowed: 960', (client) => client.setAudioParams({ frameSize: 480 })],
  ['audio.sendRateMs is 40', (client) => client.setAudioParams({ duration: 40 })],
  [
    'audio.contentType is RTP, allowed: RAW_AUDIO',
    (client) => client.setAudioParams({ codec: 1, contentType: 1 }),
  ],
  ['audio.contentType is TEXT', (client) => client.setAudioParams({ contentType: 5 })],
  ['video.contentType is 0', (client) => client.setVideoParams({ contentType: 0 })],
  ['video.contentType is 1', (client) => client.setVideoParams({ contentType: 1 })],
  ['deskshare.contentType is 1', (client) => client.setDeskshareParams({ contentType: 1 })],
  ['video.contentType is 5', (client) => client.setVideoParams({ contentType: 5 })],
  ['video.fps is 30, allowed: 1 to 5', (client) => client.setVideoParams({ codec: 5 })],
  ['video.resolution is 9', (client) => client.setVideoParams({ resolution: 9 })],
  ['video.dataOpt is VIDEO_MIXED', (client) => client.setVideoParams({ dataOpt: 5 })],
  ['deskshare.fps is 31', (client) => client.setDeskshareParams({ fps: 31 })],
  ['transcript.srcLanguage is 37', (client) => client.setTranscriptParams({ srcLanguage: 37 })],
  ['transcript.contentType is 2', (client) => client.setTranscriptParams({ contentType: 2 })],
  ['setProxy', (client) => client.setProxy('socks', 'socks://localhost')],
  ['setProxy', (client) => client.setProxy('http', 'not a URL')],
])('a media setter refuses a value out of range: %s', ([message, set]) => {
  expect(() => set(new Client())).toThrow(message);
});

test.for<[string, (client: Client) => unknown]>([
  ['audio.contentType', (client) => client.setAudioParams({ contentType: NO_SUCH })],
  ['audio.codec', (client) => client.setAudioParams({ codec: NO_SUCH })],
  ['audio.sampleRate', (client) => client.setAudioParams({ sampleRate: NO_SUCH })],
  ['audio.channel', (client) => client.setAudioParams({ channel: NO_SUCH })],
  ['audio.dataOpt', (client) => client.setAudioParams({ dataOpt: NO_SUCH })],
  ['video.contentType', (client) => client.setVideoParams({ contentType: NO_SUCH })],
  ['video.codec', (client) => client.setVideoParams({ codec: NO_SUCH })],
  ['video.resolution', (client) => client.setVideoParams({ resolution: NO_SUCH })],
  ['video.dataOpt', (client) => client.setVideoParams({ dataOpt: NO_SUCH })],
  ['deskshare.codec', (client) => client.setDeskshareParams({ codec: NO_SUCH })],
  ['deskshare.resolution', (client) => client.setDeskshareParams({ resolution: NO_SUCH })],
  ['transcript.srcLanguage', (client) => client.setTranscriptParams({ srcLanguage: NO_SUCH })],
  ['audio', (client) => client.setAudioParams(NO_SUCH as never)],
  ['video', (client) => client.setVideoParams(null as never)],
  ['deskshare', (client) => client.setDeskshareParams('HD' as never)],
  ['events', (client) => client.subscribeEvent([NO_SUCH])],
  ['events', (client) => client.unsubscribeEvent([rtms.EVENT_SHARING_STOP, NO_SUCH])],
  ['userId', (client) => client.subscribeVideo(NO_SUCH, true)],
  ['join', (client) => client.join(NO_SUCH as never)],
  ['level', () => rtms.configureLogger({ level: NO_SUCH })],
  ['format', () => rtms.configureLogger({ format: 'xml' as never })],
])('a media setter refuses a constant that does not exist: %s', ([field, set]) => {
  expect(() => set(new Client())).toThrow(
    expect.objectContaining({
      code: 'rtms/invalid-params',
      detail: expect.objectContaining({ field }),
    }),
  );
});

test.for<[string, (client: Client) => unknown]>([
  ['every field left out', (client) => client.setAudioParams({})],
  ['RTP with Opus', (client) => client.setAudioParams({ contentType: 1, codec: 4 })],
  ['a frame size of 0', (client) => client.setAudioParams({ frameSize: 0 })],
  [
    'more than a second of PCM at once, which Zoom cuts to one',
    (client) => client.setAudioParams({ codec: 1, duration: 2_000, frameSize: 96_000 }),
  ],
  [
    'the former name of individual video',
    (client) => client.setVideoParams({ dataOpt: rtms.VideoDataOption.VIDEO_MIXED_SPEAKER_VIEW }),
  ],
  ['H264 at 1 fps', (client) => client.setVideoParams({ codec: 7, fps: 1 })],
  ['numbers that are undefined', (client) => client.setVideoParams({ fps: undefined } as never)],
])("a media setter takes what Zoom's SDK takes: %s", ([, set]) => {
  expect(set(new Client())).toBe(true);
});

test('setAudioParams takes a frame size that fits rate and duration', () => {
  const l16 = { codec: 1, sampleRate: 1, channel: 1, duration: 40, frameSize: 640 };
  expect(new Client().setAudioParams(l16)).toBe(true);
});

test('setDeskshareParams ignores the data option', () => {
  expect(new Client().setDeskshareParams({ dataOpt: 3 })).toBe(true);
});
