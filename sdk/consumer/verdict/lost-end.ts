import type { LedgerMediaType } from '../../../shared/record/event-data.ts';
import { isPicture } from './blind-time.ts';
import type { EpochEvidence } from './epoch-evidence.ts';
import {
  AUDIO_KEPT_MS,
  audioFromMs,
  hadSilence,
  lastReception,
  ownersOfRun,
} from './last-reception.ts';
import type { Loss } from './loss.ts';
import { hadBacklog, heldAudioSinceMs, provenUntilMs } from './unwritten.ts';

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
 * It begins where the last reception in the records ends. A lost owner of which they hold no audio may have got, and taken with
 * it, all that Zoom had kept since an owner before it.
 *
 * @param earlier all epochs before it that have records, in order
 * @returns a time for each media type, from what was written of it to the end
 */
export function lostBeforeEnd(earlier: readonly EpochEvidence[], after: EpochEvidence): Loss[] {
  const { life, end, rtmsStreamId, epoch } = after;
  const toMs = life.toldEndAtMs;
  // One that handed on after silence shows where the records of the lost one break off no more than the end does.
  if (toMs === undefined || (end !== 'ended' && !hadSilence(after))) return [];
  const cause = life.takenOver?.data.cause ?? 'owner_lost';
  const lost = (type: string, fromMs: number, untilMs: number, why = cause): Loss[] => {
    const mediaType = type as LedgerMediaType;
    const span = { fromMs, toMs: untilMs };
    return fromMs < untilMs
      ? [{ rtmsStreamId, epoch, kind: 'hole', mediaType, cause: why, ...span }]
      : [];
  };
  if (life.streamingAtMs !== undefined) {
    if (after.edges.has('audio')) return [];
    return lost('audio', heldSinceMs(earlier, after, 'audio'), life.streamingAtMs);
  }
  if (!earlier.some((each) => each.life.streamingAtMs !== undefined)) {
    // Media has flowed, because otherwise this would be a missed stream; and none of it was ever written. Who was lost with it is told
    // by the first owner after it, which may have been connected to nothing and have given the stream away.
    const takeovers = ownersOfRun(earlier, after).map((owner) => owner.life.takenOver?.data);
    const first = takeovers.find((data) => data?.cause === 'owner_lost');
    if (first?.ownerSeenAtMs === undefined) return [];
    // It may have held something before its last heartbeat, and what it had written by then was of other streams.
    const { ownerSeenAtMs, ownerWroteUntilMs = ownerSeenAtMs } = first;
    const heldMs = Math.min(ownerSeenAtMs, ownerWroteUntilMs);
    // What came after that may be audio which Zoom had kept from before.
    return [
      ...lost('events', heldMs, toMs, first.cause),
      ...lost('audio', heldMs - AUDIO_KEPT_MS, heldMs, first.cause),
    ];
  }
  const types = new Set(earlier.flatMap((each) => each.life.asked));
  return [...types].flatMap((type) => lost(type, heldSinceMs(earlier, after, type), toMs));
}

/** @returns since when lost owners may have held something of a media type that they had not written, Unix ms; infinite for never */
function heldSinceMs(
  earlier: readonly EpochEvidence[],
  after: EpochEvidence,
  mediaType: string,
): number {
  const never = Number.POSITIVE_INFINITY;
  const last = lastReception(earlier, after, mediaType);
  const first = earlier.find((each) => each.hasReceivedOf(mediaType));
  const owner = last?.owner ?? first;
  if (owner === undefined) return never;
  const chain = earlier.slice(earlier.indexOf(owner));
  const lost = chain.flatMap((each, index) =>
    each.end === 'open' ? { owner: each, since: [...chain.slice(index + 1), after] } : [],
  );
  // Owners that wrote their ledgers have accounted for everything they received.
  const audioMs = mediaType === 'audio' ? heldAudioSinceMs(chain, after) : undefined;
  if (lost.length === 0 && audioMs === undefined) return never;
  const seenMs = owner.writtenUntilMs(mediaType);
  // Pictures come all the time while there are any, so none at all were sent, unless in a backlog.
  const isUnseen = isPicture(mediaType) && seenMs === undefined;
  if (isUnseen && !lost.some((each) => hadBacklog(each.owner, each.since))) return never;
  const proven = lost.map(({ since }) => provenUntilMs(since, mediaType) ?? 0);
  if (audioMs !== undefined) proven.push(audioMs);
  const isAccounted = owner.end !== 'open' && last !== undefined && seenMs === undefined;
  const beganMs = mediaType === 'audio' ? audioFromMs(owner.life) : owner.life.streamingAtMs;
  const fromMs = isAccounted ? last.leftMs : (seenMs ?? beganMs ?? never);
  return Math.max(fromMs, Math.min(...proven));
}
