import { FRAME_MEDIA_TYPES, type FrameMediaType } from '../../../rtms/protocol/media-type.ts';
import { ServiceError } from '../../../shared/errors.ts';
import { folderNameOf } from '../../../shared/plain-text.ts';
import { type FrameSource, sourceKey } from '../records/frame.ts';

/**
 * The names of all objects of an archive. A name follows from what is in the object alone, so that a second worker, or
 * the same one after a crash, comes to the same name and finds what is there already.
 *
 * | key behind the prefix of the archive | holds |
 * |---|---|
 * | `sessions/<stream>/media/<media type>/<source>/<minute>.rtms` | frames that a runner received in that minute |
 * | `sessions/<stream>/events/<minute>.jsonl` | events of that minute |
 * | `sessions/<stream>/manifest.json`, `meeting.mp4` | written when the session is finalised |
 * | `continued/<earlier stream>/<later stream>.json` | that the later stream continues the earlier one (`continued.ts`) |
 * | `deletions/<stream>.json` | what was deleted of a session whose consent Zoom took back |
 * | `trimmed/<Kinesis stream>/<shard>-<number>.json` | what expired in Kinesis before it was archived (`trimmed.ts`) |
 * | `damaged/<Kinesis stream>/<number>.bin` | records that nobody can read |
 *
 * `<minute>` is `2026-11-27T21-40Z`, because a colon is no character for a file name on every system.
 */

/** Where an archive is. */
export interface ArchivePlace {
  readonly bucket: string;
  /** Empty, or ends with `/`. */
  readonly prefix: string;
}

export const MINUTE_MS = 60_000;
export const MANIFEST_NAME = 'manifest.json';
export const MEETING_NAME = 'meeting.mp4';

/** What the name of an object inside its session says. */
export type ObjectName =
  | { readonly kind: 'media'; readonly mediaType: FrameMediaType; readonly minuteMs: number }
  | { readonly kind: 'events'; readonly minuteMs: number }
  | { readonly kind: 'manifest' | 'meeting' | 'other' };

/** @throws ServiceError `config/invalid` unless it is `s3://bucket` or `s3://bucket/prefix` */
export function parseArchiveUrl(url: string): ArchivePlace {
  const [, bucket, path = ''] =
    /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(url) ?? [];
  if (bucket === undefined) {
    throw new ServiceError('config/invalid', `"${url}" is no archive; give s3://bucket/prefix`);
  }
  return { bucket, prefix: withSlash(path) };
}

/** A prefix as `ArchivePlace` has it: `recordings`, `/recordings/` and `recordings/` are the same one. */
export function withSlash(path: string): string {
  const trimmed = path.replace(/^\/+|\/+$/g, '');
  return trimmed === '' ? '' : `${trimmed}/`;
}

export function minuteOf(atMs: number): number {
  return Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
}

/** The folder of all sessions, which ends with `/`. */
export const sessionsFolder = (prefix: string): string => `${prefix}sessions/`;

/** The folder of one session, which ends with `/`. No other session has an object in it. */
export const sessionFolder = (prefix: string, rtmsStreamId: string): string =>
  `${sessionsFolder(prefix)}${folderNameOf(rtmsStreamId)}/`;

export const deletionKey = (prefix: string, rtmsStreamId: string): string =>
  `${prefix}deletions/${folderNameOf(rtmsStreamId)}.json`;

export const damagedKey = (prefix: string, streamName: string, at: string): string =>
  `${prefix}damaged/${folderNameOf(streamName)}/${folderNameOf(at)}.bin`;

/** Name inside the session's folder. */
export function mediaName(
  source: FrameSource & { readonly mediaType: FrameMediaType },
  minuteMs: number,
): string {
  const who = folderNameOf(sourceKey(source).replace(' ', '-') || 'nobody');
  return `media/${source.mediaType}/${who}/${minuteText(minuteMs)}.rtms`;
}

/** Name inside the session's folder. */
export const eventsName = (minuteMs: number): string => `events/${minuteText(minuteMs)}.jsonl`;

export function parseName(name: string): ObjectName {
  if (name === MANIFEST_NAME) return { kind: 'manifest' };
  if (name === MEETING_NAME) return { kind: 'meeting' };
  const events = /^events\/([^/]+)\.jsonl$/.exec(name);
  if (events)
    return named(minuteFrom(events[1] ?? ''), (minuteMs) => ({ kind: 'events', minuteMs }));
  const [, type, minute = ''] = /^media\/([^/]+)\/[^/]+\/([^/]+)\.rtms$/.exec(name) ?? [];
  const mediaType = FRAME_MEDIA_TYPES.find((known) => known === type);
  if (mediaType === undefined) return { kind: 'other' };
  return named(minuteFrom(minute), (minuteMs) => ({ kind: 'media', mediaType, minuteMs }));
}

function named(minuteMs: number | undefined, name: (minuteMs: number) => ObjectName): ObjectName {
  return minuteMs === undefined ? { kind: 'other' } : name(minuteMs);
}

/** `2026-11-27T21-40Z`, or a year of six digits and a sign for a clock that is far off. */
function minuteText(minuteMs: number): string {
  return new Date(minuteMs)
    .toISOString()
    .replace(/:00\.000Z$/, 'Z')
    .replace(':', '-');
}

function minuteFrom(text: string): number | undefined {
  const [, day, hour, minute] = /^([+-]?\d{4,6}-\d\d-\d\dT)(\d\d)-(\d\d)Z$/.exec(text) ?? [];
  const atMs = Date.parse(`${day}${hour}:${minute}:00.000Z`);
  return Number.isNaN(atMs) ? undefined : atMs;
}
