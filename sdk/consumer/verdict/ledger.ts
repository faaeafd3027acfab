import type { ReceivedEvent } from '../records/event-record.ts';
import { type Frame, sourceKey } from '../records/frame.ts';
import { beganFrom, diedLines, diedWithOwner } from './died-losses.ts';
import { EpochEvidence } from './epoch-evidence.ts';
import type { ExpiredTime } from './expired.ts';
import { expiredEnd, expiredLinesOf, expiredOf } from './expired-losses.ts';
import { isLineKind, judgeSource, type SourceReport, unexplainedLines } from './ledger-report.ts';
import type { Loss } from './loss.ts';
import { type Run, runsOf } from './run.ts';
import { unaccounted } from './unaccounted.ts';
import { type BoundaryHole, boundaryOf, lossesOf, neverWritten } from './unaccounted-losses.ts';
import { judge, type Verdict } from './verdict.ts';

/** What the two streams prove of the sessions in them. */
export interface LedgerReport {
  /** One word for people and exit codes, see `Verdict`. */
  readonly verdict: Verdict;
  /** What is lost or may be, sorted by the time it happened. */
  readonly losses: readonly Loss[];
  /** Whether some session still runs, as far as the streams say. More may come then. */
  readonly isOpen: boolean;
  /** Sessions whose consent Zoom took back: whoever has stored their media must delete it. */
  readonly revoked: readonly string[];
  /** Every frame and line received was written or is explained, as far as the epochs' ledgers reach. */
  readonly ok: boolean;
  readonly sources: readonly SourceReport[];
  readonly holes: readonly BoundaryHole[];
  /** All problems of all sources, one sentence each that names its stream, epoch and source. */
  readonly problems: readonly string[];
}

/** What is gathered while a report is made. */
interface Findings {
  readonly sources: SourceReport[];
  readonly boundaries: BoundaryHole[];
  readonly losses: Loss[];
  readonly problems: string[];
  isOpen: boolean;
}

/**
 * Proves from the two streams alone that nothing was lost without an explanation, and gathers what was lost with one.
 *
 * Feed it everything, in any order between the streams, best from readers with `repeats: 'keep'`, so that duplicates are
 * counted. Its memory grows with sources and gaps, not with frames.
 */
export class LedgerChecker {
  readonly #streams = new Map<string, Map<number, EpochEvidence>>();
  readonly #revoked = new Set<string>();
  readonly #expired: readonly ExpiredTime[];

  /** @param expired times in which records expired before they were archived; for an archive alone */
  constructor(expired: readonly ExpiredTime[] = []) {
    this.#expired = expired;
  }

  /** Takes one frame, repeats and late writers too. */
  frame(frame: Frame): void {
    this.#epoch(frame).frame(frame);
  }

  /** Takes one event, repeats and late writers too. */
  event(event: ReceivedEvent): void {
    // It tells of a request to Zoom, in an epoch without a session: nothing was received there that could be lost.
    if (event.name === 'session_restart') return;
    this.#epoch(event).event(event);
    if (event.name === 'session_revoked') this.#revoked.add(event.rtmsStreamId);
  }

  /** @returns what the frames and events handed in so far prove */
  report(): LedgerReport {
    const findings: Findings = {
      sources: [],
      boundaries: [],
      losses: [],
      problems: [],
      isOpen: false,
    };
    for (const byNumber of this.#streams.values()) {
      const epochs = [...byNumber.values()].sort((a, b) => a.epoch - b.epoch);
      for (const [index, epoch] of epochs.entries())
        judgeEpoch(epoch, epochs.slice(0, index), epochs.slice(index + 1), this.#expired, findings);
      for (const run of runsOf(epochs)) judgeRun(run, findings);
    }
    const { sources, boundaries: holes, losses, problems, isOpen } = findings;
    losses.push(...this.#betweenStreams());
    for (const report of sources) {
      const name = `${report.rtmsStreamId} epoch ${report.epoch} ${report.mediaType}`;
      const where = `${name} ${sourceKey(report)}`.trimEnd();
      for (const problem of report.problems) problems.push(`${where}: ${problem}`);
    }
    losses.sort((a, b) => a.fromMs - b.fromMs);
    const revoked = [...this.#revoked];
    const ok = problems.length === 0;
    const verdict = judge(problems, losses);
    return { verdict, losses, isOpen, revoked, ok, sources, holes, problems };
  }

  /** What is missing of a meeting between two of its streams, where both were handed in. */
  #betweenStreams(): Loss[] {
    const epochs = [...this.#streams.values()].flatMap((byNumber) => [...byNumber.values()]);
    return epochs.flatMap((epoch) => {
      const before = this.#streams.get(epoch.life.continues ?? '');
      const last = before && [...before.values()].sort((a, b) => b.epoch - a.epoch)[0];
      // A later epoch of the same stream names the stream before it too; its own boundary is another one.
      const isFirst = ![...epochs].some(
        (other) =>
          other.rtmsStreamId === epoch.rtmsStreamId &&
          other.epoch < epoch.epoch &&
          other.life.streamingAtMs !== undefined,
      );
      if (last === undefined || !isFirst) return [];
      return epoch.life.betweenStreams(
        epoch,
        last.life,
        (mediaType) => last.lastSeenMs(mediaType),
        (mediaType) => epoch.edges.has(mediaType) || last.edges.has(mediaType),
      );
    });
  }

  #epoch({ rtmsStreamId, epoch }: Frame | ReceivedEvent): EpochEvidence {
    let byNumber = this.#streams.get(rtmsStreamId);
    if (!byNumber) {
      byNumber = new Map();
      this.#streams.set(rtmsStreamId, byNumber);
    }
    let evidence = byNumber.get(epoch);
    if (!evidence) {
      evidence = new EpochEvidence(rtmsStreamId, epoch, this.#expired);
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

function judgeEpoch(
  epoch: EpochEvidence,
  earlier: readonly EpochEvidence[],
  later: readonly EpochEvidence[],
  times: readonly ExpiredTime[],
  findings: Findings,
): void {
  const { sources, losses, problems } = findings;
  const { rtmsStreamId, epoch: number } = epoch;
  const [next] = later;
  const beganMs = beganFrom(earlier, epoch, later);
  // An epoch that has a successor, but no ledger, lost its owner.
  const end = epoch.end === 'open' && next ? 'owner_lost' : epoch.end;
  // A stream that was handed over and that nobody has taken yet is open too.
  if (!next && end !== 'ended') findings.isOpen = true;
  const died = epoch.recoveredLines.explain(epoch.lines.missing());
  const { unexplained, ...expiredLines } = epoch.expiredLines.explain(died.unexplained);
  for (const evidence of epoch.sources.values()) {
    const report = judgeSource(rtmsStreamId, end, evidence, expiredLines);
    sources.push(report);
    losses.push(...diedWithOwner(report, evidence, beganMs), ...expiredOf(report));
  }
  losses.push(
    ...diedLines(epoch, died.diedCount, beganMs('events')),
    ...expiredLinesOf(epoch, expiredLines),
  );
  if (!next && end === 'open') losses.push(...expiredEnd(epoch, times));
  const kinds = [...epoch.sources.values()].filter(({ mediaType }) => isLineKind(mediaType));
  const lines = unexplainedLines(unexplained, kinds);
  const where = `${rtmsStreamId} epoch ${number}`;
  if (lines > 0) problems.push(`${where} lines: ${lines} neither written nor explained`);
  const { missingPages } = epoch;
  if (missingPages > 0 && expiredLines.count === 0)
    problems.push(`${where} ledger: ${missingPages} of its pages not found`);
  losses.push(...epoch.missed, ...epoch.gaps);
  const at = { rtmsStreamId, epoch: number };
  const before = earlier.at(-1);
  // An owner that died early has received nothing. What was there before its time tells what was missed in it. Lines it may have
  // written all the same: those of signaling, which prove nothing of the media connections.
  const received = earlier.findLast(({ edges }) => edges.size > 0);
  const receiver = earlier.findLast(({ hasReceived }) => hasReceived);
  const wasSent = (type: string) => epoch.edges.has(type) || received?.edges.has(type) === true;
  const lastSeenMs = (type: string) => receiver?.lastSeenMs(type) ?? received?.lastSeenMs(type);
  losses.push(...epoch.life.losses(at, before?.life, lastSeenMs, wasSent));
}

/** What is missing of a run and no event of any of its epochs names. */
function judgeRun(run: Run, { losses, boundaries }: Findings): void {
  const { epochs } = run;
  const [first] = epochs;
  const numbers = new Set(epochs.map(({ epoch }) => epoch));
  const told = losses.filter(
    ({ rtmsStreamId, epoch }) => rtmsStreamId === first?.rtmsStreamId && numbers.has(epoch),
  );
  for (const time of unaccounted(run)) {
    const boundary = boundaryOf(time);
    if (boundary !== undefined) boundaries.push(boundary);
    losses.push(...lossesOf(time, told));
  }
  losses.push(...neverWritten(epochs));
}

/** @returns the report with what else is wrong: then the verdict is that the objects contradict each other */
export function withProblems(report: LedgerReport, more: readonly string[]): LedgerReport {
  if (more.length === 0) return report;
  const problems = [...report.problems, ...more];
  return { ...report, problems, ok: false, verdict: 'contradictory' };
}
