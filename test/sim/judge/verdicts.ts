import { EventDecoder } from '../../../sdk/consumer/records/event-record.ts';
import { FrameDecoder } from '../../../sdk/consumer/records/records.ts';
import { LedgerChecker, type LedgerReport } from '../../../sdk/consumer/verdict/ledger.ts';
import type { Loss } from '../../../sdk/consumer/verdict/loss.ts';
import type { FrameEvent, HistoryEvent, Problem } from '../history.ts';
import { Explanations } from './explanations.ts';
import { writtenFrames } from './frames.ts';
import { judgeToldTimes } from './told-times.ts';

/** Ways in which a frame gets lost between Zoom and its reader that leave no trace in the records. */
const UNSEEN: ReadonlySet<string> = new Set(['lost_on_its_way', 'in_flight', 'stopped']);

/**
 * Does `rtms verify` say the truth? The consumer's own decoders and ledger read what Kinesis holds of a stream.
 *
 * 1. A verdict is never `contradictory`: that would be a defect, whatever the faults were.
 * 2. It is `complete` only where no frame is missing that a runner had received, or could not receive.
 * 3. It is `complete` where nothing can go wrong in the whole run.
 * 4. What it names as missing holds every time in which nobody was connected, and all audio that Zoom threw away meanwhile.
 *
 * @param isCalm no fault is among those of the run
 */
export function judgeVerdicts(history: readonly HistoryEvent[], isCalm = false): Problem[] {
  const last = history.at(-1)?.step ?? 0;
  const reports = reportsOf(history);
  const untold = judgeToldTimes(history, (rtmsStreamId, mediaType) =>
    (reports.get(rtmsStreamId)?.losses ?? []).filter((loss) => isMissing(loss, mediaType)),
  );
  const wrong = [...reports].flatMap(([rtmsStreamId, report]) => {
    const tell = (words: string): Problem => ({
      judge: 'verdict',
      step: last,
      words: `rtms verify of ${rtmsStreamId} says ${report.verdict}${words}`,
    });
    if (report.verdict === 'contradictory') return [tell(`: ${report.problems[0]}`)];
    if (report.verdict === 'incomplete') {
      return isCalm ? [tell(`, and nothing has gone wrong: ${report.losses[0]?.cause}`)] : [];
    }
    const missing = firstMissing(history, rtmsStreamId);
    if (missing === undefined) return [];
    const { frame, why } = missing;
    const words = `, and ${frame.mediaType} of ${frame.source} at ${frame.capturedAtMs} is missing (${why})`;
    return [{ ...tell(words), step: frame.step }];
  });
  return [...wrong, ...untold];
}

/** Frames and lines of a gap were received. Where no media was ever written, `events` stands for all that there might have been. */
function isMissing({ kind, mediaType }: Loss, wanted: string): boolean {
  return kind !== 'gap' && (mediaType === wanted || mediaType === 'events');
}

/** What the consumer makes of each stream, from the bytes of its records. */
function reportsOf(history: readonly HistoryEvent[]): ReadonlyMap<string, LedgerReport> {
  const streams = new Map<string, LedgerChecker>();
  const [frames, events] = [new FrameDecoder(), new EventDecoder()];
  for (const record of history) {
    if (record.kind !== 'record' || record.data === undefined) continue;
    const rtmsStreamId = record.units[0]?.rtmsStreamId ?? '';
    const checker = streams.get(rtmsStreamId) ?? new LedgerChecker();
    streams.set(rtmsStreamId, checker);
    const { data, partitionKey, sequenceNumber } = record;
    const whole = { data, partitionKey, sequenceNumber };
    if (record.stream === 'media') for (const frame of frames.decode(whole)) checker.frame(frame);
    else for (const event of events.decode(whole)) checker.event(event);
  }
  return new Map([...streams].map(([rtmsStreamId, checker]) => [rtmsStreamId, checker.report()]));
}

function firstMissing(
  history: readonly HistoryEvent[],
  rtmsStreamId: string,
): { readonly frame: FrameEvent; readonly why: string } | undefined {
  const written = writtenFrames(history);
  let explanations: Explanations | undefined;
  for (const frame of history) {
    if (frame.kind !== 'frame' || frame.rtmsStreamId !== rtmsStreamId) continue;
    const { mediaType, source, capturedAtMs } = frame;
    if (frame.notSent !== undefined) continue;
    if (written.of(rtmsStreamId, mediaType, source).has(capturedAtMs)) continue;
    explanations ??= new Explanations(history);
    const why = explanations.of(frame);
    // What nothing explains is told by the judge of frames.
    if (why !== undefined && !UNSEEN.has(why)) return { frame, why };
  }
  return undefined;
}
