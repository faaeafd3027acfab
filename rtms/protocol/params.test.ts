import { describe, expect, test } from 'vitest';
import { ServiceError } from '../../shared/errors.ts';
import {
  completeMediaRequest,
  DEFAULT_MEDIA_REQUEST,
  followsSeveralCameras,
  parseMediaRequest,
  wantedMediaTypes,
} from './params.ts';
import { toWireParams } from './wire-params.ts';

const parse = (request: unknown) => parseMediaRequest(JSON.stringify(request));

describe('a media request', () => {
  test('keeps the defaults of everything that is left out', () => {
    expect(parse({})).toEqual(DEFAULT_MEDIA_REQUEST);
  });

  test('fills a part with the defaults of its media type', () => {
    expect(parse({ audio: { codec: 'L16' }, video: false, chat: {} })).toEqual({
      ...DEFAULT_MEDIA_REQUEST,
      audio: { ...DEFAULT_MEDIA_REQUEST.audio, codec: 'L16' },
      video: false,
    });
  });

  test('lists the media types it wants', () => {
    expect(wantedMediaTypes(parse({ video: false, chat: false }))).toEqual([
      'audio',
      'deskshare',
      'transcript',
    ]);
  });
});

/** Protocol reference 3.3, row by row: contentType, codec, rates, channels, send rates. */
const RAW_RATES = ['SR_8K', 'SR_16K', 'SR_32K', 'SR_48K'];
const BOTH = ['MONO', 'STEREO'];
const MATRIX: [string, string, string[], string[], number[]][] = [
  ['RTP', 'OPUS', ['SR_48K'], BOTH, [20]],
  ['RTP', 'G711', ['SR_8K'], ['MONO'], [20]],
  ['RTP', 'G722', ['SR_16K'], ['MONO'], [20]],
  ['RAW_AUDIO', 'L16', RAW_RATES, BOTH, [20, 40, 100, 1000]],
  ['RAW_AUDIO', 'OPUS', ['SR_48K'], BOTH, [20]],
  ['RAW_AUDIO', 'G711', ['SR_8K'], ['MONO'], [20]],
  ['RAW_AUDIO', 'G722', ['SR_16K'], ['MONO'], [20]],
];

describe('audio combinations', () => {
  const isAllowed = (content: string, codec: string, rate: string, channel: string, send: number) =>
    MATRIX.some(
      ([c, k, rates, channels, sends]) =>
        c === content &&
        k === codec &&
        rates.includes(rate) &&
        channels.includes(channel) &&
        sends.includes(send),
    );

  for (const contentType of ['RTP', 'RAW_AUDIO'])
    for (const codec of ['L16', 'G711', 'G722', 'OPUS'])
      test(`${contentType} ${codec} takes what the table allows and nothing else`, () => {
        for (const sampleRate of RAW_RATES)
          for (const channel of BOTH)
            for (const sendRateMs of [20, 40, 100, 1000]) {
              const audio = { contentType, codec, sampleRate, channel, sendRateMs };
              const attempt = () => parse({ audio });
              if (isAllowed(contentType, codec, sampleRate, channel, sendRateMs)) {
                expect(attempt()).toMatchObject({ audio });
              } else expect(attempt).toThrow(ServiceError);
            }
      });
});

describe('refused', () => {
  const pictureCodecs = ['JPG', 'PNG', 'H264'];
  test.each([
    [{ audio: { codec: 'AAC' } }, 'audio.codec', 'AAC', ['L16', 'G711', 'G722', 'OPUS']],
    [{ audio: { codec: 'G711' } }, 'audio.sampleRate', 'SR_48K', ['SR_8K']],
    [{ audio: { codec: 'L16', contentType: 'RTP' } }, 'audio.contentType', 'RTP', ['RAW_AUDIO']],
    [{ audio: { codec: 'L16', sendRateMs: 30 } }, 'audio.sendRateMs', '30', ['20 to 1000 by 20']],
    [
      { audio: { codec: 'L16', sendRateMs: 1020 } },
      'audio.sendRateMs',
      '1020',
      ['20 to 1000 by 20'],
    ],
    [{ audio: { sendRateMs: 40 } }, 'audio.sendRateMs', '40', ['20']],
    [{ audio: { sendRateMs: '20' } }, 'audio.sendRateMs', '20', ['20 to 1000 by 20']],
    [{ video: { codec: 'OPUS' } }, 'video.codec', 'OPUS', pictureCodecs],
    [{ video: { codec: 'JPG' } }, 'video.fps', '30', ['1 to 5']],
    [{ video: { fps: 31 } }, 'video.fps', '31', ['1 to 30']],
    [{ video: { fps: 2.5 } }, 'video.fps', '2.5', ['1 to 30']],
    [{ video: { fps: null } }, 'video.fps', 'null', ['1 to 30']],
    [{ deskshare: { codec: 'PNG', fps: 6 } }, 'deskshare.fps', '6', ['1 to 5']],
    [
      { deskshare: { dataOpt: 'X' } },
      'deskshare.dataOpt',
      'unknown field',
      ['codec', 'resolution', 'fps'],
    ],
    [{ transcript: { enableLid: 'yes' } }, 'transcript.enableLid', 'yes', ['true', 'false']],
    [{ chat: true }, 'chat', 'true', ['an object', 'false']],
    [{ audio: null }, 'audio', 'null', ['an object', 'false']],
    [
      { sound: {} },
      'media.sound',
      'unknown field',
      ['audio', 'video', 'deskshare', 'transcript', 'chat'],
    ],
    [[], 'media', '[]', ['an object']],
    [
      { audio: false, video: false, deskshare: false, transcript: false, chat: false },
      'media',
      'all false',
      ['audio', 'video', 'deskshare', 'transcript', 'chat'],
    ],
  ])('%j', (request, field, value, allowed) => {
    expect(() => parse(request)).toThrow(
      expect.objectContaining({
        code: 'rtms/invalid-params',
        detail: { field, value, allowed },
        message: expect.stringContaining(field),
      }),
    );
  });

  test('what is not JSON', () => {
    expect(() => parseMediaRequest('{')).toThrow('the media request is not JSON');
  });

  test('what JSON cannot express', () => {
    expect(() => completeMediaRequest(undefined)).toThrow('media is undefined');
  });
});

describe('on the wire', () => {
  test('every field of the default request is written', () => {
    expect(toWireParams(DEFAULT_MEDIA_REQUEST)).toEqual({
      audio: { content_type: 2, codec: 4, sample_rate: 3, channel: 2, data_opt: 2, send_rate: 20 },
      video: { content_type: 3, codec: 7, resolution: 2, fps: 30, data_opt: 3 },
      deskshare: { content_type: 3, codec: 5, resolution: 3, fps: 1 },
      transcript: { content_type: 5, src_language: -1, enable_lid: true },
      chat: { content_type: 5 },
    });
  });

  test('only the media types of the connection are written', () => {
    expect(toWireParams(DEFAULT_MEDIA_REQUEST, ['chat'])).toEqual({ chat: { content_type: 5 } });
    expect(toWireParams(parse({ audio: false }), ['audio'])).toEqual({});
  });
});

describe('several cameras', () => {
  const individual = 'VIDEO_SINGLE_INDIVIDUAL_STREAM';
  const parsed = (video: object) => completeMediaRequest({ video });

  test.each<[object, 1 | 2, boolean]>([
    [{ dataOpt: individual, cameras: 2 }, 2, true],
    [{ dataOpt: individual, cameras: 2 }, 1, false],
    [{ dataOpt: individual, cameras: 1 }, 2, false],
    [{ dataOpt: individual }, 2, false],
    [{}, 2, false],
  ])('%j with protocol version %i: %s', (video, version, expected) => {
    expect(followsSeveralCameras(parsed(video), { version })).toBe(expected);
  });

  test.each<[object, string]>([
    [{ dataOpt: individual, cameras: 5 }, 'video.cameras is 5, allowed: 1 to 4'],
    [{ dataOpt: individual, cameras: '2' }, 'video.cameras is 2, allowed: 1 to 4'],
    [{ cameras: 2 }, 'with dataOpt VIDEO_SINGLE_INDIVIDUAL_STREAM only'],
  ])('%j is refused', (video, message) => {
    expect(() => parsed(video)).toThrow(message);
  });

  test('`follow` and `cameras` are not sent to Zoom', () => {
    const { video } = toWireParams(parsed({ dataOpt: individual, cameras: 2 }));
    expect(Object.keys(video ?? {})).not.toContain('cameras');
  });
});
