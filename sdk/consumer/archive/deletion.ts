import * as v from 'valibot';
import { damaged, indentedJsonObject, parseJsonObject } from './json-object.ts';
import { deletionKey, sessionFolder } from './layout.ts';
import type { ObjectStore, ObjectVersion } from './object-store.ts';

/**
 * The proof that a session was deleted, `deletions/<stream>.json`: every version of every object that was there, and how
 * many a listing showed afterwards. It holds names and times, and nothing of what was said.
 */

const VERSION = v.strictObject({ key: v.string(), versionId: v.string() });

const RECORD = v.looseObject({
  version: v.literal(1),
  rtmsStreamId: v.string(),
  /** The `id` of the event `session_revoked`; absent where an archive was told otherwise. */
  eventId: v.optional(v.string()),
  revokedAtMs: v.optional(v.number()),
  deleted: v.array(v.looseObject({ ...VERSION.entries, atMs: v.number() })),
  /** Versions that S3 still had after the last sweep; 0 is the proof. */
  left: v.number(),
  /** Which those are, and S3's word for why it did not delete them. */
  kept: v.array(v.looseObject({ ...VERSION.entries, why: v.string() })),
  sweptAtMs: v.number(),
  sweeps: v.number(),
});

export type DeletionRecord = v.InferOutput<typeof RECORD>;

/** As many of what is kept are named. A session of a day has some ten thousand objects, which all may be locked. */
const MOST_KEPT = 1_000;
const MOST_TRIES = 10;

export interface SweepOptions {
  readonly prefix: string;
  readonly rtmsStreamId: string;
  /** Whether anything is deleted. Without it the record says what is left, and why nothing was deleted. */
  readonly deletes: boolean;
  readonly bypassGovernance: boolean;
  readonly eventId?: string | undefined;
  readonly revokedAtMs?: number | undefined;
  readonly nowMs: number;
}

/**
 * Deletes everything of a session, in all versions, lists what is left, and writes both down. It may be repeated at any time:
 * what comes later than a first sweep, from a worker that was frozen, is deleted by the next one.
 *
 * @returns the record as it stands in S3 now
 * @throws ServiceError `archive/*`
 */
export async function sweepSession(
  store: ObjectStore,
  options: SweepOptions,
): Promise<DeletionRecord> {
  const { prefix, rtmsStreamId, deletes, bypassGovernance, nowMs } = options;
  const folder = sessionFolder(prefix, rtmsStreamId);
  const found = await Array.fromAsync(store.versions(folder));
  const refused = deletes ? await store.remove(found, bypassGovernance) : [];
  const left = await Array.fromAsync(store.versions(folder));
  const isLeft = new Set(left.map(nameOf));
  const why = new Map(refused.map((version) => [nameOf(version), version.why]));
  // Not every S3 says which version of a key it has refused.
  const whyOfKey = new Map(refused.map(({ key, why: word }) => [key, word]));
  const listed = new Set(found.map(nameOf));
  const reasonOf = (version: ObjectVersion): string => {
    if (!deletes) return 'DeletionNotConfigured';
    if (!listed.has(nameOf(version))) return 'NewSinceListed';
    return why.get(nameOf(version)) ?? whyOfKey.get(version.key) ?? 'unknown';
  };
  const kept = left.slice(0, MOST_KEPT).map((version) => ({
    key: version.key,
    versionId: version.versionId,
    why: reasonOf(version),
  }));
  const gone = found.filter((version) => !isLeft.has(nameOf(version)));
  const deleted = gone.map(({ key, versionId }) => ({ key, versionId, atMs: nowMs }));
  return writeRecord(store, options, { deleted, kept, left: left.length });
}

const nameOf = ({ key, versionId }: Pick<ObjectVersion, 'key' | 'versionId'>) =>
  `${key}\n${versionId}`;

/** Adds a sweep to the record. Two workers may sweep at once, so it is written only over what was read. */
async function writeRecord(
  store: ObjectStore,
  { prefix, rtmsStreamId, eventId, revokedAtMs, nowMs }: SweepOptions,
  sweep: Pick<DeletionRecord, 'deleted' | 'kept' | 'left'>,
): Promise<DeletionRecord> {
  const key = deletionKey(prefix, rtmsStreamId);
  for (let attempt = 1; attempt <= MOST_TRIES; attempt += 1) {
    const stored = await store.get(key);
    const before = stored && parseDeletion(stored.body, key);
    const record: DeletionRecord = {
      version: 1,
      rtmsStreamId,
      ...((before?.eventId ?? eventId) !== undefined && { eventId: before?.eventId ?? eventId }),
      ...((before?.revokedAtMs ?? revokedAtMs) !== undefined && {
        revokedAtMs: before?.revokedAtMs ?? revokedAtMs,
      }),
      deleted: [...(before?.deleted ?? []), ...sweep.deleted],
      left: sweep.left,
      kept: sweep.kept,
      sweptAtMs: nowMs,
      sweeps: (before?.sweeps ?? 0) + 1,
    };
    const body = indentedJsonObject(record);
    const ifIs = stored?.etag ?? 'none';
    if (await store.put(key, body, { contentType: 'application/json', ifIs })) return record;
  }
  throw damaged(key, `was changed by others ${MOST_TRIES} times in a row`);
}

/** @throws ServiceError `archive/damaged` */
export function parseDeletion(bytes: Buffer, key: string): DeletionRecord {
  return parseJsonObject(RECORD, bytes, key);
}
