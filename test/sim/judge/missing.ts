import type { HistoryEvent } from '../history.ts';
import { Explanations, type Sent } from './explanations.ts';
import { writtenFrames } from './frames.ts';

/** Ways in which a frame gets lost between Zoom and its reader that leave no trace in the records. */
const UNSEEN: ReadonlySet<string> = new Set(['lost_on_its_way', 'in_flight', 'stopped']);

/** What Zoom sent of a stream and readers do not have, and why. */
export interface Missing {
  readonly sent: Sent;
  readonly why: string;
}

/**
 * The frames and the lines of the transcript that are in no record and that a runner had received, or could not receive. What nothing
 * explains is told by the judge of frames.
 *
 * @param texts of the lines that readers take
 */
export function missingOf(
  history: readonly HistoryEvent[],
  rtmsStreamId: string,
  texts: ReadonlySet<string>,
): Missing[] {
  const written = writtenFrames(history);
  let explanations: Explanations | undefined;
  const missing: Missing[] = [];
  for (const event of history) {
    const sent = sentOf(event);
    if (sent === undefined || sent.rtmsStreamId !== rtmsStreamId) continue;
    const isThere =
      event.kind === 'line'
        ? texts.has(event.text)
        : written.of(rtmsStreamId, sent.mediaType, sent.source).has(sent.capturedAtMs);
    if (isThere) continue;
    explanations ??= new Explanations(history);
    const why = explanations.of(sent);
    if (why !== undefined && !UNSEEN.has(why)) missing.push({ sent, why });
  }
  return missing;
}

/** What was handed to a socket. What Zoom kept back is told by the judge of told times. */
function sentOf(event: HistoryEvent): Sent | undefined {
  if (event.kind === 'frame') return event.notSent === undefined ? event : undefined;
  if (event.kind !== 'line' || event.socket === undefined) return undefined;
  return { ...event, mediaType: 'transcript' };
}
