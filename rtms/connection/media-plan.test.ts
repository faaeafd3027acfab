import { fc, test as prop } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { MEDIA_TYPES, type MediaType } from '../protocol/media-type.ts';
import { mediaTypeBits, type PlannedMedia, planMedia, type ServerUrls } from './media-plan.ts';

const audio = { url: 'wss://h/audio', mediaTypes: ['audio'] } as const;
const chat = { url: 'wss://h/chat', mediaTypes: ['chat'] } as const;
const all = 'wss://h/all';
const ALL_FIVE: MediaType[] = [...MEDIA_TYPES];

const overAll = (...mediaTypes: MediaType[]): PlannedMedia => ({ url: all, mediaTypes });
const own = (mediaType: MediaType): PlannedMedia => ({
  url: `wss://h/${mediaType}`,
  mediaTypes: [mediaType],
});
const named = (...names: string[]) =>
  Object.fromEntries(names.map((name) => [name, `wss://h/${name}`]));

type Row = [string, MediaType[], 'split' | 'unified', ServerUrls, PlannedMedia[], string[]?];

test.each<Row>([
  ['own addresses', ['audio', 'chat'], 'split', named('audio', 'chat', 'all'), [audio, chat]],
  ['a type not wanted', ['chat'], 'split', named('audio', 'chat', 'all'), [chat]],
  [
    'the documented meeting: share and chat go over `all`',
    ALL_FIVE,
    'split',
    named('audio', 'video', 'transcript', 'all'),
    [own('audio'), own('video'), own('transcript'), overAll('deskshare', 'chat')],
  ],
  [
    'the documented Contact Center: the transcript goes over `all`',
    ['audio', 'transcript'],
    'split',
    named('audio', 'all'),
    [audio, overAll('transcript')],
  ],
  ['only `all`', ['audio', 'chat'], 'split', named('all'), [overAll('audio', 'chat')]],
  [
    'one address only: the others are left out',
    ['audio', 'chat'],
    'split',
    named('audio'),
    [audio],
    ['chat not_offered'],
  ],
  [
    'unified: an address is no grant, so everything wanted is asked for',
    ['audio', 'chat'],
    'unified',
    named('audio', 'all'),
    [overAll('audio', 'chat')],
  ],
  ['unified without that address', ['audio'], 'unified', named('audio'), [audio]],
  [
    'an address that the allowed hosts refuse: over `all`',
    ['audio', 'chat'],
    'split',
    { ...named('chat', 'all'), audio: 'wss://evil/audio' },
    [chat, overAll('audio')],
  ],
  [
    'one that they refuse, and no `all`',
    ['audio', 'chat'],
    'split',
    { ...named('chat'), audio: 'wss://evil/audio' },
    [chat],
    ['audio address_refused'],
  ],
  [
    '`all` refused too',
    ['audio', 'chat'],
    'unified',
    { ...named('chat'), all: 'wss://evil/all' },
    [chat],
    ['audio address_refused'],
  ],
  [
    'the same address for every name',
    ['audio', 'chat'],
    'split',
    { audio: all, chat: all, all },
    [overAll('audio'), overAll('chat')],
  ],
  [
    'several addresses of a name: the first allowed one',
    ['audio'],
    'split',
    { audio: ['wss://evil/1', 'wss://h/audio'] },
    [audio],
  ],
  ['empty addresses', ['audio'], 'split', { audio: '', all: '' }, [], ['audio not_offered']],
  ['nothing', ['audio'], 'split', {}, [], ['audio not_offered']],
])('%s', (_title, wanted, layout, serverUrls, connections, leftOut = []) => {
  const plan = planMedia(wanted, layout, serverUrls, (url) => !url.includes('evil'));
  expect(plan.connections).toEqual(connections);
  expect(plan.leftOut.map(({ mediaType, reason }) => `${mediaType} ${reason}`)).toEqual(leftOut);
});

const camera = (userId: number, address = 'wss://h/video'): PlannedMedia => ({
  url: address,
  mediaTypes: ['video'],
  userId,
});

test.each<
  [string, MediaType[], 'split' | 'unified', ServerUrls, number[], PlannedMedia[], string[]?]
>([
  [
    'one for each camera beside one for each media type',
    ['audio', 'video'],
    'split',
    named('audio', 'video', 'all'),
    [5, 6],
    [own('audio'), camera(5), camera(6)],
  ],
  ['nobody is selected yet', ['video'], 'split', named('video'), [], []],
  [
    'no address for video: over `all`',
    ['audio', 'video', 'chat'],
    'unified',
    named('audio', 'all'),
    [5],
    [overAll('audio', 'chat'), camera(5, all)],
  ],
  [
    'no address at all',
    ['audio', 'video'],
    'split',
    named('audio'),
    [5],
    [audio],
    ['video not_offered'],
  ],
  [
    'an address that the allowed hosts refuse',
    ['audio', 'video'],
    'split',
    { ...named('audio'), video: 'wss://evil/video' },
    [5],
    [audio],
    ['video address_refused'],
  ],
])(
  'several cameras: %s',
  (_title, wanted, layout, serverUrls, cameras, connections, leftOut = []) => {
    const isAllowed = (address: string) => !address.includes('evil');
    const plan = planMedia(wanted, layout, serverUrls, isAllowed, cameras);
    expect(plan.connections).toEqual(connections);
    expect(plan.leftOut.map(({ mediaType, reason }) => `${mediaType} ${reason}`)).toEqual(leftOut);
  },
);

const url = fc.option(fc.constantFrom('wss://h/1', 'wss://h/2', 'wss://evil/3', ''), {
  nil: undefined,
});
const urls = fc.record({
  audio: url,
  video: url,
  deskshare: url,
  transcript: url,
  chat: url,
  all: url,
});

prop.prop([fc.subarray(ALL_FIVE), fc.constantFrom('split', 'unified'), urls])(
  'every wanted media type is planned once or left out with a reason, whatever is offered',
  (wanted, layout, serverUrls) => {
    const isAllowed = (address: string) => !address.includes('evil');
    const plan = planMedia(wanted, layout, serverUrls, isAllowed);
    const planned = plan.connections.flatMap(({ mediaTypes }) => mediaTypes);
    const leftOut = plan.leftOut.map(({ mediaType }) => mediaType);
    expect([...planned, ...leftOut].sort()).toEqual([...wanted].sort());
    for (const connection of plan.connections) expect(isAllowed(connection.url)).toBe(true);
  },
);

test.each<[MediaType[], number]>([
  [['audio'], 1],
  [['audio', 'transcript'], 9],
  [['audio', 'video', 'deskshare', 'transcript'], 15],
  [['audio', 'video', 'deskshare', 'transcript', 'chat'], 32],
])('%j is media_type %i', (mediaTypes, bits) => {
  expect(mediaTypeBits(mediaTypes)).toBe(bits);
});
