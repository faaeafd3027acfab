import { ServiceError } from '../../../shared/errors.ts';
import type { ReceivedEvent } from '../records/event-record.ts';
import type { Frame } from '../records/frame.ts';
import { LedgerChecker, type LedgerReport, withProblems } from '../verdict/ledger.ts';
import type { ArchivedSession, ReadObject } from './archive-reader.ts';
import { eventsOfObject } from './event-lines.ts';
import { damaged } from './json-object.ts';
import { parseName } from './layout.ts';
import type { ArchiveManifest, ManifestObject } from './manifest.ts';
import { framesOfObject } from './media-object.ts';

/** What the objects of a session hold and prove, as they were read. */
export interface Inspection {
  readonly objects: readonly ManifestObject[];
  /** What everything proves that the checker was given so far. */
  readonly report: LedgerReport;
  /** Objects that cannot be read, one sentence each; problems of the report too. */
  readonly unreadable: readonly string[];
  /** Of the events: what a manifest says of the session beside its objects. */
  readonly about: SessionFacts;
}

export interface SessionFacts {
  readonly product?: string;
  readonly entityId?: string;
  readonly continues?: string;
  readonly hasEnded: boolean;
  readonly isRevoked: boolean;
}

/**
 * Reads every object of a session in S3, hashes it, and counts all that is in it against the ledgers, as `rtms verify` does with the
 * streams. An object that cannot be read is a problem of the report and does not end the reading.
 *
 * @param checker one for all streams of a meeting: what was said between two of them is a loss
 */
export async function inspectSession(
  session: ArchivedSession,
  checker = new LedgerChecker(),
): Promise<Inspection> {
  const objects: ManifestObject[] = [];
  const unreadable: string[] = [];
  let about: SessionFacts = { hasEnded: false, isRevoked: false };
  for await (const object of session.objects(await session.names())) {
    try {
      const { read, frames, events } = readObject(object);
      for (const event of events) {
        checker.event(event);
        about = withFacts(about, event);
      }
      for (const frame of frames) checker.frame(frame);
      objects.push(read);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      unreadable.push(damaged(session.folder + object.name, error.message).message);
    }
  }
  const report = withProblems(checker.report(), unreadable);
  return { objects, report, unreadable, about };
}

function readObject({ name, body, sha256 }: ReadObject) {
  const parsed = parseName(name);
  const frames: Frame[] = parsed.kind === 'media' ? [...framesOfObject(body)] : [];
  const events: ReceivedEvent[] = parsed.kind === 'events' ? eventsOfObject(body) : [];
  const [first] = frames;
  const times = [
    ...frames.map(({ capturedAt }) => capturedAt.getTime()),
    ...events.map(({ time }) => time.getTime()),
  ];
  const read: ManifestObject = {
    name,
    kind: parsed.kind === 'media' ? 'media' : 'events',
    ...(first && { mediaType: first.mediaType }),
    ...(first?.userId !== undefined && { userId: first.userId }),
    ...(first?.channelId !== undefined && { channelId: first.channelId }),
    sizeBytes: body.length,
    sha256,
    records: times.length,
    ...(times.length > 0 && {
      fromMs: times.reduce((least, atMs) => Math.min(least, atMs)),
      toMs: times.reduce((most, atMs) => Math.max(most, atMs)),
    }),
  };
  return { read, frames, events };
}

function withFacts(facts: SessionFacts, event: ReceivedEvent): SessionFacts {
  const { product, entityId, name } = event;
  return {
    ...facts,
    product,
    entityId,
    ...(event.name === 'session_started' &&
      event.data.continues && { continues: event.data.continues.rtmsStreamId }),
    hasEnded: name === 'session_ended' || name === 'session_missed' || facts.hasEnded,
    isRevoked: name === 'session_revoked' || facts.isRevoked,
  };
}

/** Where the objects are not what the manifest says, one sentence each; nothing where there is no manifest. */
export function differencesFrom(
  manifest: ArchiveManifest | undefined,
  objects: readonly Pick<ManifestObject, 'name' | 'sha256'>[],
): string[] {
  if (manifest === undefined) return [];
  const there = new Map(objects.map((object) => [object.name, object]));
  const named = manifest.objects.filter(({ kind }) => kind !== 'meeting');
  return [
    ...named.flatMap(({ name, sha256 }) => {
      const found = there.get(name);
      if (found === undefined) return [`${name} is in the manifest and cannot be read`];
      return found.sha256 === sha256 ? [] : [`${name} is not what the manifest has the SHA-256 of`];
    }),
    ...objects
      .filter(({ name }) => !named.some((object) => object.name === name))
      .map(({ name }) => `${name} is not in the manifest`),
  ];
}
