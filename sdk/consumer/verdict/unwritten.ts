import type { LedgerMediaType } from '../../../shared/record/event-data.ts';
import { isPicture } from './blind-time.ts';
import type { EpochEvidence } from './epoch-evidence.ts';
import { AUDIO_KEPT_MS, ownersOfRun } from './last-reception.ts';
import type { Loss } from './loss.ts';

/** An owner to which Kinesis answers has written everything this long before its heartbeat, or earlier; a backlog is older. */
const BACKLOG_MS = 5_000;

/**
 * What an owner that was lost may have received and taken with it: everything after the last unit that it is known to have written.
 *
 * ```
 * owner A    receives ···················· heartbeat ── lost
 * Kinesis    takes all │ takes nothing
 * told                                     ├─ blind time: nobody was connected ─┤
 * named here           ├──────────────────┤ A received this, and readers do not have it
 * ```
 *
 * Its heartbeat says that it was at work, and not that it could write. What readers know of a media type is the later of
 *
 * - the last unit of it that A wrote. The units of one partition key are written in the order in which they were received, so what
 *   came before is written or told by a gap. All lines share one key: a line of any kind proves it for transcript and chat. A unit of another
 *   key proves nothing, since Kinesis takes or refuses each shard for itself
 * - what its heartbeat said (`ownerWroteUntilMs`): until then everything that its task had received was written or told. Without that, a
 *   media type that is silent by nature shows nothing: no line for ten minutes may mean that nobody spoke, or that none was written
 *
 * Pictures come all the time while there are any, so where there are none on either side, none were sent. An owner with a
 * backlog is the exception: a camera may have gone on and off again within it.
 */
export function unwrittenSinceMs(
  owner: EpochEvidence,
  since: readonly EpochEvidence[],
  mediaType: string,
): number | undefined {
  const { streamingAtMs, takenOver } = owner.life;
  const known = [
    owner.writtenUntilMs(mediaType) ?? streamingAtMs ?? takenOver?.atMs,
    // The owner before it was connected until then.
    takenOver?.data.ownerSeenAtMs,
    provenUntilMs(since, mediaType),
  ].filter((ms) => ms !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

/**
 * Until when everything of a media type is known to be written that a lost owner had received, by what its heartbeat said. That
 * counts from when the owner received something. Zoom keeps audio for a connection that comes back, so what it received later may have been captured
 * up to a minute before.
 *
 * @param since the epochs after its own, in order. The first that tells of a change of owner tells what is known of this one, or of one before it
 */
export function provenUntilMs(
  since: readonly EpochEvidence[],
  mediaType: string,
): number | undefined {
  const wroteUntilMs = changeAfter(since)?.data.ownerWroteUntilMs;
  if (wroteUntilMs === undefined) return undefined;
  return mediaType === 'audio' ? wroteUntilMs - AUDIO_KEPT_MS : wroteUntilMs;
}

/**
 * Until when the heartbeats of lost owners prove that none of them held audio back.
 *
 * @param epochs the one with the last audio, and those after it
 * @returns undefined where none of them was lost: owners that wrote their ledgers have accounted for everything they received
 */
export function heldAudioSinceMs(
  epochs: readonly EpochEvidence[],
  after: EpochEvidence,
): number | undefined {
  const all = [...epochs, after];
  const proven = epochs.flatMap(({ end, epoch }, index) => {
    const since = all.slice(index + 1);
    // An epoch without any record had an owner too, which may have received audio and taken all of it along.
    const [next = after] = since;
    const isNextUnseen = next.epoch > epoch + 1 && next.life.takenOver?.data.cause === 'owner_lost';
    if (end !== 'open' && !isNextUnseen) return [];
    return provenUntilMs(since, 'audio') ?? Number.NEGATIVE_INFINITY;
  });
  return proven.length === 0 ? undefined : Math.min(...proven);
}

/** May a lost owner have held back for long what it received? Where its heartbeat does not say, silence counts as a backlog. */
export function hadBacklog(
  owner: EpochEvidence | undefined,
  since: readonly EpochEvidence[],
): boolean {
  if (owner !== undefined && owner.end !== 'open') return false;
  const data = changeAfter(since)?.data;
  const seenMs = data?.ownerSeenAtMs;
  const wroteMs = data?.ownerWroteUntilMs ?? owner?.lastWrittenMs;
  return seenMs !== undefined && wroteMs !== undefined && seenMs - wroteMs > BACKLOG_MS;
}

function changeAfter(since: readonly EpochEvidence[]) {
  return since.find(({ life }) => life.takenOver !== undefined)?.life.takenOver;
}

/**
 * What an owner took along that was lost before an epoch, of all media but audio; `findBoundaryHole` has that, and `lost-end.ts`
 * the end of a stream that nobody received any more.
 *
 * @param earlier all epochs before it that have records, in order
 * @param wasSent whether there are frames of a media type on either side
 */
export function unwritten(
  earlier: readonly EpochEvidence[],
  after: EpochEvidence,
  wasSent: (mediaType: string) => boolean,
): Loss[] {
  const { takenOver, streamingAtMs, requestedAtMs: announcedMs } = after.life;
  if (takenOver === undefined || (streamingAtMs === undefined && after.end === 'ended')) return [];
  const { blind = [], ownerSeenAtMs } = takenOver.data;
  const seenMs = ownerSeenAtMs ?? blind.find(({ mediaType }) => mediaType !== 'audio')?.fromMs;
  // The heartbeat is that of the first owner whose end no event tells yet. All that came to others since is in the blind time.
  const told = earlier.findLastIndex(({ life }) => life.takenOver !== undefined);
  const owner = earlier[Math.max(0, told)];
  if (seenMs === undefined || owner === undefined || owner.end !== 'open') return [];
  const since = [...earlier.slice(Math.max(0, told) + 1), after];
  const types = new Set([
    ...earlier.flatMap(({ life }) => life.asked),
    ...blind.map(({ mediaType }) => mediaType as string),
  ]);
  types.delete('audio');
  const beganMs = firstSignMs([owner], announcedMs, seenMs);
  return [...types].flatMap((mediaType) => {
    const isUnseen = isPicture(mediaType) && !wasSent(mediaType);
    if (isUnseen && !hadBacklog(owner, since)) return [];
    const fromMs = unwrittenSinceMs(owner, since, mediaType) ?? beganMs ?? seenMs;
    const untilMs = Math.max(seenMs, owner.lastSeenMs(mediaType) ?? seenMs);
    // Where no picture is known, no blind time tells what came after the heartbeat either.
    const toMs = isUnseen ? (streamingAtMs ?? takenOver.atMs) : untilMs;
    // A connection that was down brought nothing, and its blind time is told from then on.
    const downMs = owner === earlier.at(-1) ? owner.life.downSinceMs(mediaType) : undefined;
    return held(after, mediaType, fromMs, Math.min(toMs, downMs ?? toMs));
  });
}

/**
 * The same, audio too, of owners that have left no record of their beginning, before the first epoch that tells when media flowed. They
 * may have received everything since Zoom announced the stream, and audio of a minute before that: the announcement may be late, and Zoom
 * keeps so much. Zoom announces a stream again when it moves it to other servers: then `requestedAtMs` may be
 * later than what they received, and tells nothing where it is later than the last of them was at work. Then a line that one of them
 * wrote counts.
 *
 * ```
 * epoch 1   no record, or lines of signaling alone
 * epoch 2                    ···frames from the disk ── lost
 * epoch 3                                                session_taken_over, session_started: the first to tell anything
 * named     ├───────────────┤ of what has frames in epoch 2; of other media up to the first heartbeat that is told
 * ```
 *
 * @param after the first epoch that tells when media flowed
 */
export function unwrittenAtFirst(earlier: readonly EpochEvidence[], after: EpochEvidence): Loss[] {
  if (earlier.some(({ life }) => life.streamingAtMs !== undefined)) return [];
  const owners = ownersOfRun(earlier, after);
  const change = owners.findIndex(({ life }) => life.takenOver?.data.cause === 'owner_lost');
  const seenMs = owners[change]?.life.takenOver?.data.ownerSeenAtMs;
  const { streamingAtMs, requestedAtMs, asked } = after.life;
  if (seenMs === undefined || streamingAtMs === undefined || requestedAtMs === undefined) return [];
  const signMs = firstSignMs(earlier, requestedAtMs, seenMs);
  return asked.flatMap((mediaType) => {
    const firstMs = owners.find(({ edges }) => edges.has(mediaType))?.edges.get(mediaType)?.startMs;
    const isUnseen = isPicture(mediaType) && firstMs === undefined;
    if (isUnseen && !hadBacklog(undefined, owners)) return [];
    const provenMs = provenUntilMs(owners, mediaType);
    const keptMs = mediaType === 'audio' ? AUDIO_KEPT_MS : 0;
    const beganMs = signMs === undefined ? (provenMs ?? seenMs - keptMs) : signMs - keptMs;
    const fromMs = Math.max(beganMs, provenMs ?? beganMs);
    const hold = (toMs: number) => held(after, mediaType, fromMs, toMs);
    if (mediaType === 'audio') return hold(Math.min(firstMs ?? streamingAtMs, streamingAtMs));
    // A blind time that begins with that heartbeat is cut down to what comes after the last picture.
    const isBefore = earlier.some(({ edges }) => edges.has(mediaType));
    if (isBefore && firstMs !== undefined) return hold(firstMs);
    // Of an owner with records, `unwritten` has it.
    if (change > 0) return [];
    return hold(isUnseen ? streamingAtMs : seenMs);
  });
}

/** @returns the first moment that is known of a stream before its owner was seen last, Unix ms */
function firstSignMs(
  owners: readonly EpochEvidence[],
  announcedMs: number | undefined,
  seenMs: number,
): number | undefined {
  const signs = [announcedMs, ...owners.map(({ firstLineMs }) => firstLineMs)];
  const known = signs.filter((ms) => ms !== undefined && ms <= seenMs) as number[];
  return known.length === 0 ? undefined : Math.min(...known);
}

function held(after: EpochEvidence, mediaType: string, fromMs: number, toMs: number): Loss[] {
  if (fromMs >= toMs) return [];
  const { rtmsStreamId, epoch, life } = after;
  const cause = life.takenOver?.data.cause ?? 'owner_lost';
  const what = { kind: 'hole', mediaType: mediaType as LedgerMediaType, cause } as const;
  return [{ rtmsStreamId, epoch, ...what, fromMs, toMs }];
}
