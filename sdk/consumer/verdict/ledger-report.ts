import type { MediaSource } from '../../../rtms/protocol/media-type.ts';
import type { LedgerRow } from '../../../shared/record/event-data.ts';
import { countOf, type Recovered } from './died-with-owner.ts';
import { type SequenceRange, SequenceRanges } from './sequence-ranges.ts';

/** Ranges shown of what a source lacks. */
const MAX_SHOWN = 20;

/** What the two streams say of one source, or one kind of line, in one epoch. */
export interface SourceEvidence extends MediaSource {
  readonly epoch: number;
  readonly mediaType: LedgerRow['mediaType'];
  /** Frames or lines found, each once. */
  found: number;
  /** Frames or lines found again. */
  duplicates: number;
  /** As the gap events count them. */
  gapCount: number;
  /** Media only: numbers found, and numbers named by gap events. */
  readonly seen: SequenceRanges;
  readonly gaps: SequenceRanges;
  /** Media only: what was read back from the disk of a runner that had died. */
  readonly recovered: Recovered;
  /** The epoch's own account, absent when it left none. */
  ledger?: LedgerRow;
}

/** How an epoch ended: with a ledger, or without one because its owner was lost or is still at work. */
export type EpochEnd = 'ended' | 'handed_over' | 'owner_lost' | 'open';

export interface SourceReport extends MediaSource {
  readonly rtmsStreamId: string;
  readonly epoch: number;
  readonly epochEnd: EpochEnd;
  readonly mediaType: LedgerRow['mediaType'];
  readonly found: number;
  readonly duplicates: number;
  /** Explained by gap events. */
  readonly gapCount: number;
  /** Explained by the death of the runner, in whose memory they were. */
  readonly diedCount: number;
  /** From the epoch's ledger; absent when it left none. */
  readonly received?: number;
  readonly written?: number;
  readonly lost?: number;
  /** Neither found nor explained: must be 0. The first ranges of them in `missing`. */
  readonly missingCount: number;
  readonly missing: readonly SequenceRange[];
  /** In words, what does not add up; empty when all is well. */
  readonly problems: readonly string[];
}

/** Judges one source by itself. Kinds of lines share one numbering, which `lineProblems` judges. */
export function judgeSource(
  rtmsStreamId: string,
  epochEnd: EpochEnd,
  evidence: SourceEvidence,
): SourceReport {
  const { epoch, mediaType, userId, channelId, found, duplicates, gapCount, ledger } = evidence;
  const isLine = isLineKind(mediaType);
  const covered = union(evidence.seen, evidence.gaps);
  const lacking = isLine ? [] : covered.missing(Math.max(ledger?.received ?? 0, covered.last));
  const { diedCount, unexplained: holes } = evidence.recovered.explain(lacking);
  const missingCount = countOf(holes);
  // A write that was given up may have succeeded after all: then the frame is there, and in a gap too.
  const both = isLine ? 0 : found + evidence.gaps.count - covered.count;
  const problems = ledger ? ledgerProblems(ledger, { ...evidence, found: found - both }) : [];
  const hasLedger = epochEnd === 'ended' || epochEnd === 'handed_over';
  if (hasLedger && !ledger) problems.push('the ledger does not name it');
  if (missingCount > 0) problems.push(`${missingCount} neither written nor explained`);
  if (ledger && !isLine && covered.last > ledger.received) problems.push('more than was received');
  return {
    rtmsStreamId,
    epoch,
    epochEnd,
    mediaType,
    ...(userId !== undefined && { userId }),
    ...(channelId !== undefined && { channelId }),
    found,
    duplicates,
    gapCount,
    diedCount,
    ...(ledger && { received: ledger.received, written: ledger.written, lost: ledger.lost }),
    missingCount,
    missing: holes.slice(0, MAX_SHOWN),
    problems,
  };
}

function ledgerProblems(
  { received, written, lost }: LedgerRow,
  evidence: SourceEvidence,
): string[] {
  const problems: string[] = [];
  const { found, gapCount } = evidence;
  if (received !== written + lost)
    problems.push(`received ${received} is not ${written} + ${lost}`);
  if (written !== found) problems.push(`written ${written}, found ${found}`);
  if (lost !== gapCount) problems.push(`lost ${lost}, gap events name ${gapCount}`);
  return problems;
}

/** Transcript, chat and all other lines: numbered together, without sources. */
export function isLineKind(mediaType: LedgerRow['mediaType']): boolean {
  return mediaType === 'transcript' || mediaType === 'chat' || mediaType === 'events';
}

/** Numbers that lack among all lines of an epoch, less those that gap events explain. */
export function unexplainedLines(
  seen: SequenceRanges,
  kinds: readonly SourceEvidence[],
  recovered: Recovered,
): number {
  const explained = kinds.reduce((sum, { gapCount }) => sum + gapCount, 0);
  const { unexplained } = recovered.explain(seen.missing());
  return Math.max(countOf(unexplained) - explained, 0);
}

function union(a: SequenceRanges, b: SequenceRanges): SequenceRanges {
  const all = new SequenceRanges(Number.POSITIVE_INFINITY);
  for (const range of [...a.ranges, ...b.ranges]) all.addRange(range);
  return all;
}
