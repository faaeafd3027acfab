import type { LedgerMediaType, LedgerRow } from '../../../shared/record/event-data.ts';
import type { TakeoverCause } from '../../../shared/record/session-causes.ts';
import type { FrameSource } from '../records/frame.ts';
import type { Span } from './accounted.ts';
import { isPicture } from './blind-time.ts';
import type { EpochEvidence } from './epoch-evidence.ts';
import { AUDIO_KEPT_MS, hadBacklog, seenAtMs } from './heartbeat.ts';
import type { Loss } from './loss.ts';
import { takeoverCause } from './run.ts';
import type { Unaccounted } from './unaccounted.ts';

/** The capture time without any audio around a lost owner. */
export interface BoundaryHole extends FrameSource {
  readonly rtmsStreamId: string;
  readonly mediaType: LedgerRow['mediaType'];
  readonly fromEpoch: number;
  readonly toEpoch: number;
  /** Why the later epoch began; absent when its events do not say. */
  readonly cause?: TakeoverCause;
  /** End of the last frame before, and capture of the first frame after, Unix ms. */
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * The losses of a time for which nobody accounts. Before its last heartbeat a lost owner may have received something and not yet written it (`hole`);
 * after that nobody was connected (`blind`). Of audio Zoom keeps what nobody receives, so there it is the first.
 *
 * Pictures come all the time while there are any, so where there are none on either side, none were sent. An owner with a backlog is
 * the exception: a camera may have gone on and off again within it.
 *
 * @param told what is known of the run to be missing
 */
export function lossesOf(time: Unaccounted, told: readonly Loss[]): Loss[] {
  const { mediaType, before, after, lost } = time;
  const isUnseen = ![before, after].some((owner) => owner?.edges.has(mediaType));
  const isBacklog = lost.some(({ owner, since }) => hadBacklog(owner, since));
  if (isPicture(mediaType) && isUnseen && !isBacklog) return [];
  const isWhole = mediaType === 'audio' || (isPicture(mediaType) && isUnseen);
  const seenMs = lost.length === 0 ? time.fromMs : (seenAtMs(lost[0]?.since ?? []) ?? time.toMs);
  const heldMs = isWhole && lost.length > 0 ? time.toMs : Math.min(seenMs, time.toMs);
  const { rtmsStreamId, epoch } = after;
  const cause = takeoverCause(after);
  const named = told.filter(
    (loss) => loss.kind !== 'gap' && [mediaType, 'events'].includes(loss.mediaType),
  );
  const what = { rtmsStreamId, epoch, mediaType: mediaType as LedgerMediaType, cause };
  const losses = (kind: Loss['kind'], fromMs: number, toMs: number) =>
    without({ fromMs, toMs }, named).map((span) => ({ ...what, kind, ...span }));
  return [
    ...losses('hole', time.fromMs, heldMs),
    ...losses('blind', Math.max(time.fromMs, heldMs), time.toMs),
  ];
}

/** @returns what is left of a time without others */
function without(span: Span, others: readonly Span[]): Span[] {
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

/** @returns the audio that a lost owner had received and not written; undefined for times of another kind */
export function boundaryOf(time: Unaccounted): BoundaryHole | undefined {
  const { mediaType, before, after, lost, fromMs, toMs } = time;
  if (mediaType !== 'audio' || lost.length === 0 || !after.edges.has('audio')) return undefined;
  const cause = after.life.takenOver?.data.cause;
  const fromEpoch = before?.epoch ?? after.epoch - 1;
  const { rtmsStreamId, epoch: toEpoch } = after;
  return { rtmsStreamId, mediaType, fromEpoch, toEpoch, ...(cause && { cause }), fromMs, toMs };
}

/**
 * What was lost of a run of which nobody has written that media flowed. Media has flowed, because otherwise this would be a missed stream; the owners
 * that received it were lost with all that they had.
 *
 * ```
 * runner A   receives ······ Kinesis takes nothing ······ lost
 * Zoom                                      ends the stream
 * runner B                                                     session_taken_over, session_ended: all it has to say
 * ```
 *
 * Who was lost is told by the first owner after it, which may have been connected to nothing and have given the stream away.
 *
 * @param run its epochs, in order
 * @returns the time from what its task had written last to the end of the stream
 */
export function neverWritten(run: readonly EpochEvidence[]): Loss[] {
  const last = run.at(-1);
  const toMs = last?.life.toldEndAtMs;
  if (last?.end !== 'ended' || toMs === undefined) return [];
  if (run.some(({ life }) => life.streamingAtMs !== undefined)) return [];
  const takeovers = run.map(({ life }) => life.takenOver?.data);
  const first = takeovers.find((data) => data?.cause === 'owner_lost');
  if (first?.ownerSeenAtMs === undefined) return [];
  // It may have held something before its last heartbeat, and what it had written by then was of other streams.
  const { cause, ownerSeenAtMs, ownerWroteUntilMs = ownerSeenAtMs } = first;
  const heldMs = Math.min(ownerSeenAtMs, ownerWroteUntilMs);
  const { rtmsStreamId, epoch } = last;
  const what = { rtmsStreamId, epoch, kind: 'hole', cause } as const;
  return [
    { ...what, mediaType: 'events', fromMs: heldMs, toMs },
    // What came after that may be audio which Zoom had kept from before.
    { ...what, mediaType: 'audio', fromMs: heldMs - AUDIO_KEPT_MS, toMs: heldMs },
  ];
}
