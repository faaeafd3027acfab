import type { MediaSource } from '../../../rtms/protocol/media-type.ts';
import type { LedgerRow } from '../../../shared/record/event-data.ts';
import { countOf, type SequenceRange, SequenceRanges } from '../records/sequence-ranges.ts';
import type { ExpiredNumbers, Explained } from './expired.ts';

/** How many ranges of missing numbers a report names for each source. */
const MAX_SHOWN = 20;

/** Far more gaps than a spool leaves in what it gives back. */
const MAX_RANGES = 100_000;

/**
 * What was read back from the disk of a runner that had died (`recovered`), of one source or of all lines. The numbers
 * that are missing right before a recovered one were in the memory of that runner. They are lost, and its death explains
 * them.
 */
export class Recovered {
  readonly #numbers = new SequenceRanges(MAX_RANGES);
  #last: { readonly sequence: number; readonly atMs: number } | undefined;
  #fromMs = Number.POSITIVE_INFINITY;
  #toMs = Number.NEGATIVE_INFINITY;
  #isFromFirst = false;

  get isEmpty(): boolean {
    return this.#numbers.count === 0;
  }

  /** Takes each one found, in order. @param atMs when it was captured, Unix ms */
  note(sequence: number, atMs: number, isRecovered: boolean): void {
    const before = this.#last;
    if (sequence > (before?.sequence ?? 0)) this.#last = { sequence, atMs };
    if (!isRecovered) return;
    this.#numbers.add(sequence);
    if (sequence <= (before?.sequence ?? 0) + 1) return;
    this.#isFromFirst ||= before === undefined;
    this.#fromMs = Math.min(this.#fromMs, before?.atMs ?? atMs, atMs);
    this.#toMs = Math.max(this.#toMs, atMs);
  }

  /**
   * The time of those that died: from the one before the first of them to the one behind the last.
   *
   * @param beganMs before which nothing can have been received, for those with which everything began
   */
  span(beganMs: number | undefined): { readonly fromMs: number; readonly toMs: number } {
    const fromMs = this.#isFromFirst
      ? Math.min(beganMs ?? this.#fromMs, this.#fromMs)
      : this.#fromMs;
    return { fromMs, toMs: this.#toMs };
  }

  /** Splits missing numbers into those that died with their runner (a count) and those that nothing explains. */
  explain(missing: readonly SequenceRange[]): {
    readonly diedCount: number;
    readonly unexplained: readonly SequenceRange[];
  } {
    const unexplained = missing.filter(({ to }) => !this.#numbers.has(to + 1));
    return { diedCount: countOf(missing) - countOf(unexplained), unexplained };
  }
}

/** What the two streams hold of one source, or of one kind of line, in one epoch. */
export interface SourceEvidence extends MediaSource {
  readonly epoch: number;
  readonly mediaType: LedgerRow['mediaType'];
  /** Frames or lines found, each once. */
  found: number;
  /** Frames or lines found again. */
  duplicates: number;
  /** Frames or lines that gap events count as lost. */
  gapCount: number;
  /** Numbers found, and numbers that gap events name. Both for media only. */
  readonly seen: SequenceRanges;
  readonly gaps: SequenceRanges;
  /** When the last frame found ends, Unix ms. */
  lastMs?: number;
  /** For media only. */
  readonly recovered: Recovered;
  readonly expired: ExpiredNumbers;
  /** The source's row in the ledger of the epoch; absent when the epoch has left none. */
  ledger?: LedgerRow;
}

/**
 * How an epoch ended: `ended` and `handed_over` with a ledger; `owner_lost` without one; `open` while its owner is at
 * work.
 */
export type EpochEnd = 'ended' | 'handed_over' | 'owner_lost' | 'open';

/** What a report says of one source, or of one kind of line, in one epoch. */
export interface SourceReport extends MediaSource {
  readonly rtmsStreamId: string;
  readonly epoch: number;
  readonly epochEnd: EpochEnd;
  readonly mediaType: LedgerRow['mediaType'];
  readonly found: number;
  readonly duplicates: number;
  /** Lost frames or lines that gap events explain. */
  readonly gapCount: number;
  /** Lost frames or lines that were in the memory of a runner that died. */
  readonly diedCount: number;
  /** Lost frames that expired in Kinesis before they were archived; only an archive has them. */
  readonly expired?: Omit<Explained, 'unexplained'>;
  /** Counts of the epoch's ledger; absent when it has left none. */
  readonly received?: number;
  readonly written?: number;
  readonly lost?: number;
  /** Frames that are neither found nor explained, which must be 0. `missing` has their first 20 ranges. */
  readonly missingCount: number;
  readonly missing: readonly SequenceRange[];
  /** What does not add up, one sentence each; empty when the source is sound. */
  readonly problems: readonly string[];
}

/**
 * Judges one source by itself. Kinds of lines share one numbering, which `unexplainedLines` judges.
 *
 * A gap event has another partition key than the frames that it is about, and may be written before older frames of them: after an outage
 * in which the spool was full, these wait on the disk. Their owner may be lost before they are written, or at work on it still. So
 * without a ledger a frame counts as unexplained only where a later one of its source is written.
 *
 * @param lines how many lines of the epoch have expired: nobody knows of which kinds they were, and the ledger may be among them
 */
export function judgeSource(
  rtmsStreamId: string,
  epochEnd: EpochEnd,
  evidence: SourceEvidence,
  lines: Pick<Explained, 'count'>,
): SourceReport {
  const { epoch, mediaType, userId, channelId, found, duplicates, gapCount, ledger } = evidence;
  const isLine = isLineKind(mediaType);
  const covered = union(evidence.seen, evidence.gaps);
  const lacking = isLine ? [] : covered.missing(Math.max(ledger?.received ?? 0, covered.last));
  const died = evidence.recovered.explain(lacking);
  const { diedCount } = died;
  const { unexplained: lost, ...expired } = evidence.expired.explain(died.unexplained);
  const unexplained = ledger ? lost : lost.filter(({ from }) => from <= evidence.seen.last);
  const missingCount = countOf(unexplained);
  // A write whose answer was lost may have succeeded. Its frame is then found, and a gap event names it too.
  const both = isLine ? 0 : found + evidence.gaps.count - covered.count;
  const arrived = found - both + expired.count;
  const isShort = isLine && lines.count > 0 && ledger !== undefined && found < ledger.written;
  const counted = { ...evidence, found: isShort ? ledger.written : arrived };
  const problems = ledger ? ledgerProblems(ledger, counted) : [];
  const hasLedger = epochEnd === 'ended' || epochEnd === 'handed_over';
  if (hasLedger && !ledger && lines.count === 0) problems.push('the ledger does not name it');
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
    ...(expired.count > 0 && { expired }),
    ...(ledger && { received: ledger.received, written: ledger.written, lost: ledger.lost }),
    missingCount,
    missing: unexplained.slice(0, MAX_SHOWN),
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

/** Whether a ledger row counts lines (transcript, chat, all others), which are numbered together and without sources. */
export function isLineKind(mediaType: LedgerRow['mediaType']): boolean {
  return mediaType === 'transcript' || mediaType === 'chat' || mediaType === 'events';
}

/** @returns how many lines of an epoch are missing and explained by neither gap events nor a runner's death */
export function unexplainedLines(
  missing: readonly SequenceRange[],
  kinds: readonly SourceEvidence[],
): number {
  const explained = kinds.reduce((sum, { gapCount }) => sum + gapCount, 0);
  return Math.max(countOf(missing) - explained, 0);
}

function union(a: SequenceRanges, b: SequenceRanges): SequenceRanges {
  const all = new SequenceRanges(Number.POSITIVE_INFINITY);
  for (const range of [...a.ranges, ...b.ranges]) all.addRange(range);
  return all;
}
