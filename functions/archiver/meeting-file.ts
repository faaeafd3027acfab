import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ArchivedSession } from '../../sdk/consumer/archive/archive-reader.ts';
import { MEETING_NAME } from '../../sdk/consumer/archive/layout.ts';
import type { ArchiveManifest, ManifestObject } from '../../sdk/consumer/archive/manifest.ts';
import type { ObjectStore } from '../../sdk/consumer/archive/object-store.ts';
import { MeetingExport } from '../../sdk/consumer/index.ts';
import { ServiceError } from '../../shared/errors.ts';
import type { ArchiverConfig } from './config.ts';

/** S3 takes no larger object in one request. At 1.25 Mb/s of picture and 96 kb/s of sound that is some eight hours. */
const MOST_BYTES = 5 * 1024 ** 3;

/** The `meeting.mp4` of a session, or why there is none although it is wanted. */
export interface MeetingFile {
  readonly object?: ManifestObject;
  readonly leftOut?: string;
}

/**
 * Makes `meeting.mp4` as `rtms export` does, from the archive itself, and stores it.
 *
 * @param before the manifest of an earlier revision: its file is made anew, because something came later
 * @returns undefined when none is wanted. What cannot be made is left out, and the recording is complete without it
 * @throws ServiceError `archive/store-failed`
 */
export async function makeMeetingFile(
  { meetingFile: layout }: ArchiverConfig,
  store: ObjectStore,
  session: ArchivedSession,
  before: ArchiveManifest | undefined,
): Promise<MeetingFile | undefined> {
  if (layout === 'none') return undefined;
  const directory = await mkdtemp(join(tmpdir(), 'rtms-meeting-'));
  try {
    const meeting = await MeetingExport.create(directory, {
      startMs: await meetingZero(session),
      rtmsStreamId: session.rtmsStreamId,
      layout,
    });
    for await (const event of session.events()) await meeting.event(event);
    for await (const frame of session.frames()) await meeting.frame(frame);
    const paths = await meeting.close();
    const path = paths.find((one) => one.endsWith(`/${MEETING_NAME}`));
    if (path === undefined) {
      const why = meeting.leftOut.find(({ file }) => file === MEETING_NAME)?.why;
      return { leftOut: why ?? 'there is no sound and no picture in it' };
    }
    return await stored(store, session, path, before);
  } catch (error) {
    if (error instanceof ServiceError && error.retryable) throw error;
    return { leftOut: error instanceof Error ? error.message : String(error) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function stored(
  store: ObjectStore,
  session: ArchivedSession,
  path: string,
  before: ArchiveManifest | undefined,
): Promise<MeetingFile> {
  const { size: sizeBytes } = await stat(path);
  if (sizeBytes > MOST_BYTES) return { leftOut: `it has ${sizeBytes} bytes, and S3 takes 5 GiB` };
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  const sha256 = hash.digest('hex');
  const object: ManifestObject = {
    name: MEETING_NAME,
    kind: 'meeting',
    sizeBytes,
    sha256,
    records: 0,
  };
  if (before?.objects.some((known) => known.name === MEETING_NAME && known.sha256 === sha256))
    return { object };
  const key = session.folder + MEETING_NAME;
  const body = { stream: () => createReadStream(path), sizeBytes, sha256 };
  const ifIs = (await store.etag(key)) ?? 'none';
  const isWritten = await store.put(key, body, { contentType: 'video/mp4', ifIs });
  if (isWritten) return { object };
  throw new ServiceError('archive/store-failed', `${key} was written by another worker`);
}

/** As for an export: when Zoom asked for the session, or the first capture when that was earlier. */
async function meetingZero(session: ArchivedSession): Promise<number> {
  const known: number[] = [];
  for await (const event of session.events())
    if (event.name === 'session_started') known.push(event.data.requestedAtMs);
  let frames = 0;
  for await (const frame of session.frames()) {
    known.push(frame.capturedAt.getTime());
    frames += 1;
    if (frames === FRAMES_BEFORE_ZERO) break;
  }
  return known.length === 0 ? 0 : Math.min(...known);
}

/** The oldest audio, from Zoom's buffer, is among the first frames. */
const FRAMES_BEFORE_ZERO = 500;
