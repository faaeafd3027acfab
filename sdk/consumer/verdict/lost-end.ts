import type { LedgerMediaType } from '../../../shared/record/event-data.ts';
import type { TakeoverCause } from '../../../shared/record/session-causes.ts';
import type { EpochEvidence } from './epoch-evidence.ts';
import type { Loss } from './loss.ts';

/**
 * What the last owner that received a stream may have held when it was lost. Zoom had ended the stream meanwhile, so the owner
 * after it received nothing: neither its audio nor a blind time shows where the records of the lost one break off.
 *
 * ```
 * runner A   receives ······ Kinesis takes nothing ······ lost
 * Zoom                                      ends the stream
 * runner B                                                     session_taken_over, session_ended: all it has to say
 * ```
 *
 * The next owner may have been connected too, and have got no audio before the end. Then what the lost one may have held
 * reaches to when media flowed again: from then on somebody received all audio, and of other media a blind time tells.
 *
 * @param earlier all epochs before it that have records, in order
 * @returns a time for each media type of that owner, from what it had written of it to the end
 */
export function lostBeforeEnd(earlier: readonly EpochEvidence[], after: EpochEvidence): Loss[] {
  const { life, end, rtmsStreamId, epoch } = after;
  const toMs = life.toldEndAtMs;
  if (end !== 'ended' || toMs === undefined) return [];
  if (life.streamingAtMs !== undefined)
    return lostBeforeSilence(earlier, after, life.streamingAtMs);
  const index = earlier.findLastIndex((each) => each.life.streamingAtMs !== undefined);
  const last = earlier[index];
  const cause = life.takenOver?.data.cause ?? 'owner_lost';
  const common = { rtmsStreamId, epoch, kind: 'hole', cause, toMs } as const;
  if (last === undefined) {
    // Media has flowed, because otherwise this would be a missed stream; and none of it was ever written.
    const { ownerSeenAtMs } = life.takenOver?.data ?? {};
    if (cause !== 'owner_lost' || ownerSeenAtMs === undefined) return [];
    return [{ ...common, mediaType: 'events', fromMs: Math.min(ownerSeenAtMs, toMs) }];
  }
  // Owners that wrote their ledgers have accounted for everything they received.
  if (earlier.slice(index).every((each) => each.end !== 'open')) return [];
  return last.life.media.flatMap((mediaType) => {
    const isPicture = mediaType === 'video' || mediaType === 'deskshare';
    const seenMs = last.lastSeenMs(mediaType);
    // Pictures come all the time while there are any, so none at all were sent.
    if (isPicture && seenMs === undefined) return [];
    const fromMs = seenMs ?? last.life.streamingAtMs ?? toMs;
    if (fromMs >= toMs) return [];
    return [{ ...common, mediaType: mediaType as LedgerMediaType, fromMs }];
  });
}

/** Audio of lost owners, where the last owner was connected and got none that would show where it breaks off. */
function lostBeforeSilence(
  earlier: readonly EpochEvidence[],
  after: EpochEvidence,
  toMs: number,
): Loss[] {
  const mediaType = 'audio';
  if (after.edges.has(mediaType)) return [];
  const withAudio = earlier.findLastIndex(({ edges }) => edges.has(mediaType));
  const agreed = earlier.findIndex(({ life }) => life.media.includes(mediaType));
  const index = withAudio < 0 ? agreed : withAudio;
  const last = earlier[index];
  if (last === undefined || earlier.slice(index).every(({ end }) => end !== 'open')) return [];
  const fromMs = last.lastSeenMs(mediaType) ?? last.life.streamingAtMs ?? toMs;
  if (fromMs >= toMs) return [];
  const { rtmsStreamId, epoch, life } = after;
  const cause: TakeoverCause = life.takenOver?.data.cause ?? 'owner_lost';
  return [{ rtmsStreamId, epoch, kind: 'hole', mediaType, cause, fromMs, toMs }];
}
