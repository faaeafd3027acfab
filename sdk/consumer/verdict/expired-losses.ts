import { type EpochEvidence, identityOf } from './epoch-evidence.ts';
import { ARRIVAL_MARGIN_MS, type ExpiredTime, type Explained } from './expired.ts';
import type { SourceReport } from './ledger-report.ts';
import type { Loss } from './loss.ts';

/** What is told of records that expired in Kinesis before they were archived. */
const EXPIRED = { cause: 'expired' } as const;

/** Frames of one source. */
export function expiredOf(report: SourceReport): Loss[] {
  const { rtmsStreamId, epoch, mediaType, expired } = report;
  if (expired === undefined) return [];
  const what = { kind: 'gap', mediaType, ...identityOf(report), ...EXPIRED } as const;
  return [{ rtmsStreamId, epoch, ...what, ...expired }];
}

/** Lines of an epoch: which kinds they were of, nobody knows. */
export function expiredLinesOf(
  { rtmsStreamId, epoch }: EpochEvidence,
  { count, fromMs, toMs }: Omit<Explained, 'unexplained'>,
): Loss[] {
  if (count === 0) return [];
  const what = { kind: 'gap', mediaType: 'events', ...EXPIRED } as const;
  return [{ rtmsStreamId, epoch, ...what, fromMs, toMs, count }];
}

/** The end of a stream of which no last event is there, where events expired about when its last line was written. */
export function expiredEnd(
  { rtmsStreamId, epoch, lastLineMs }: EpochEvidence,
  times: readonly ExpiredTime[],
): Loss[] {
  return times
    .filter(({ stream, toMs }) => stream === 'events' && toMs >= (lastLineMs ?? 0))
    .filter(({ fromMs }) => lastLineMs === undefined || fromMs <= lastLineMs + ARRIVAL_MARGIN_MS)
    .map(({ fromMs, toMs }) => ({
      rtmsStreamId,
      epoch,
      kind: 'hole',
      mediaType: 'events',
      ...EXPIRED,
      fromMs: Math.max(fromMs, lastLineMs ?? fromMs),
      toMs,
    }));
}
