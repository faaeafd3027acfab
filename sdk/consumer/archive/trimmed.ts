import * as v from 'valibot';
import { folderNameOf } from '../../../shared/plain-text.ts';
import { ARRIVAL_MARGIN_MS } from '../verdict/expired.ts';
import { jsonObject, parseJsonObject } from './json-object.ts';
import { MINUTE_MS, parseName } from './layout.ts';
import { TRIMMED, type TrimmedShard } from './manifest.ts';
import type { ObjectStore } from './object-store.ts';

/**
 * What expired in Kinesis before it was archived, `trimmed/<Kinesis stream>/<shard>-<number>.json`: it is written before the
 * archiver goes on behind it, so that no session of that time is called complete.
 */

const OBJECT = v.looseObject({ version: v.literal(1), ...TRIMMED.entries });

const folderOf = (prefix: string) => `${prefix}trimmed/`;

/**
 * @param position sequence number of the record of the shard that was read last
 * @throws ServiceError `archive/*`
 */
export async function writeTrimmed(
  store: ObjectStore,
  prefix: string,
  streamName: string,
  position: string,
  trimmed: TrimmedShard,
): Promise<void> {
  const key = `${folderOf(prefix)}${streamName}/${folderNameOf(`${trimmed.shardId}-${position}`)}.json`;
  const body = jsonObject({ version: 1, ...trimmed });
  await store.put(key, body, { contentType: 'application/json', ifIs: 'none' });
}

/**
 * What expired while a session lasted, as far as the minutes of its objects tell when that was.
 *
 * @param names of the objects of the session
 * @throws ServiceError `archive/*`
 */
export async function trimmedDuring(
  store: ObjectStore,
  prefix: string,
  names: readonly string[],
): Promise<TrimmedShard[]> {
  const minutes = names
    .map(parseName)
    .flatMap((name) => ('minuteMs' in name ? [name.minuteMs] : []));
  const first = minutes.reduce((least, ms) => Math.min(least, ms), Number.POSITIVE_INFINITY);
  const last = minutes.reduce((most, ms) => Math.max(most, ms), Number.NEGATIVE_INFINITY);
  const all: TrimmedShard[] = [];
  for await (const { key } of store.list(folderOf(prefix))) {
    const stored = await store.get(key);
    if (stored === undefined) continue;
    const { stream, shardId, fromMs, toMs } = parseJsonObject(OBJECT, stored.body, key);
    all.push({ stream, shardId, fromMs, toMs });
  }
  return all.filter(
    ({ fromMs, toMs }) =>
      toMs >= first - ARRIVAL_MARGIN_MS && fromMs <= last + MINUTE_MS + ARRIVAL_MARGIN_MS,
  );
}
