import { ArchivedSession, findArchived } from '../../sdk/consumer/archive/archive-reader.ts';
import { parseDeletion } from '../../sdk/consumer/archive/deletion.ts';
import { deletionKey, parseArchiveUrl } from '../../sdk/consumer/archive/layout.ts';
import { ObjectStore } from '../../sdk/consumer/archive/object-store.ts';
import { ServiceError } from '../../shared/errors.ts';
import type { Context } from '../command.ts';
import { CONFIG_FILE } from '../deployment/deployment.ts';
import type { MeetingSource } from './meeting-files.ts';

/** The flag of commands that read a session from S3 instead of Kinesis. */
export const ARCHIVE_OPTION = [
  '--archive [url]',
  'read from the archive in S3, s3://bucket/prefix (default: the one of the deployment)',
] as const;

/**
 * Finds one session in an archive, by its `rtms_stream_id` or the beginning of it. Objects of no other session are read.
 *
 * @param archive the value of the flag
 * @throws ServiceError `config/invalid`, `archive/*`; `export/revoked` for a session that was deleted
 */
export async function openArchived(
  { deployment, aws }: Context,
  archive: string | true,
  words: string,
): Promise<ArchivedSession> {
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
  if (deletion !== undefined) throw deleted(key, parseDeletion(deletion.body, key));
  return ArchivedSession.open(store, prefix, rtmsStreamId);
}

function deleted(key: string, record: ReturnType<typeof parseDeletion>): ServiceError {
  const count = `${record.deleted.length} versions of objects were deleted, ${record.left} are left`;
  const what = `Zoom took back the consent for this session, and its recording is deleted: ${count}; ${key} names them`;
  return new ServiceError('export/revoked', what, { detail: { key, left: record.left } });
}

export function sourceInArchive(session: ArchivedSession): MeetingSource {
  return {
    rtmsStreamId: session.rtmsStreamId,
    events: () => session.events(),
    frames: () => session.frames(),
  };
}
