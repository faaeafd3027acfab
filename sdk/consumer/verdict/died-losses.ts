import { type EpochEvidence, identityOf } from './epoch-evidence.ts';
import { AUDIO_KEPT_MS } from './heartbeat.ts';
import type { SourceEvidence, SourceReport } from './ledger-report.ts';
import type { Loss } from './loss.ts';

/** Before which moment an owner cannot have received anything of a media type, Unix ms; undefined where no record tells. */
type Began = (mediaType: string) => number | undefined;

/**
 * Tells since when an owner may have received what its disk did not have. Its own line says when media flowed. Where that line died with
 * it, the earliest moment that any epoch of the stream tells counts: the announcement, or the last sign of an owner before it. The first
 * recovered frame does not: numbers before it were captured earlier.
 */
export function beganFrom(
  earlier: readonly EpochEvidence[],
  { life }: EpochEvidence,
  later: readonly EpochEvidence[],
): Began {
  const all = [...earlier.map((each) => each.life), life, ...later.map((each) => each.life)];
  const known = all.flatMap(({ requestedAtMs, takenOver }) =>
    [requestedAtMs, takenOver?.data.ownerSeenAtMs].filter((ms) => ms !== undefined),
  );
  const earliestMs = known.length === 0 ? undefined : Math.min(...known);
  const beganMs = life.streamingAtMs ?? earliestMs;
  return (mediaType) =>
    mediaType === 'audio' && beganMs !== undefined ? beganMs - AUDIO_KEPT_MS : beganMs;
}

/** The frames or lines of a source that were in the memory of a runner whose disk survived it. */
export function diedWithOwner(
  report: SourceReport,
  { recovered }: SourceEvidence,
  beganMs: Began,
): Loss[] {
  const { rtmsStreamId, epoch, mediaType, diedCount } = report;
  if (diedCount === 0) return [];
  const what = { kind: 'gap', mediaType, ...identityOf(report), cause: 'owner_lost' } as const;
  const span = recovered.span(beganMs(mediaType));
  return [{ rtmsStreamId, epoch, ...what, ...span, count: diedCount }];
}

/** The same of lines: of which kinds they were, nobody knows. */
export function diedLines(
  { rtmsStreamId, epoch, recoveredLines }: EpochEvidence,
  count: number,
  beganMs: number | undefined,
): Loss[] {
  if (count === 0) return [];
  const what = { kind: 'gap', mediaType: 'events', cause: 'owner_lost' } as const;
  const span = recoveredLines.span(beganMs);
  return [{ rtmsStreamId, epoch, ...what, ...span, count }];
}
