import * as v from 'valibot';
import { FRAME_MEDIA_TYPES } from '../../../rtms/protocol/media-type.ts';
import { indentedJsonObject, parseJsonObject } from './json-object.ts';

/**
 * `manifest.json` of a session in the archive: what belongs to it, with the SHA-256 of each object as it was read back from
 * S3, and what the objects prove. Its keys stand in docs/archive.md.
 */

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const time = v.number();
const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));

const OBJECT = v.looseObject({
  /** Key inside the folder of the session. */
  name: v.string(),
  kind: v.picklist(['media', 'events', 'meeting']),
  mediaType: v.optional(v.picklist(FRAME_MEDIA_TYPES)),
  userId: v.optional(count),
  channelId: v.optional(v.string()),
  sizeBytes: count,
  sha256,
  /** Frames or events in it. */
  records: count,
  /** Of its frames' capture times, or its events' times, Unix ms. Absent for an object without any. */
  fromMs: v.optional(time),
  toMs: v.optional(time),
});

/** What of a shard was lost to the archive. Times are of arrival in Kinesis, Unix ms. */
export const TRIMMED = v.looseObject({
  stream: v.picklist(['media', 'events']),
  shardId: v.string(),
  /** Everything that arrived in the shard until then is archived; 0 where nobody knows. */
  fromMs: time,
  /** The oldest record that was still there arrived then. */
  toMs: time,
});

/** Why a session was finalised. */
export const FINALISED_BECAUSE = ['ended', 'idle', 'late_records'] as const;

const MANIFEST = v.looseObject({
  version: v.literal(1),
  rtmsStreamId: v.string(),
  /** Counts from 1; a session of which something came later is finalised again. */
  revision: v.pipe(count, v.minValue(1)),
  finalisedAtMs: time,
  because: v.picklist(FINALISED_BECAUSE),
  product: v.optional(v.string()),
  entityId: v.optional(v.string()),
  /** The stream of the same meeting that this one continues. */
  continues: v.optional(v.string()),
  fromMs: v.optional(time),
  toMs: v.optional(time),
  verdict: v.picklist(['complete', 'incomplete', 'contradictory']),
  /** Whether the session has not ended as far as its events say. */
  isOpen: v.boolean(),
  losses: v.array(v.looseObject({})),
  problems: v.array(v.string()),
  frames: count,
  events: count,
  sizeBytes: count,
  objects: v.array(OBJECT),
  /** What expired in Kinesis before it was archived, in the time of this session. Absent when nothing did. */
  trimmed: v.optional(v.array(TRIMMED)),
  /** Why there is no `meeting.mp4` although one was wanted. */
  meetingLeftOut: v.optional(v.string()),
});

/** `manifest.json` of a session, see docs/archive.md. Times are Unix ms. */
export type ArchiveManifest = v.InferOutput<typeof MANIFEST>;
export type ManifestObject = v.InferOutput<typeof OBJECT>;
export type TrimmedShard = v.InferOutput<typeof TRIMMED>;
export type FinalisedBecause = (typeof FINALISED_BECAUSE)[number];

/** @throws ServiceError `archive/damaged` that names the wrong field */
export function parseManifest(bytes: Buffer, key: string): ArchiveManifest {
  return parseJsonObject(MANIFEST, bytes, key);
}

export function encodeManifest(manifest: ArchiveManifest): Buffer {
  return indentedJsonObject(manifest);
}

/** Whether two manifests say the same of the session; when, why and how often it was finalised is no part of that. */
export function isSameRecording(a: ArchiveManifest, b: ArchiveManifest): boolean {
  const facts = ({ revision: _, finalisedAtMs: _at, because: _why, ...rest }: ArchiveManifest) =>
    JSON.stringify(rest);
  return facts(a) === facts(b);
}
