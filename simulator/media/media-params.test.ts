import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { STATUS_CODE } from '../../rtms/protocol/constants.ts';
import { MEDIA_TYPES, type MediaType } from '../../rtms/protocol/media-type.ts';
import { agreedParams } from './media-params.ts';

function fixture(name: string) {
  return JSON.parse(
    readFileSync(new URL(`../../test/fixtures/rtms/media/${name}.json`, import.meta.url), 'utf8'),
  );
}

describe('agreedParams', () => {
  test('fills the wire defaults when nothing is asked for', () => {
    expect(agreedParams(undefined, MEDIA_TYPES, 'strict')).toEqual(
      fixture('04-handshake-resp.all-defaults').media_params,
    );
  });

  test.each([
    'audio-100ms',
    'audio-multi',
    'audio-opus-stereo-multi',
    'video-individual',
    'deskshare',
    'transcript-fixed-language',
    'chat',
  ])('accepts and echoes the documented request %s', (name) => {
    const { media_params: asked } = fixture(`03-handshake-req.${name}`);
    const mediaTypes = Object.keys(asked) as MediaType[];
    expect(agreedParams(asked, mediaTypes, 'strict')).toMatchObject(asked);
  });

  test('ignores other media types and unknown fields', () => {
    const asked = { audio: { codec: 99 }, chat: { content_type: 5, colour: 'red' } };
    expect(agreedParams(asked, ['chat'], 'strict')).toEqual({ chat: { content_type: 5 } });
  });

  test('clamps a send rate above a second', () => {
    const params = agreedParams({ audio: { send_rate: 2000 } }, ['audio'], 'strict');
    expect(params).toMatchObject({ audio: { send_rate: 1000 } });
  });

  test.each<[MediaType, unknown, keyof typeof STATUS_CODE]>([
    ['audio', 7, 'INVALID_MEDIA_AUDIO_PARAMS'],
    ['audio', { content_type: 3 }, 'INVALID_MEDIA_AUDIO_CONTENT_TYPE'],
    ['audio', { content_type: 1 }, 'INVALID_MEDIA_AUDIO_CONTENT_TYPE'],
    ['audio', { sample_rate: 4 }, 'INVALID_MEDIA_AUDIO_SAMPLE_RATE'],
    ['audio', { codec: 4, sample_rate: 1 }, 'INVALID_MEDIA_AUDIO_SAMPLE_RATE'],
    ['audio', { codec: 2, sample_rate: 1 }, 'INVALID_MEDIA_AUDIO_SAMPLE_RATE'],
    ['audio', { codec: 3, sample_rate: 0 }, 'INVALID_MEDIA_AUDIO_SAMPLE_RATE'],
    ['audio', { channel: 0 }, 'INVALID_MEDIA_AUDIO_CHANNEL'],
    ['audio', { codec: 3, channel: 2 }, 'INVALID_MEDIA_AUDIO_CHANNEL'],
    ['audio', { codec: 5 }, 'INVALID_MEDIA_AUDIO_CODEC'],
    ['audio', { data_opt: 3 }, 'INVALID_MEDIA_AUDIO_DATA_OPT'],
    ['audio', { send_rate: 30 }, 'INVALID_MEDIA_AUDIO_SEND_RATE'],
    ['audio', { codec: 4, sample_rate: 3, send_rate: 40 }, 'INVALID_MEDIA_AUDIO_SEND_RATE'],
    ['video', 'all', 'INVALID_MEDIA_VIDEO_PARAMS'],
    ['video', { content_type: 2 }, 'INVALID_MEDIA_VIDEO_CONTENT_TYPE'],
    ['video', { codec: 1 }, 'INVALID_MEDIA_VIDEO_CODEC'],
    ['video', { resolution: 5 }, 'INVALID_MEDIA_VIDEO_RESOLUTION'],
    ['video', { data_opt: 5 }, 'INVALID_MEDIA_VIDEO_DATA_OPT'],
    ['video', { codec: 5, fps: 6 }, 'INVALID_MEDIA_VIDEO_FPS'],
    ['video', { codec: 7, fps: 31 }, 'INVALID_MEDIA_VIDEO_FPS'],
    ['deskshare', [], 'INVALID_MEDIA_DESKSHARE_PARAMS'],
    ['deskshare', { content_type: 5 }, 'INVALID_MEDIA_DESKSHARE_CONTENT_TYPE'],
    ['deskshare', { codec: 4 }, 'INVALID_MEDIA_DESKSHARE_CODEC'],
    ['deskshare', { resolution: 0 }, 'INVALID_MEDIA_DESKSHARE_RESOLUTION'],
    ['deskshare', { fps: 0 }, 'INVALID_MEDIA_DESKSHARE_FPS'],
    ['transcript', { enable_lid: 1 }, 'INVALID_MEDIA_TRANSCRIPT_PARAMS'],
    ['transcript', { content_type: 2 }, 'INVALID_MEDIA_TRANSCRIPT_CONTENT_TYPE'],
    ['transcript', { src_language: 37 }, 'INVALID_MEDIA_TRANSCRIPT_SOURCE_LANGUAGE'],
    ['chat', null, 'INVALID_MEDIA_CHAT_PARAMS'],
    ['chat', { content_type: 4 }, 'INVALID_MEDIA_CHAT_CONTENT_TYPE'],
  ])('refuses %s %j with %s', (mediaType, params, code) => {
    expect(agreedParams({ [mediaType]: params }, [mediaType], 'strict')).toBe(STATUS_CODE[code]);
  });

  test('takes null for no parameters, as the SDK of Zoom asks for a transcript', () => {
    const none = agreedParams(undefined, ['transcript'], 'strict');
    expect(agreedParams(null, ['transcript'], 'strict')).toEqual(none);
  });

  test('refuses parameters that are no object', () => {
    expect(agreedParams('audio', ['audio'], 'strict')).toBe(STATUS_CODE.INVALID_MEDIA_PARAMS);
  });

  test.each([
    [0, 1, 20],
    [1, 2, 1000],
    [2, 1, 60],
    [3, 2, 20],
  ])('takes L16 at sample rate %i, channel %i, send rate %i', (sample_rate, channel, send_rate) => {
    const audio = { content_type: 2, codec: 1, sample_rate, channel, send_rate, data_opt: 2 };
    expect(agreedParams({ audio }, ['audio'], 'strict')).toEqual({ audio });
  });

  test('lets RTP with L16 pass and lowers the picture rate when lenient', () => {
    const asked = { audio: { content_type: 1 }, video: { fps: 25 } };
    expect(agreedParams(asked, ['audio', 'video'], 'lenient')).toMatchObject({
      audio: { content_type: 1, codec: 1 },
      video: { fps: 5 },
    });
  });
});
