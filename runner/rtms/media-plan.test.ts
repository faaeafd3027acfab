import { expect, test } from 'vitest';
import type { MediaType } from '../../shared/rtms/media-type.ts';
import { mediaTypeBits, type PlannedMedia, planMedia } from './media-plan.ts';

const audio = { url: 'wss://h/audio', mediaTypes: ['audio'] } as const;
const chat = { url: 'wss://h/chat', mediaTypes: ['chat'] } as const;
const all = 'wss://h/all';

test.each<[string, MediaType[], 'split' | 'unified', object, PlannedMedia[]]>([
  ['split', ['audio', 'chat'], 'split', { audio: audio.url, chat: chat.url, all }, [audio, chat]],
  ['split, not offered', ['audio', 'chat'], 'split', { audio: audio.url, all }, [audio]],
  ['split, not wanted', ['chat'], 'split', { audio: audio.url, chat: chat.url }, [chat]],
  [
    'unified',
    ['audio', 'chat'],
    'unified',
    { audio: '', chat: '', all },
    [{ url: all, mediaTypes: ['audio', 'chat'] }],
  ],
  [
    'unified, partly offered',
    ['audio', 'chat'],
    'unified',
    { audio: '', all },
    [{ url: all, mediaTypes: ['audio'] }],
  ],
  [
    'only the unified address',
    ['audio', 'chat'],
    'split',
    { all },
    [{ url: all, mediaTypes: ['audio', 'chat'] }],
  ],
  ['unified, no such address', ['audio'], 'unified', { audio: audio.url }, [audio]],
  ['unified, nothing wanted is offered', ['chat'], 'unified', { audio: audio.url, all }, []],
  ['nothing', ['audio'], 'split', {}, []],
])('%s', (_title, wanted, layout, serverUrls, expected) => {
  expect(planMedia(wanted, layout, serverUrls)).toEqual(expected);
});

test.each<[MediaType[], number]>([
  [['audio'], 1],
  [['audio', 'transcript'], 9],
  [['audio', 'video', 'deskshare', 'transcript'], 15],
  [['audio', 'video', 'deskshare', 'transcript', 'chat'], 32],
])('%j is media_type %i', (mediaTypes, bits) => {
  expect(mediaTypeBits(mediaTypes)).toBe(bits);
});
