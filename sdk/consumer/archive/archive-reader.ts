import { createHash } from 'node:crypto';
import { ServiceError } from '../../../shared/errors.ts';
import type { ReceivedEvent } from '../records/event-record.ts';
import type { Frame } from '../records/frame.ts';
import { eventsOfObject } from './event-lines.ts';
import { damaged } from './json-object.ts';
import { deletionKey, MANIFEST_NAME, parseName, sessionFolder, sessionsFolder } from './layout.ts';
import { type ArchiveManifest, parseManifest } from './manifest.ts';
import { framesOfObject } from './media-object.ts';
import type { ObjectStore } from './object-store.ts';

/** Objects that are fetched ahead of the one that is read. */
const AHEAD = 4;

/** One object of a session, read. */
export interface ReadObject {
  /** Key inside the folder of the session. */
  readonly name: string;
  readonly body: Buffer;
  readonly sha256: string;
}

/**
 * Reads one session of an archive. It lists and gets the objects of that session and no others.
 *
 * All methods throw ServiceError `archive/store-failed`, `archive/store-refused`; `archive/damaged` for an object that is
 * not what its manifest says, or that cannot be read.
 */
export class ArchivedSession {
  readonly rtmsStreamId: string;
  readonly folder: string;
  /** Undefined for a session that is not finalised. */
  readonly manifest: ArchiveManifest | undefined;
  readonly #store: ObjectStore;
  /** The SHA-256 of each object that was read. */
  readonly #hashes = new Map<string, string>();

  private constructor(
    store: ObjectStore,
    rtmsStreamId: string,
    folder: string,
    manifest: ArchiveManifest | undefined,
  ) {
    this.#store = store;
    this.rtmsStreamId = rtmsStreamId;
    this.folder = folder;
    this.manifest = manifest;
  }

  /**
   * Reads the manifest of a session, whether or not there is one.
   *
   * @param prefix of the archive, empty or with a slash at its end
   * @throws ServiceError `archive/damaged` for a manifest that cannot be read, and what the store throws
   */
  static async open(
    store: ObjectStore,
    prefix: string,
    rtmsStreamId: string,
  ): Promise<ArchivedSession> {
    const folder = sessionFolder(prefix, rtmsStreamId);
    const key = folder + MANIFEST_NAME;
    const stored = await store.get(key);
    const manifest = stored && parseManifest(stored.body, key);
    if (manifest && sessionFolder(prefix, manifest.rtmsStreamId) !== folder)
      throw damaged(key, `is of another session, ${manifest.rtmsStreamId}`);
    return new ArchivedSession(store, rtmsStreamId, folder, manifest);
  }

  /** Names of the objects that are there now, with events before media, each by minute. */
  async names(): Promise<string[]> {
    const found: { name: string; order: number; minuteMs: number }[] = [];
    for await (const { key } of this.#store.list(this.folder)) {
      const name = key.slice(this.folder.length);
      const parsed = parseName(name);
      if (parsed.kind === 'events') found.push({ name, order: 0, minuteMs: parsed.minuteMs });
      if (parsed.kind === 'media') found.push({ name, order: 1, minuteMs: parsed.minuteMs });
    }
    found.sort(
      (a, b) => a.order - b.order || a.minuteMs - b.minuteMs || (a.name < b.name ? -1 : 1),
    );
    return found.map(({ name }) => name);
  }

  /** Whether nothing of the session is there, a manifest neither. */
  async isEmpty(): Promise<boolean> {
    for await (const _ of this.#store.list(this.folder)) return false;
    return true;
  }

  /** Gets objects in this order, a few ahead. What the manifest names has to have the SHA-256 that it says. */
  async *objects(names: readonly string[]): AsyncGenerator<ReadObject, void, undefined> {
    const ahead: Promise<ReadObject>[] = [];
    for (const [index, name] of names.entries()) {
      for (
        let next = index + ahead.length;
        next < Math.min(index + AHEAD, names.length);
        next += 1
      ) {
        const fetched = this.#object(names[next] ?? '');
        // Its failure is thrown when it is awaited below.
        fetched.catch(() => undefined);
        ahead.push(fetched);
      }
      yield await (ahead.shift() ?? this.#object(name));
    }
  }

  /** All events, by epoch and sequence within a minute. */
  async *events(): AsyncGenerator<ReceivedEvent, void, undefined> {
    const names = (await this.names()).filter((name) => parseName(name).kind === 'events');
    for await (const { name, body } of this.objects(names))
      yield* this.#decoded(name, eventsOfObject, body);
  }

  /** All frames, as they were received; of one source by epoch and sequence. One minute is in memory at a time. */
  async *frames(): AsyncGenerator<Frame, void, undefined> {
    const names = await this.names();
    const byMinute = Map.groupBy(names, (name) => {
      const parsed = parseName(name);
      return parsed.kind === 'media' ? parsed.minuteMs : undefined;
    });
    for (const [minuteMs, ofMinute] of byMinute) {
      if (minuteMs === undefined) continue;
      const sources: Frame[][] = [];
      for await (const { name, body } of this.objects(ofMinute))
        sources.push([...this.#decoded(name, framesOfObject, body)]);
      yield* mergedByReceipt(sources);
    }
  }

  /** The objects that were read so far, by whichever method. */
  get hashes(): { readonly name: string; readonly sha256: string }[] {
    return [...this.#hashes].map(([name, sha256]) => ({ name, sha256 }));
  }

  async #object(name: string): Promise<ReadObject> {
    const key = this.folder + name;
    const stored = await this.#store.get(key);
    if (stored === undefined) throw damaged(key, 'is gone');
    const sha256 = createHash('sha256').update(stored.body).digest('hex');
    this.#hashes.set(name, sha256);
    return { name, body: stored.body, sha256 };
  }

  #decoded<Item>(name: string, decode: (body: Buffer) => Iterable<Item>, body: Buffer): Item[] {
    try {
      return [...decode(body)];
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      throw damaged(this.folder + name, error.message, error);
    }
  }
}

/**
 * The sessions whose ids begin so. They are found by the names of folders, so an id with odd characters has to be whole.
 *
 * @throws ServiceError `archive/not-found`; `config/invalid` for one that fits several
 */
export async function findArchived(
  store: ObjectStore,
  prefix: string,
  words: string,
): Promise<string> {
  const exact = await ArchivedSession.open(store, prefix, words);
  if (exact.manifest !== undefined || (await exact.names()).length > 0) return words;
  if ((await store.get(deletionKey(prefix, words))) !== undefined) return words;
  const folders = await store.folders(sessionsFolder(prefix), words);
  const [only] = folders;
  if (folders.length > 1) {
    const some = folders.slice(0, 5).join(', ');
    throw new ServiceError('config/invalid', `several sessions begin with "${words}": ${some}`);
  }
  if (only !== undefined) return only;
  const where = `s3://${store.bucket}/${prefix}`;
  const what = `${where} has no session "${words}"; give its rtms_stream_id or the beginning of it`;
  throw new ServiceError('archive/not-found', what);
}

/** Always the frame that was received first, of those that come next of each source. */
function* mergedByReceipt(sources: readonly Frame[][]): Generator<Frame, void, undefined> {
  const open = sources
    .map((frames) => ({ frames, at: 0 }))
    .filter(({ frames }) => frames.length > 0);
  while (open.length > 0) {
    let first = open[0];
    for (const source of open) if (receipt(source) < receipt(first)) first = source;
    if (first === undefined) return;
    yield first.frames[first.at] as Frame;
    first.at += 1;
    if (first.at === first.frames.length) open.splice(open.indexOf(first), 1);
  }
}

function receipt(source: { readonly frames: Frame[]; readonly at: number } | undefined): number {
  return source?.frames[source.at]?.receivedAt.getTime() ?? Number.POSITIVE_INFINITY;
}
