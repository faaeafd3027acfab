import type { ObjectStore } from './object-store.ts';

/** An object that grows: its new state is the union of what is there and what is to be added. */
export interface Addition {
  readonly key: string;
  readonly body: Buffer;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** The union of objects of this kind, the same in whatever order they come. */
  readonly union: (objects: readonly Buffer[]) => Buffer;
}

/** What became of an addition. */
export type Added = 'written' | 'merged' | 'there';

/**
 * Adds to an object so that nothing in it is ever lost, and nothing is there twice.
 *
 * The first try writes only where no object is, which is the rule: a minute is written once. Where one is (of a worker before a
 * crash, of a frozen one, of frames that came late) the union of both is written, and only over the very object that was
 * read. So a write that comes a minute late cannot take newer frames away: its condition does not hold, and what it adds
 * is there already.
 *
 * @param mayWrite asked right before each write, for a worker that may have lost its shard; false ends in undefined
 * @returns how it was added; undefined when it may not be any more
 * @throws ServiceError `archive/*`, `record/*` when what is there cannot be read
 */
export async function addToObject(
  store: ObjectStore,
  { key, body, contentType, metadata, union }: Addition,
  mayWrite: () => boolean,
): Promise<Added | undefined> {
  if (!mayWrite()) return undefined;
  if (await store.put(key, body, { contentType, metadata, ifIs: 'none' })) return 'written';
  for (;;) {
    const there = await store.get(key);
    if (there?.body.equals(body)) return 'there';
    const merged = there === undefined ? body : union([there.body, body]);
    if (there !== undefined && merged.equals(there.body)) return 'there';
    if (!mayWrite()) return undefined;
    const ifIs = there?.etag ?? 'none';
    if (await store.put(key, merged, { contentType, metadata, ifIs })) return 'merged';
  }
}
