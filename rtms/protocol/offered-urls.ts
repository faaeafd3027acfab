import { INPUT_LIMITS } from '../../shared/input-limits.ts';
import { MEDIA_DATA_TYPE } from './constants.ts';
import { Fields, readInteger, readObject } from './fields.ts';
import { MEDIA_TYPE_BIT, MEDIA_TYPES, type MediaType } from './media-type.ts';
import type { JsonObject } from './parse-message.ts';

export type OfferedUrls = { readonly [Key in MediaType | 'all']?: readonly string[] };

/** Names of the share, in lower case and without separators. Zoom's own manager looks for `sharescreen`. */
const SHARE_NAMES = ['deskshare', 'sharescreen', 'screenshare', 'share'];

/** Fields that have addresses, in `media_server` or in the message: `server_urls`, and names of older examples. */
const URL_FIELDS = [
  'server_urls',
  'server_url',
  'media_server_urls',
  'media_server_url',
  'media_urls',
];

/**
 * The addresses of message 2 by media type. Beside the documented object Zoom's managers accept one text or a list, which
 * stand for everything. Keys are read in any case and as numbers of MEDIA_DATA_TYPE; entries of a list may name a type.
 */
export function offeredUrls(message: JsonObject): OfferedUrls {
  const fields = new Fields([message]);
  const servers = fields.list('media_server') ?? [];
  const given = servers
    .map((server) => {
      const object = readObject(server);
      return object === undefined ? server : new Fields([object]).read(URL_FIELDS, any);
    })
    .filter((value) => value !== undefined);
  const values = given.length > 0 ? given : [fields.read(URL_FIELDS, any)];
  const found = new Map<MediaType | 'all', string[]>();
  for (const value of values) collect(value, found);
  const offered: { [Key in MediaType | 'all']?: readonly string[] } = {};
  for (const key of [...MEDIA_TYPES, 'all'] as const) {
    const urls = bounded(found.get(key) ?? []);
    if (urls.length > 0) offered[key] = urls;
  }
  return offered;
}

function any(value: unknown): unknown {
  return value;
}

function collect(value: unknown, found: Map<MediaType | 'all', string[]>): void {
  const add = (key: MediaType | 'all', urls: readonly string[]) => {
    found.set(key, [...(found.get(key) ?? []), ...urls]);
  };
  const object = readObject(value);
  if (object === undefined) {
    // A text, or a list of texts, is for everything. In a list of objects each tells what it is for.
    const entries = Array.isArray(value) ? value : [value];
    for (const entry of entries) {
      if (readObject(entry) === undefined) add('all', readServerUrls(entry));
      else collect(entry, found);
    }
    return;
  }
  const entry = new Fields([object]);
  const type = typeOf(entry.read(['media_type', 'type', 'name'], any));
  const address = entry.read(['url', 'urls', ...URL_FIELDS], any);
  if (address !== undefined) {
    add(type ?? 'all', readServerUrls(address));
    return;
  }
  for (const [name, urls] of Object.entries(object)) {
    const key = typeOf(name);
    if (key !== undefined) add(key, readServerUrls(urls));
  }
}

/** The media type of a key, which is its name in any case or its number. */
export function typeOf(name: unknown): MediaType | 'all' | undefined {
  const number = readInteger(name);
  if (number === MEDIA_DATA_TYPE.ALL) return 'all';
  if (number !== undefined) return MEDIA_TYPES.find((type) => MEDIA_TYPE_BIT[type] === number);
  if (typeof name !== 'string') return undefined;
  const word = name.toLowerCase().replaceAll(/[\s_-]/g, '');
  if (word === 'all') return 'all';
  if (SHARE_NAMES.includes(word)) return 'deskshare';
  return MEDIA_TYPES.find((type) => type === word);
}

/** The value of a media type in an object, under any of its names. */
export function ofMediaType(object: JsonObject | undefined, mediaType: MediaType): unknown {
  if (object === undefined) return undefined;
  if (Object.hasOwn(object, mediaType)) return object[mediaType];
  return Object.entries(object).find(([name]) => typeOf(name) === mediaType)?.[1];
}

function bounded(urls: readonly string[]): string[] {
  return urls
    .filter((url) => Buffer.byteLength(url) <= INPUT_LIMITS.serverUrlBytes)
    .slice(0, INPUT_LIMITS.serverUrls);
}

/** A comma that separates addresses is followed by a scheme; a comma inside an address is not. */
const BETWEEN_ADDRESSES = /,(?=\s*[a-z][a-z0-9+.-]*:\/\/)/i;

/**
 * The addresses in a field of Zoom's, which is one text, several in one text with commas, a list, or an object of
 * addresses. They are not checked.
 */
export function readServerUrls(value: unknown): string[] {
  const texts = typeof value === 'object' && value !== null ? Object.values(value) : [value];
  return texts
    .flatMap((text) => (Array.isArray(text) ? text : [text]))
    .filter((text): text is string => typeof text === 'string')
    .flatMap((text) => text.split(BETWEEN_ADDRESSES))
    .map((text) => text.trim())
    .filter((text) => text !== '');
}
