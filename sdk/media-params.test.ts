import { expect, test } from 'vitest';
import { Client } from './index.ts';

test.for<[string, (client: Client) => unknown]>([
  ['audio.codec is 9', (client) => client.setAudioParams({ codec: 9 })],
  ['audio.codec is H264', (client) => client.setAudioParams({ codec: 7 })],
  ['audio.sampleRate is SR_16K', (client) => client.setAudioParams({ sampleRate: 1 })],
  ['audio.frameSize is 480, allowed: 960', (client) => client.setAudioParams({ frameSize: 480 })],
  ['audio.sendRateMs is 40', (client) => client.setAudioParams({ duration: 40 })],
  ['video.contentType is 5', (client) => client.setVideoParams({ contentType: 5 })],
  ['video.fps is 30, allowed: 1 to 5', (client) => client.setVideoParams({ codec: 5 })],
  ['video.resolution is 9', (client) => client.setVideoParams({ resolution: 9 })],
  ['video.dataOpt is VIDEO_MIXED', (client) => client.setVideoParams({ dataOpt: 5 })],
  ['deskshare.fps is 31', (client) => client.setDeskshareParams({ fps: 31 })],
  ['transcript.srcLanguage is 37', (client) => client.setTranscriptParams({ srcLanguage: 37 })],
  ['transcript.contentType is 2', (client) => client.setTranscriptParams({ contentType: 2 })],
  ['setProxy', (client) => client.setProxy('socks', 'socks://localhost')],
  ['setProxy', (client) => client.setProxy('http', 'not a URL')],
])('refuses: %s', ([message, set]) => {
  expect(() => set(new Client())).toThrow(message);
});

test('takes an audio frame size that fits rate and duration', () => {
  const l16 = { codec: 1, sampleRate: 1, channel: 1, duration: 40, frameSize: 640 };
  expect(new Client().setAudioParams(l16)).toBe(true);
});

test('ignores the data option of a share, which has none', () => {
  expect(new Client().setDeskshareParams({ dataOpt: 3 })).toBe(true);
});
