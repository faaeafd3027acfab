import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { agreedMedia, channelCount, resolutionBound, sampleRateHz } from './agreed-media.ts';
import { DEFAULT_MEDIA_REQUEST } from './params.ts';
import { toWireParams } from './wire-params.ts';

const asked = toWireParams(DEFAULT_MEDIA_REQUEST);

test('agreed media has every parameter of an answer to the default request', () => {
  const file = '../../test/fixtures/rtms/media/04-handshake-resp.all-defaults.json';
  const answer = JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8'));
  expect(agreedMedia(answer.media_params, asked)).toEqual({
    audio: { contentType: 2, codec: 1, sampleRate: 1, channel: 1, dataOpt: 1, sendRateMs: 20 },
    video: { contentType: 3, codec: 5, resolution: 2, fps: 5, dataOpt: 3 },
    deskshare: { contentType: 3, codec: 5, resolution: 3, fps: 1 },
    transcript: { contentType: 5, srcLanguage: 9, enableLid: true },
    chat: { contentType: 5 },
  });
});

test.each([undefined, null, 7, { audio: 1 }, { audio: { codec: 'x' } }])(
  'agreed media is what was asked for when the answer is %j',
  (answer) => {
    expect(agreedMedia(answer, toWireParams(DEFAULT_MEDIA_REQUEST, ['audio']))).toEqual({
      audio: { contentType: 2, codec: 4, sampleRate: 3, channel: 2, dataOpt: 2, sendRateMs: 20 },
    });
  },
);

test.each([1.5, -1, 2 ** 31, 1e300, null, 'x', [], {}])(
  'the codec stays as asked for when the answer has %j, and the rest is read',
  (codec) => {
    const answer = { audio: { codec, channel: 1 } };
    expect(agreedMedia(answer, asked).audio).toMatchObject({ codec: 4, channel: 1 });
  },
);

test('digits, names and camelCase are read', () => {
  const audio = { codec: '1', sampleRate: 'SR_16K', channel: 'MONO', send_rate: ' 40 ' };
  const transcript = { src_language: 'LANGUAGE_ID_GERMAN', enable_lid: 0 };
  expect(agreedMedia(JSON.stringify({ audio, transcript: [transcript] }), asked)).toMatchObject({
    audio: { codec: 1, sampleRate: 1, channel: 1, sendRateMs: 40 },
    transcript: { srcLanguage: 14, enableLid: false },
  });
});

test('numbers of the wire are translated into hertz, channels and pixels', () => {
  expect([0, 1, 2, 3, 4].map(sampleRateHz)).toEqual([8000, 16000, 32000, 48000, undefined]);
  expect([1, 2, 3].map(channelCount)).toEqual([1, 2, undefined]);
  expect([1, 2, 3, 4, 5].map((n) => resolutionBound(n)?.width)).toEqual([
    854,
    1280,
    1920,
    2560,
    undefined,
  ]);
  expect(resolutionBound(2)).toEqual({ width: 1280, height: 720 });
});
