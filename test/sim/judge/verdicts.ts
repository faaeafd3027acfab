import { EventDecoder } from '../../../sdk/consumer/records/event-record.ts';
import { FrameDecoder } from '../../../sdk/consumer/records/records.ts';
import { LedgerChecker, type LedgerReport } from '../../../sdk/consumer/verdict/ledger.ts';
import type { Loss } from '../../../sdk/consumer/verdict/loss.ts';
import type { HistoryEvent, Problem } from '../history.ts';
import type { Sent } from './explanations.ts';
import { missingOf } from './missing.ts';
import { CLOCKS_MS } from './receptions.ts';
import { judgeToldTimes } from './told-times.ts';

/**
 * Does `rtms verify` say the truth? The consumer's own decoders and ledger read what Kinesis holds of a stream.
 *
 * 1. A verdict is never `contradictory`: that would be a defect, whatever the faults were.
 * 2. It is `complete` only where no frame and no line is missing that a runner had received, or could not receive.
 * 3. Each of those that are missing is in a time that it names as missing of their media type, whatever the reason: of a killed owner too,
 *    which took them with it. What was dropped because Zoom took it back is no loss, and the stream is named as revoked.
 * 4. It is `complete` where nothing can go wrong in the whole run.
 * 5. What it names as missing holds every time in which nobody was connected, and all audio that Zoom threw away meanwhile.
 *
 * @param isCalm no fault is among those of the run
 */
export function judgeVerdicts(history: readonly HistoryEvent[], isCalm = false): Problem[] {
  const last = history.at(-1)?.step ?? 0;
  const { reports, texts } = readersOf(history);
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
    if (isCalm && report.verdict === 'incomplete')
      return [tell(`, and nothing has gone wrong: ${report.losses[0]?.cause}`)];
    const missing = missingOf(history, rtmsStreamId, texts.get(rtmsStreamId) ?? new Set());
    const unnamed = missing.find(({ sent, why }) =>
      why === 'revoked'
        ? !report.revoked.includes(rtmsStreamId)
        : !report.losses.some((loss) => names(loss, sent)),
    );
    if (unnamed === undefined) return [];
    const { sent, why } = unnamed;
    const what = `${sent.mediaType} of ${sent.source} at ${sent.capturedAtMs} is missing`;
    const isSilent = report.verdict === 'incomplete';
    const words = `, and ${what} (${why})${isSilent ? ', which it does not name' : ''}`;
    return [{ ...tell(words), step: sent.step }];
  });
  return [...wrong, ...untold];
}

/** Does a loss cover what Zoom sent? Clocks of runners name its times, and Zoom's that of what was sent. */
function names(loss: Loss, { mediaType, source, capturedAtMs }: Sent): boolean {
  const { fromMs, toMs } = loss;
  // Where a line was lost, or all of a stream, nobody knows of which media type that was.
  if (loss.mediaType !== mediaType && loss.mediaType !== 'events') return false;
  const of = loss.channelId ?? loss.userId;
  if (of !== undefined && String(of) !== source) return false;
  return fromMs - CLOCKS_MS <= capturedAtMs && capturedAtMs <= toMs + CLOCKS_MS;
}

/** Frames and lines of a gap were received. Where no media was ever written, `events` stands for all that there might have been. */
function isMissing({ kind, mediaType }: Loss, wanted: string): boolean {
  return kind !== 'gap' && (mediaType === wanted || mediaType === 'events');
}

/** What the consumer makes of each stream, from the bytes of its records, and the transcript that it reads there. */
function readersOf(history: readonly HistoryEvent[]) {
  const streams = new Map<string, LedgerChecker>();
  const texts = new Map<string, Set<string>>();
  const [frames, events] = [new FrameDecoder(), new EventDecoder()];
  for (const record of history) {
    if (record.kind !== 'record' || record.data === undefined) continue;
    const rtmsStreamId = record.units[0]?.rtmsStreamId ?? '';
    const checker = streams.get(rtmsStreamId) ?? new LedgerChecker();
    streams.set(rtmsStreamId, checker);
    const { data, partitionKey, sequenceNumber } = record;
    const whole = { data, partitionKey, sequenceNumber };
    if (record.stream === 'media') for (const frame of frames.decode(whole)) checker.frame(frame);
    else {
      for (const event of events.decode(whole)) {
        checker.event(event);
        if (event.name !== 'transcript') continue;
        const ofStream = texts.get(rtmsStreamId) ?? new Set();
        texts.set(rtmsStreamId, ofStream.add(event.data.text));
      }
    }
  }
  const reports = new Map<string, LedgerReport>(
    [...streams].map(([rtmsStreamId, checker]) => [rtmsStreamId, checker.report()]),
  );
  return { reports, texts };
}
