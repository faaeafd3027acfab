import { KEPT_AUDIO_COMES_MS, type LedgerMediaType } from '../../../shared/record/event-data.ts';
import { isPicture } from './blind-time.ts';
import type { EpochEvidence } from './epoch-evidence.ts';
import { AUDIO_KEPT_MS, audioFromMs, lastReception, ownersOfRun } from './last-reception.ts';
import type { Loss } from './loss.ts';

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * What no event names of the time in which a stream ran and nobody received it. Each owner tells the time before its own media
 * flows, as far as it knows it when it has to write; so what comes after that is told by nobody, if its media never flows.
 *
 * ```
 * owner A   receives ··· leaves
 * owner B                        session_taken_over, participant_joined ··· is handed over, killed, or ends with the stream
 * told                   ├──────┤
 * not told, and named here       ├────────────────────────────────────────┤ the stream ends
 * ```
 *
 * - The stream ends before media flows again: all media types are missing until then, audio too. What Zoom had kept of it for the
 *   next connection is gone with the stream.
 * - Media flows again: a media type is missing whose own connection comes later than the others. What it does not flow from
 *   then on, its connection tells. So is what was missing already when the owner before left, because its connection was down.
 *   Readers may not wait for the event of the next owner to tell that: by its clock, which may be behind, no time may lie between
 *   the two. Audio is missing as far as it is older than what Zoom keeps: where that owner had not got what Zoom had kept
 *   for it, or where others took over between them and were connected to nothing.
 *
 * @param earlier all epochs before it that have records, in order
 * @param told what is known of the stream to be missing
 * @param wasSent whether there are frames of a media type on either side
 */
export function unreceived(
  earlier: readonly EpochEvidence[],
  after: EpochEvidence,
  told: readonly Loss[],
  wasSent: (mediaType: string) => boolean,
): Loss[] {
  const owners = ownersOfRun(earlier, after).slice(0, -1);
  const first = owners.find(({ hasReceived }) => hasReceived);
  if (first === undefined) return [];
  const cause = after.life.takenOver?.data.cause ?? 'owner_lost';
  const { rtmsStreamId, epoch } = after;
  return untilReceived(owners, after).flatMap(({ mediaType, toMs }) => {
    if (isPicture(mediaType) && !wasSent(mediaType)) return [];
    const flowedMs = mediaType === 'audio' ? audioFromMs(first.life) : first.life.streamingAtMs;
    const fromMs = notReceivedSince(owners, after, mediaType) ?? flowedMs ?? toMs;
    const named = told.filter((loss) => loss.mediaType === mediaType && loss.kind !== 'gap');
    return rest({ fromMs, toMs }, named).map((span) => ({
      rtmsStreamId,
      epoch,
      kind: 'blind' as const,
      mediaType: mediaType as LedgerMediaType,
      cause,
      ...span,
    }));
  });
}

/** @returns since when nobody has received a media type, Unix ms; undefined where nobody has ever received it */
function notReceivedSince(
  owners: readonly EpochEvidence[],
  after: EpochEvidence,
  mediaType: string,
): number | undefined {
  const last = lastReception(owners, after, mediaType);
  if (last === undefined) return undefined;
  const { owner, leftMs } = last;
  const writtenMs = owner.lastSeenMs(mediaType) ?? 0;
  const seenMs = Math.max(leftMs, writtenMs);
  if (mediaType !== 'audio') return Math.min(seenMs, owner.life.downSinceMs(mediaType) ?? seenMs);
  // Where the records hold audio that was captured later, what Zoom had kept has come.
  return Math.min(seenMs, Math.max(owner.life.audioOwedSinceMs(leftMs) ?? seenMs, writtenMs));
}

/** The media types that are missing, and until when. */
function untilReceived(
  owners: readonly EpochEvidence[],
  after: EpochEvidence,
): readonly { readonly mediaType: string; readonly toMs: number }[] {
  const { streamingAtMs, endedAtMs, late } = after.life;
  const asked = new Set(owners.flatMap(({ life }) => life.asked));
  if (streamingAtMs !== undefined) {
    const wasDown = (mediaType: string) =>
      mediaType !== 'audio' &&
      lastReception(owners, after, mediaType)?.owner.life.downSinceMs(mediaType) !== undefined;
    const types = [...asked].filter((type) => late.includes(type) || wasDown(type));
    return [
      ...types.map((mediaType) => ({ mediaType, toMs: streamingAtMs })),
      ...audioUntil(owners, after, streamingAtMs),
    ];
  }
  // It has records of media, and the line that says since when is lost: a gap of lines names that.
  if (after.hasReceived || after.end !== 'ended' || endedAtMs === undefined) return [];
  const last = owners.findLastIndex(({ hasReceived }) => hasReceived);
  const since = [...owners.slice(last + 1), after];
  const blind = since.flatMap(({ life }) => life.takenOver?.data.blind ?? []);
  const types = new Set([...asked, ...blind.map(({ mediaType }) => mediaType)]);
  const toMs = Math.min(endedAtMs, stoppedAtMs(owners[last]?.life.media ?? [], since));
  return [...types].map((mediaType) => ({ mediaType, toMs }));
}

/** Audio that Zoom had kept for an owner to whom media flows, and that this owner did not get. */
function audioUntil(
  owners: readonly EpochEvidence[],
  after: EpochEvidence,
  streamingAtMs: number,
): readonly { readonly mediaType: string; readonly toMs: number }[] {
  const mediaType = 'audio';
  const { endedAtMs } = after.life;
  const isCutShort =
    after.end === 'ended' &&
    endedAtMs !== undefined &&
    !after.edges.has(mediaType) &&
    after.hasReceivedOf(mediaType) &&
    endedAtMs - streamingAtMs < KEPT_AUDIO_COMES_MS;
  // The stream ended before Zoom had sent it.
  if (isCutShort) return [{ mediaType, toMs: endedAtMs }];
  const last = lastReception(owners, after, mediaType);
  if (last === undefined) return [];
  // Whoever takes over tells what Zoom threw away since the owner before it left, and not what it threw away before that.
  const between = last.since.slice(0, -1);
  const isUntold = between.length > 0 && between.every((each) => !each.hasReceivedOf(mediaType));
  if (!isUntold && last.owner.life.audioOwedSinceMs(last.leftMs) === undefined) return [];
  return [{ mediaType, toMs: streamingAtMs - AUDIO_KEPT_MS }];
}

/**
 * When Zoom had stopped the stream, if an owner knew that when it took over: the time that it tells then ends before its event is
 * written, or there is none at all. Of older runners, which do not say it in `leftAtMs`.
 */
function stoppedAtMs(media: readonly string[], since: readonly EpochEvidence[]): number {
  for (const { takenOver } of since.map(({ life }) => life)) {
    const { blind, ownerSeenAtMs } = takenOver?.data ?? {};
    if (takenOver === undefined || blind === undefined) continue;
    const [first] = blind.filter(({ mediaType }) => mediaType !== 'audio');
    const untilMs = media.some((type) => type !== 'audio') ? ownerSeenAtMs : undefined;
    const endMs = first?.toMs ?? untilMs ?? takenOver.atMs;
    if (endMs < takenOver.atMs) return endMs;
  }
  return Number.POSITIVE_INFINITY;
}

/** @returns what is left of a time without others */
function rest(span: Span, others: readonly Span[]): Span[] {
  let left = [span];
  for (const { fromMs, toMs } of others) {
    left = left.flatMap((one) => [
      { fromMs: one.fromMs, toMs: Math.min(one.toMs, fromMs) },
      { fromMs: Math.max(one.fromMs, toMs), toMs: one.toMs },
    ]);
    left = left.filter((one) => one.toMs > one.fromMs);
  }
  return left.filter((one) => one.toMs > one.fromMs);
}
