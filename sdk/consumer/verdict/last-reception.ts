import { KEPT_AUDIO_COMES_MS } from '../../../shared/record/event-data.ts';
import type { EpochEvidence } from './epoch-evidence.ts';

/** Zoom keeps this much audio for a stream that nobody is connected to, until the stream ends. */
export const AUDIO_KEPT_MS = 60_000;

/** Who received a media type last. */
export interface LastReception {
  readonly owner: EpochEvidence;
  /** The epochs after its own, in order. */
  readonly since: readonly EpochEvidence[];
  /** Until when it received the media type, Unix ms; infinite where nothing tells that. */
  readonly leftMs: number;
}

/**
 * Finds the owner that was the last to receive a media type. That is not always the last owner to whom media flowed:
 *
 * ```
 * owner A   receives ··· leaves
 * Zoom                  ├─ keeps audio ─┤
 * owner B                               media flows, and it is lost or drained at once: the audio is in its memory, or still with Zoom
 * owner C                                             has nothing to receive: the stream has ended
 * ```
 *
 * - Of audio, an owner counts where the records hold audio of it. Without any it counts only if it left in order, so that its
 *   ledger would tell of audio, and was connected for long enough to get what Zoom had kept.
 * - Of other media, which Zoom does not keep, an owner counts to whom it flowed. What of its connection came later than the others
 *   flowed only if it came at all.
 *
 * @param epochs those in which it may have been received, in order
 * @param after the epoch behind them
 * @returns undefined where nobody received it
 */
export function lastReception(
  epochs: readonly EpochEvidence[],
  after: EpochEvidence,
  mediaType: string,
): LastReception | undefined {
  for (const [index, owner] of [...epochs.entries()].reverse()) {
    const since = [...epochs.slice(index + 1), after];
    const leftMs = leftAtMs(owner, since);
    const isReceiver =
      mediaType === 'audio' ? hasAudio(owner, leftMs) : owner.hasReceivedOf(mediaType);
    if (isReceiver) return { owner, since, leftMs };
  }
  return undefined;
}

/**
 * Another run begins after somebody had ended the one before: nothing ran between them.
 *
 * @returns the epochs of the run that an epoch belongs to, in order, that one last
 */
export function ownersOfRun(
  earlier: readonly EpochEvidence[],
  after: EpochEvidence,
): readonly EpochEvidence[] {
  const all = [...earlier, after];
  const begin = all.findLastIndex(({ life }) => life.takenOver?.data.cause === 'restarted');
  return all.slice(Math.max(0, begin));
}

/**
 * Since when Zoom kept audio for the first owner of a run, Unix ms; undefined where media did not flow to it. The announcement may have come
 * late, and Zoom keeps audio from before it.
 */
export function audioFromMs({
  streamingAtMs,
  requestedAtMs = streamingAtMs,
}: Pick<EpochEvidence['life'], 'streamingAtMs' | 'requestedAtMs'>): number | undefined {
  if (streamingAtMs === undefined || requestedAtMs === undefined) return undefined;
  return Math.min(streamingAtMs, requestedAtMs) - AUDIO_KEPT_MS;
}

function hasAudio(owner: EpochEvidence, leftMs: number): boolean {
  return owner.edges.has('audio') || hadSilence(owner, leftMs);
}

/** Was an owner connected for long enough to get what Zoom had kept, and left in order, so that its ledger proves that it got no audio? */
export function hadSilence(
  owner: EpochEvidence,
  leftMs: number = owner.life.endedAtMs ?? Number.POSITIVE_INFINITY,
): boolean {
  if (owner.edges.has('audio')) return false;
  const { streamingAtMs } = owner.life;
  if (!owner.hasReceivedOf('audio') || owner.end === 'open' || streamingAtMs === undefined)
    return false;
  const untilMs = Math.min(leftMs, owner.life.downSinceMs('audio') ?? leftMs);
  return untilMs - streamingAtMs >= KEPT_AUDIO_COMES_MS;
}

/** When an owner left the stream: the next one knows that from the row, and says it. */
function leftAtMs({ life }: EpochEvidence, since: readonly EpochEvidence[]): number {
  const { ownerSeenAtMs, blind = [] } = since[0]?.life.takenOver?.data ?? {};
  const seenMs = ownerSeenAtMs ?? blind.find(({ mediaType }) => mediaType !== 'audio')?.fromMs;
  return seenMs ?? life.endedAtMs ?? Number.POSITIVE_INFINITY;
}
