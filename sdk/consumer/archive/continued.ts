import * as v from 'valibot';
import { folderNameOf } from '../../../shared/plain-text.ts';
import type { ArchivedSession } from './archive-reader.ts';
import { jsonObject, parseJsonObject } from './json-object.ts';
import type { ObjectStore } from './object-store.ts';

/**
 * Which stream continues which one: `continued/<earlier stream>/<later stream>.json`. The later one names the earlier one in its
 * `session_started`; without these objects nobody who reads the earlier one would find the later one, as an archive has no table.
 *
 * They hold two ids and nothing else, and stay when a session is deleted: a meeting of which one stream was taken back is not
 * exported, whichever of its streams is named.
 */

const LINK = v.looseObject({
  version: v.literal(1),
  rtmsStreamId: v.string(),
  continues: v.string(),
});

const folderOf = (prefix: string, rtmsStreamId: string) =>
  `${prefix}continued/${folderNameOf(rtmsStreamId)}/`;

/**
 * Writes down that a stream continues another one. It may be repeated.
 *
 * @throws ServiceError `archive/*`
 */
export async function writeContinued(
  store: ObjectStore,
  prefix: string,
  rtmsStreamId: string,
  continues: string,
): Promise<void> {
  const key = `${folderOf(prefix, continues)}${folderNameOf(rtmsStreamId)}.json`;
  const body = jsonObject({ version: 1, rtmsStreamId, continues });
  await store.put(key, body, { contentType: 'application/json', ifIs: 'none' });
}

/**
 * The streams that continue this one: one, or several where Zoom was asked twice.
 *
 * @throws ServiceError `archive/*`
 */
export async function continuedBy(
  store: ObjectStore,
  prefix: string,
  rtmsStreamId: string,
): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(folderOf(prefix, rtmsStreamId))) {
    const stored = await store.get(key);
    if (stored !== undefined) found.push(parseJsonObject(LINK, stored.body, key).rtmsStreamId);
  }
  return found;
}

/** The stream that this one continues, by its manifest, or by its events while it is not finalised. */
export async function continuesOf(session: ArchivedSession): Promise<string | undefined> {
  if (session.manifest !== undefined) return session.manifest.continues;
  for await (const event of session.events())
    if (event.name === 'session_started') return event.data.continues?.rtmsStreamId;
  return undefined;
}
