import { expect, test } from 'vitest';
import { offeredUrls, ofMediaType, typeOf } from './offered-urls.ts';

const A = 'wss://h/a';
const B = 'wss://h/b';
const inServer = (server_urls: unknown) => ({ media_server: { server_urls } });

test.each<[string, object, object]>([
  ['the documented object', inServer({ audio: A, all: B }), { audio: [A], all: [B] }],
  ['one text for everything', inServer(A), { all: [A] }],
  ['a list for everything', inServer([A, B, 7]), { all: [A, B] }],
  ['several in one text', inServer({ all: `${A}, ${B}` }), { all: [A, B] }],
  ['the object as JSON text', inServer(JSON.stringify({ audio: A })), { audio: [A] }],
  ['in camelCase', { mediaServer: { serverUrls: { audio: A } } }, { audio: [A] }],
  ['keys in any case', inServer({ AUDIO: A, All: B }), { audio: [A], all: [B] }],
  ['the share by its other names', inServer({ sharescreen: A }), { deskshare: [A] }],
  ['the share in words', inServer({ 'desk-share': A, screen_share: B }), { deskshare: [A, B] }],
  ['keys that are numbers', inServer({ 1: A, 32: B, 64: A }), { audio: [A], all: [B] }],
  ['an address in an object', inServer({ audio: { url: A } }), { audio: [A] }],
  [
    'a list of entries with their type',
    inServer([
      { type: 'audio', url: A },
      { media_type: 32, url: B },
    ]),
    { audio: [A], all: [B] },
  ],
  ['a list of objects', inServer([{ audio: A }, { all: B }]), { audio: [A], all: [B] }],
  ['an entry without a type', inServer([{ url: A }]), { all: [A] }],
  ['beside the server', { server_urls: { all: A } }, { all: [A] }],
  ['the server itself', { media_server: A }, { all: [A] }],
  [
    'several servers',
    { media_server: [{ server_urls: { audio: A } }, { server_urls: { all: B } }] },
    { audio: [A], all: [B] },
  ],
  ['under an older name', { media_server_url: A }, { all: [A] }],
  ['null beside an address', inServer({ all: null, audio: A }), { audio: [A] }],
  ['a key that this version does not know', inServer({ hologram: A }), {}],
  ['nothing', {}, {}],
  ['no addresses', inServer({ all: 7, audio: '' }), {}],
])('%s', (_title, message, offered) => {
  expect(offeredUrls(message as never)).toEqual(offered);
});

test('the number of addresses that a peer can offer is bounded', () => {
  const many = Array.from({ length: 1_000 }, (_, index) => `wss://h/${index}`);
  expect(offeredUrls(inServer(many) as never).all?.length).toBeLessThan(100);
  expect(offeredUrls(inServer(`wss://${'x'.repeat(100_000)}`) as never)).toEqual({});
});

test.each([
  ['deskShare', 'deskshare'],
  ['32', 'all'],
  [8, 'transcript'],
  ['chat', 'chat'],
  ['toString', undefined],
  [3, undefined],
  [{}, undefined],
])('%j is %s', (name, expected) => {
  expect(typeOf(name)).toBe(expected);
});

test('parameters are found under other names of their media type too', () => {
  expect(ofMediaType({ sharescreen: { fps: 1 } }, 'deskshare')).toEqual({ fps: 1 });
  expect(ofMediaType({ audio: 1, AUDIO: 2 }, 'audio')).toBe(1);
  expect(ofMediaType({ audio: 1 }, 'chat')).toBeUndefined();
});
