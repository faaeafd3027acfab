import type { LedgerRow } from '../../shared/record/event.ts';
import type { ReceivedEvent } from './event-record.ts';
import { type Frame, type FrameSource, sourceKey } from './frame.ts';
import {
  type EpochEnd,
  isLineKind,
  judgeSource,
  type SourceEvidence,
  type SourceReport,
  unexplainedLines,
} from './ledger-report.ts';
import { SequenceRanges } from './sequence-ranges.ts';

/** Far more holes than a source ever has; past it the counts no longer add up, which is reported. */
const MAX_RANGES = 100_000;

/** The capture time that nobody recorded around a change of owner, for one source. */
export interface BoundaryHole extends FrameSource {
  readonly rtmsStreamId: string;
  readonly mediaType: LedgerRow['mediaType'];
  readonly fromEpoch: number;
  readonly toEpoch: number;
  /** Why the later epoch began; absent when it did not say. */
  readonly cause?: 'handed_over' | 'owner_lost' | 'restarted';
  /** Capture of the last frame before and the first frame after, Unix ms. */
  readonly fromMs: number;
  readonly toMs: number;
}

export interface LedgerReport {
  /** Every frame and line received was written or is explained, as far as the epochs' ledgers reach. */
  readonly ok: boolean;
  readonly sources: readonly SourceReport[];
  readonly holes: readonly BoundaryHole[];
  /** All problems of all sources, in words, each naming its stream, epoch and source. */
  readonly problems: readonly string[];
}

interface EpochEvidence {
  readonly epoch: number;
  readonly sources: Map<string, SourceEvidence>;
  /** All lines, whatever their kind. */
  readonly lines: SequenceRanges;
  /** Pages of the ledger found, and as many as its last event says there are. */
  readonly pages: Set<number>;
  ledgerPages: number;
  end: EpochEnd;
  takenOver?: BoundaryHole['cause'];
}

/**
 * Proves from the two streams alone that nothing was lost without a word. Feed it everything, in any order
 * between the streams, best from readers with `repeats: 'keep'`, so that duplicates are counted. Memory grows
 * with sources and holes, not with frames.
 */
export class LedgerChecker {
  readonly #streams = new Map<string, Map<number, EpochEvidence>>();

  frame(frame: Frame): void {
    const evidence = source(this.#epoch(frame.rtmsStreamId, frame.epoch), frame.mediaType, frame);
    const capturedAtMs = frame.capturedAt.getTime();
    evidence.firstMs = Math.min(evidence.firstMs ?? capturedAtMs, capturedAtMs);
    evidence.lastMs = Math.max(evidence.lastMs ?? capturedAtMs, capturedAtMs);
    if (evidence.seen.add(frame.sequence)) evidence.found += 1;
    else evidence.duplicates += 1;
  }

  event(event: ReceivedEvent): void {
    const epoch = this.#epoch(event.rtmsStreamId, event.epoch);
    const { name } = event;
    const kind = source(epoch, name === 'transcript' || name === 'chat' ? name : 'events', {});
    if (!epoch.lines.add(event.sequence)) {
      kind.duplicates += 1;
      return;
    }
    if (name === 'session_ended' || name === 'session_handed_over') {
      // The ledger counts the lines before its own.
      epoch.end = name === 'session_ended' ? 'ended' : 'handed_over';
      epoch.ledgerPages = event.data.ledgerPages ?? 0;
      for (const row of event.data.ledger) source(epoch, row.mediaType, row).ledger = row;
      return;
    }
    kind.found += 1;
    if (name === 'session_ledger') {
      epoch.pages.add(event.data.page);
      for (const row of event.data.ledger) source(epoch, row.mediaType, row).ledger = row;
    } else if (name === 'session_taken_over') epoch.takenOver = event.data.cause;
    else if (name === 'gap') {
      const { mediaType, fromSequence, toSequence, count } = event.data;
      const lost = source(epoch, mediaType, event.data);
      lost.gapCount += count;
      if (!isLineKind(mediaType)) lost.gaps.addRange({ from: fromSequence, to: toSequence });
    }
  }

  report(): LedgerReport {
    const sources: SourceReport[] = [];
    const holes: BoundaryHole[] = [];
    const problems: string[] = [];
    for (const [rtmsStreamId, byNumber] of this.#streams) {
      const epochs = [...byNumber.values()].sort((a, b) => a.epoch - b.epoch);
      for (const [index, epoch] of epochs.entries()) {
        const next = epochs[index + 1];
        // An epoch that has a successor, but no last word, lost its owner.
        const end = epoch.end === 'open' && next ? 'owner_lost' : epoch.end;
        for (const evidence of epoch.sources.values()) {
          sources.push(judgeSource(rtmsStreamId, end, evidence));
        }
        const kinds = [...epoch.sources.values()].filter(({ mediaType }) => isLineKind(mediaType));
        const lines = unexplainedLines(epoch.lines, kinds);
        const where = `${rtmsStreamId} epoch ${epoch.epoch}`;
        if (lines > 0) problems.push(`${where} lines: ${lines} neither written nor explained`);
        const lacking = epoch.ledgerPages - epoch.pages.size;
        if (lacking > 0) problems.push(`${where} ledger: ${lacking} of its pages not found`);
        if (next) holes.push(...boundaryHoles(rtmsStreamId, epoch, next));
      }
    }
    for (const report of sources) {
      const name = `${report.rtmsStreamId} epoch ${report.epoch} ${report.mediaType}`;
      const where = `${name} ${sourceKey(report)}`.trimEnd();
      for (const problem of report.problems) problems.push(`${where}: ${problem}`);
    }
    return { ok: problems.length === 0, sources, holes, problems };
  }

  #epoch(rtmsStreamId: string, epoch: number): EpochEvidence {
    let byNumber = this.#streams.get(rtmsStreamId);
    if (!byNumber) {
      byNumber = new Map();
      this.#streams.set(rtmsStreamId, byNumber);
    }
    let evidence = byNumber.get(epoch);
    if (!evidence) {
      const lines = new SequenceRanges(MAX_RANGES);
      evidence = {
        epoch,
        sources: new Map(),
        lines,
        pages: new Set(),
        ledgerPages: 0,
        end: 'open',
      };
      byNumber.set(epoch, evidence);
    }
    return evidence;
  }
}

/** `verifyLedger(frames(media), events(lines))`: reads both to their end and reports. */
export async function verifyLedger(
  frames: AsyncIterable<Frame> | Iterable<Frame>,
  events: AsyncIterable<ReceivedEvent> | Iterable<ReceivedEvent>,
): Promise<LedgerReport> {
  const checker = new LedgerChecker();
  const readFrames = async () => {
    for await (const frame of frames) checker.frame(frame);
  };
  const readEvents = async () => {
    for await (const event of events) checker.event(event);
  };
  await Promise.all([readFrames(), readEvents()]);
  return checker.report();
}

function source(
  { epoch, sources }: EpochEvidence,
  mediaType: LedgerRow['mediaType'],
  { userId, channelId }: FrameSource,
): SourceEvidence {
  const identity = {
    ...(userId !== undefined && { userId }),
    ...(channelId !== undefined && { channelId }),
  };
  // Rows and gaps of lines may name a speaker; the ledger counts lines without.
  const named = isLineKind(mediaType) ? {} : identity;
  const key = `${mediaType} ${sourceKey(named)}`;
  let evidence = sources.get(key);
  if (!evidence) {
    const seen = new SequenceRanges(MAX_RANGES);
    const gaps = new SequenceRanges(MAX_RANGES);
    evidence = { epoch, mediaType, ...named, found: 0, duplicates: 0, gapCount: 0, seen, gaps };
    sources.set(key, evidence);
  }
  return evidence;
}

function boundaryHoles(
  rtmsStreamId: string,
  before: EpochEvidence,
  after: EpochEvidence,
): BoundaryHole[] {
  const holes: BoundaryHole[] = [];
  for (const [key, { mediaType, userId, channelId, lastMs }] of before.sources) {
    const firstMs = after.sources.get(key)?.firstMs;
    if (lastMs === undefined || firstMs === undefined || firstMs <= lastMs) continue;
    holes.push({
      rtmsStreamId,
      mediaType,
      ...(userId !== undefined && { userId }),
      ...(channelId !== undefined && { channelId }),
      fromEpoch: before.epoch,
      toEpoch: after.epoch,
      ...(after.takenOver && { cause: after.takenOver }),
      fromMs: lastMs,
      toMs: firstMs,
    });
  }
  return holes;
}
