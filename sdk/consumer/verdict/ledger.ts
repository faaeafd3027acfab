import type { LedgerRow, TakeoverCause } from '../../../shared/record/event-data.ts';
import type { ReceivedEvent, RtmsEventOf } from '../records/event-record.ts';
import { type Frame, type FrameSource, sourceKey } from '../records/frame.ts';
import { frameMs } from '../records/frame-length.ts';
import { EpochLife } from './blind-time.ts';
import { CAPTURE_JITTER_MS, CaptureEdges } from './capture-edges.ts';
import { Recovered } from './died-with-owner.ts';
import {
  type EpochEnd,
  isLineKind,
  judgeSource,
  type SourceEvidence,
  type SourceReport,
  unexplainedLines,
} from './ledger-report.ts';
import type { Loss } from './loss.ts';
import { SequenceRanges } from './sequence-ranges.ts';
import { judge, type Verdict } from './verdict.ts';

/** Far more holes than a source ever has; past it the counts no longer add up, which is reported. */
const MAX_RANGES = 100_000;

/** Gap events told one by one, for each source of an epoch; those beyond are added to the last one. */
const MAX_GAPS = 1_000;

/** The capture time without any audio around a lost owner. */
export interface BoundaryHole extends FrameSource {
  readonly rtmsStreamId: string;
  readonly mediaType: LedgerRow['mediaType'];
  readonly fromEpoch: number;
  readonly toEpoch: number;
  /** Why the later epoch began; absent when it did not say. */
  readonly cause?: TakeoverCause;
  /** End of the last frame before, and capture of the first frame after, Unix ms. */
  readonly fromMs: number;
  readonly toMs: number;
}

export interface LedgerReport {
  /** See `Verdict`: one word for people and exit codes. */
  readonly verdict: Verdict;
  /** What is lost and named, by the time it happened: gaps, blind times and holes. */
  readonly losses: readonly Loss[];
  /** Does some session still run, as far as the streams say? Then more may come. */
  readonly isOpen: boolean;
  /** Sessions whose consent Zoom took back: whoever has stored their media must delete it. */
  readonly revoked: readonly string[];
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
  readonly recoveredLines: Recovered;
  /** Pages of the ledger found, and as many as its last event says there are. */
  readonly pages: Set<number>;
  ledgerPages: number;
  readonly life: EpochLife;
  readonly gaps: Map<string, Loss[]>;
  /** First and last capture of all audio, which shares one partition key, and of each other media type. */
  readonly edges: Map<string, CaptureEdges>;
  /** When the last line happened, of whatever kind: all of them share one partition key. */
  lastLineMs?: number;
  end: EpochEnd;
}

/**
 * Proves from the two streams alone that nothing was lost without a word, and gathers what was lost with one. Feed it
 * everything, in any order between the streams, best from readers with `repeats: 'keep'`, so that duplicates are
 * counted. Memory grows with sources and gaps, not with frames.
 */
export class LedgerChecker {
  readonly #streams = new Map<string, Map<number, EpochEvidence>>();
  readonly #revoked = new Set<string>();

  frame(frame: Frame): void {
    const epoch = this.#epoch(frame.rtmsStreamId, frame.epoch);
    const evidence = source(epoch, frame.mediaType, frame);
    if (!evidence.seen.add(frame.sequence)) {
      evidence.duplicates += 1;
      return;
    }
    evidence.found += 1;
    let edges = epoch.edges.get(frame.mediaType);
    if (!edges) {
      edges = new CaptureEdges();
      epoch.edges.set(frame.mediaType, edges);
    }
    const capturedAtMs = frame.capturedAt.getTime();
    if (frame.recovered) evidence.recovered.add(frame.sequence, capturedAtMs);
    edges.add(capturedAtMs, capturedAtMs + frameMs(frame));
  }

  event(event: ReceivedEvent): void {
    const epoch = this.#epoch(event.rtmsStreamId, event.epoch);
    const { name } = event;
    const kind = source(epoch, name === 'transcript' || name === 'chat' ? name : 'events', {});
    if (!epoch.lines.add(event.sequence)) {
      kind.duplicates += 1;
      return;
    }
    if (event.recovered) epoch.recoveredLines.add(event.sequence, event.time.getTime());
    epoch.life.event(event);
    if (name === 'session_revoked') this.#revoked.add(event.rtmsStreamId);
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
    }
    const atMs = event.time.getTime();
    // Told by the runner's clock, gaps come late; only what Zoom said proves that it was connected.
    if (name !== 'gap') epoch.lastLineMs = Math.max(epoch.lastLineMs ?? atMs, atMs);
    if (name === 'gap') this.#gap(epoch, event);
  }

  report(): LedgerReport {
    const sources: SourceReport[] = [];
    const holes: BoundaryHole[] = [];
    const losses: Loss[] = [];
    const problems: string[] = [];
    let isOpen = false;
    for (const [rtmsStreamId, byNumber] of this.#streams) {
      const epochs = [...byNumber.values()].sort((a, b) => a.epoch - b.epoch);
      for (const [index, epoch] of epochs.entries()) {
        const next = epochs[index + 1];
        const before = epochs[index - 1];
        // An epoch that has a successor, but no last word, lost its owner.
        const end = epoch.end === 'open' && next ? 'owner_lost' : epoch.end;
        // Given away and not taken yet, too.
        if (!next && end !== 'ended') isOpen = true;
        for (const evidence of epoch.sources.values()) {
          const source = judgeSource(rtmsStreamId, end, evidence);
          sources.push(source);
          losses.push(...diedWithOwner(source, evidence));
        }
        const kinds = [...epoch.sources.values()].filter(({ mediaType }) => isLineKind(mediaType));
        const lines = unexplainedLines(epoch.lines, kinds, epoch.recoveredLines);
        const where = `${rtmsStreamId} epoch ${epoch.epoch}`;
        if (lines > 0) problems.push(`${where} lines: ${lines} neither written nor explained`);
        const lacking = epoch.ledgerPages - epoch.pages.size;
        if (lacking > 0) problems.push(`${where} ledger: ${lacking} of its pages not found`);
        for (const gaps of epoch.gaps.values()) losses.push(...gaps);
        const at = { rtmsStreamId, epoch: epoch.epoch };
        const wasSent = (type: string) => epoch.edges.has(type) || before?.edges.has(type) === true;
        const lastSeen = (type: string) => lastSeenMs(before, type);
        losses.push(...epoch.life.losses(at, before?.life, lastSeen, wasSent));
        const hole = before && audioHole(rtmsStreamId, before, epoch);
        if (hole) {
          holes.push(hole);
          const { mediaType, cause = 'owner_lost', fromMs, toMs } = hole;
          losses.push({ ...at, kind: 'hole', mediaType, cause, fromMs, toMs });
        }
      }
    }
    for (const report of sources) {
      const name = `${report.rtmsStreamId} epoch ${report.epoch} ${report.mediaType}`;
      const where = `${name} ${sourceKey(report)}`.trimEnd();
      for (const problem of report.problems) problems.push(`${where}: ${problem}`);
    }
    losses.sort((a, b) => a.fromMs - b.fromMs);
    const revoked = [...this.#revoked];
    const ok = problems.length === 0;
    return {
      verdict: judge(problems, losses),
      losses,
      isOpen,
      revoked,
      ok,
      sources,
      holes,
      problems,
    };
  }

  #gap(epoch: EpochEvidence, { rtmsStreamId, data }: RtmsEventOf<'gap'>): void {
    const { mediaType, fromSequence, toSequence, count, cause, fromMs, toMs } = data;
    const lost = source(epoch, mediaType, data);
    lost.gapCount += count;
    // What never came was never numbered.
    if (!isLineKind(mediaType) && count > 0) {
      lost.gaps.addRange({ from: fromSequence, to: toSequence });
    }
    // Dropped because Zoom took the consent back: that was the order, no loss.
    if (cause === 'revoked') return;
    const key = `${mediaType} ${sourceKey(data)} ${cause}`;
    const gaps = epoch.gaps.get(key) ?? [];
    epoch.gaps.set(key, gaps);
    const last = gaps.at(-1);
    if (last && gaps.length >= MAX_GAPS) {
      const both = { toMs: Math.max(last.toMs, toMs), count: (last.count ?? 0) + count };
      gaps[gaps.length - 1] = { ...last, ...both };
      return;
    }
    const { userId, channelId } = data;
    gaps.push({
      rtmsStreamId,
      epoch: epoch.epoch,
      kind: 'gap',
      mediaType,
      ...(userId !== undefined && { userId }),
      ...(channelId !== undefined && { channelId }),
      cause,
      fromMs,
      toMs,
      count,
    });
  }

  #epoch(rtmsStreamId: string, epoch: number): EpochEvidence {
    let byNumber = this.#streams.get(rtmsStreamId);
    if (!byNumber) {
      byNumber = new Map();
      this.#streams.set(rtmsStreamId, byNumber);
    }
    let evidence = byNumber.get(epoch);
    if (!evidence) {
      evidence = {
        epoch,
        sources: new Map(),
        lines: new SequenceRanges(MAX_RANGES),
        recoveredLines: new Recovered(),
        life: new EpochLife(),
        gaps: new Map(),
        edges: new Map(),
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
    evidence = {
      epoch,
      mediaType,
      ...named,
      found: 0,
      duplicates: 0,
      gapCount: 0,
      seen,
      gaps,
      recovered: new Recovered(),
    };
    sources.set(key, evidence);
  }
  return evidence;
}

/** When the last frame or line of a media type was captured: so long at least its owner wrote. */
function lastSeenMs(epoch: EpochEvidence | undefined, mediaType: string): number | undefined {
  const isLine = isLineKind(mediaType as LedgerRow['mediaType']);
  return isLine ? epoch?.lastLineMs : epoch?.edges.get(mediaType)?.endMs;
}

/**
 * Zoom gives back the audio that nobody received, but not what a lost owner had received and not written. All audio of a
 * stream has one partition key and so one order: what stands before its last frame is there, whoever spoke. A speaker
 * who is silent is therefore no hole; that everybody is silent looks like one, and is one for a few seconds at most.
 */
function audioHole(
  rtmsStreamId: string,
  before: EpochEvidence,
  after: EpochEvidence,
): BoundaryHole | undefined {
  const { takenOver, streamingAtMs } = after.life;
  const cause = takenOver?.data.cause;
  const lastMs = before.edges.get('audio')?.endMs;
  const firstMs = after.edges.get('audio')?.startMs;
  // With a last word the owner has accounted for everything, however it went.
  if (before.end !== 'open' || lastMs === undefined || firstMs === undefined) return undefined;
  // An owner that was seen alive may have held what Kinesis did not take. Only where something else of it was written
  // later than its last audio was there nothing to be heard.
  const written = [...before.edges.values()].map(({ endMs }) => endMs ?? lastMs);
  const writtenMs = Math.max(lastMs, before.lastLineMs ?? lastMs, ...written);
  const seenMs = takenOver?.data.ownerSeenAtMs ?? lastMs;
  const fromMs = Math.max(lastMs, Math.min(seenMs, writtenMs));
  // Who is let in by Zoom gets everything from then on, and all that Zoom has kept.
  const toMs = Math.min(firstMs, streamingAtMs ?? firstMs);
  if (toMs - fromMs <= CAPTURE_JITTER_MS) return undefined;
  return {
    rtmsStreamId,
    mediaType: 'audio',
    fromEpoch: before.epoch,
    toEpoch: after.epoch,
    ...(cause && { cause }),
    fromMs,
    toMs,
  };
}

/** What a source lost in the memory of a runner whose disk outlived it. */
function diedWithOwner(report: SourceReport, { recovered }: SourceEvidence): Loss[] {
  const { rtmsStreamId, epoch, mediaType, userId, channelId, diedCount } = report;
  if (diedCount === 0) return [];
  const { fromMs, toMs } = recovered;
  return [
    {
      rtmsStreamId,
      epoch,
      kind: 'gap',
      mediaType,
      ...(userId !== undefined && { userId }),
      ...(channelId !== undefined && { channelId }),
      cause: 'owner_lost',
      fromMs,
      toMs,
      count: diedCount,
    },
  ];
}
