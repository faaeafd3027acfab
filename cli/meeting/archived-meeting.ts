import { ArchivedSession, findArchived } from '../../sdk/consumer/archive/archive-reader.ts';
import { continuedBy, continuesOf } from '../../sdk/consumer/archive/continued.ts';
import { parseDeletion } from '../../sdk/consumer/archive/deletion.ts';
import { differencesFrom } from '../../sdk/consumer/archive/inspect-session.ts';
import { deletionKey, parseArchiveUrl } from '../../sdk/consumer/archive/layout.ts';
import type { TrimmedShard } from '../../sdk/consumer/archive/manifest.ts';
import { ObjectStore } from '../../sdk/consumer/archive/object-store.ts';
import { trimmedDuring } from '../../sdk/consumer/archive/trimmed.ts';
import { ServiceError } from '../../shared/errors.ts';
import type { Context } from '../command.ts';
import { CONFIG_FILE } from '../deployment/deployment.ts';
import { type LinkedStream, meetingStreams } from './find-meeting.ts';
import type { MeetingSource } from './meeting-files.ts';

/** The flag of commands that read a session from S3 instead of Kinesis. */
export const ARCHIVE_OPTION = [
  '--archive [url]',
  'read from the archive in S3, s3://bucket/prefix (default: the one of the deployment)',
] as const;

/** The streams of one meeting in an archive. */
export interface ArchivedMeeting {
  /** The session that was named. */
  readonly rtmsStreamId: string;
  /** The oldest first. */
  readonly sessions: readonly ArchivedSession[];
  /** Streams of the meeting that were deleted, because Zoom took the consent back; the one that was named is not among them. */
  readonly deleted: readonly string[];
  /** Streams that another one continues, and of which the archive has nothing. */
  readonly missing: readonly string[];
  /** What expired in Kinesis before it was archived. */
  readonly trimmed: readonly TrimmedShard[];
}

/**
 * Finds a meeting in an archive, by the `rtms_stream_id` of one of its streams or the beginning of it: that stream, and those that
 * it continues or that continue it. Objects of no other session are read.
 *
 * @param archive the value of the flag
 * @throws ServiceError `config/invalid`, `archive/*`; `export/revoked` when the session that is named was deleted
 */
export async function openArchived(
  { deployment, aws }: Context,
  archive: string | true,
  words: string,
): Promise<ArchivedMeeting> {
  const url = archive === true ? deployment.archive : archive;
  if (url === undefined) {
    const what = `which archive? Give --archive s3://bucket/prefix, or write "archive" into ${CONFIG_FILE}`;
    throw new ServiceError('config/invalid', what);
  }
  const { bucket, prefix } = parseArchiveUrl(url);
  if (words.trim() === '')
    throw new ServiceError('config/invalid', 'no session is named: give its rtms_stream_id');
  const store = await ObjectStore.open(aws.s3, bucket);
  const rtmsStreamId = await findArchived(store, prefix, words.trim());
  const key = deletionKey(prefix, rtmsStreamId);
  const deletion = await store.get(key);
  if (deletion !== undefined) throw deletedSession(key, parseDeletion(deletion.body, key));
  return linkedStreams(store, prefix, rtmsStreamId);
}

/** Follows the links in both directions from one session. */
async function linkedStreams(
  store: ObjectStore,
  prefix: string,
  rtmsStreamId: string,
): Promise<ArchivedMeeting> {
  const facts = new Map<string, LinkedStream>();
  const sessions = new Map<string, ArchivedSession>();
  const [deleted, missing]: [string[], string[]] = [[], []];
  const trimmed: TrimmedShard[] = [];
  /** Streams that were found, and which one they continue as far as a link says it: of what is deleted nothing else does. */
  const found = new Map<string, string | undefined>([[rtmsStreamId, undefined]]);
  // Those that are added while this loop runs are visited too.
  for (const [id, linked] of found) {
    for (const later of await continuedBy(store, prefix, id))
      if (!found.has(later)) found.set(later, id);
    const isDeleted = (await store.get(deletionKey(prefix, id))) !== undefined;
    const session = isDeleted ? undefined : await ArchivedSession.open(store, prefix, id);
    if (isDeleted) deleted.push(id);
    else if (id !== rtmsStreamId && (await session?.isEmpty())) missing.push(id);
    else if (session) {
      sessions.set(id, session);
      const { manifest } = session;
      const during = async () => trimmedDuring(store, prefix, await session.names());
      trimmed.push(...(manifest ? (manifest.trimmed ?? []) : await during()));
    }
    const before = linked ?? (session && (await continuesOf(session)));
    if (before !== undefined && !found.has(before)) found.set(before, undefined);
    const continues = before === undefined ? undefined : { rtmsStreamId: before };
    facts.set(id, { rtmsStreamId: id, continues, requestedAtMs: session?.manifest?.fromMs });
  }
  const named = { rtmsStreamId, row: facts.get(rtmsStreamId) };
  const ordered = meetingStreams([...facts.values()], named).flatMap((stream) => {
    const session = sessions.get(stream.rtmsStreamId);
    return session === undefined ? [] : [session];
  });
  return { rtmsStreamId, sessions: ordered, deleted, missing, trimmed };
}

function deletedSession(key: string, record: ReturnType<typeof parseDeletion>): ServiceError {
  const count = `${record.deleted.length} versions of objects were deleted, ${record.left} are left`;
  const what = `Zoom took back the consent for this session, and its recording is deleted: ${count}; ${key} names them`;
  return new ServiceError('export/revoked', what, { detail: { key, left: record.left } });
}

export function sourceInArchive(session: ArchivedSession): MeetingSource {
  return {
    rtmsStreamId: session.rtmsStreamId,
    events: () => session.events(),
    frames: () => session.frames(),
    problems: () => differencesFrom(session.manifest, session.hashes),
  };
}

/** Says that a stream is missing which others of the meeting name. */
export const notInArchive = (rtmsStreamId: string): string =>
  `${rtmsStreamId}, a stream of the same meeting, is not in the archive`;

/**
 * A meeting of which one stream was taken back is not exported, as where it is read from Kinesis.
 *
 * @throws ServiceError `export/revoked`
 */
export function refuseDeleted(
  { output }: Context,
  deleted: readonly string[],
  evenRevoked: boolean | undefined,
): void {
  if (deleted.length === 0) return;
  const what = `Zoom took back the consent for this meeting: its stream ${deleted.join(', ')} is deleted`;
  if (evenRevoked !== true)
    throw new ServiceError('export/revoked', `${what}; --even-revoked writes the others`);
  output.note(`REVOKED: ${what}. You may have no right to keep the others.`);
}
