import type { HistoryEvent } from '../history.ts';
import { Explanations, type Sent } from './explanations.ts';
import { writtenFrames } from './frames.ts';
import { receptionsOf, type Span } from './receptions.ts';

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
 * What Zoom sends after an operator's stop is wanted by nobody. An owner that was cut off may still be connected then, while another
 * one has claimed its stream, seen what the operator asked for, and brought the row to rest.
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
  let stops: readonly Span[] | undefined;
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
    if (why === undefined || UNSEEN.has(why)) continue;
    stops ??= operatorStops(history, rtmsStreamId);
    const isUnwanted = stops.some(({ fromMs, toMs }) => fromMs <= sent.atMs && sent.atMs <= toMs);
    if (!isUnwanted) missing.push({ sent, why });
  }
  return missing;
}

function operatorStops(history: readonly HistoryEvent[], rtmsStreamId: string): readonly Span[] {
  const stops = receptionsOf(history).streams.get(rtmsStreamId)?.stoppedOnPurpose ?? [];
  return stops.filter(({ isClaim }) => !isClaim);
}

/** What was handed to a socket. What Zoom kept back is told by the judge of told times. */
function sentOf(event: HistoryEvent): Sent | undefined {
  if (event.kind === 'frame') return event.notSent === undefined ? event : undefined;
  if (event.kind !== 'line' || event.socket === undefined) return undefined;
  return { ...event, mediaType: 'transcript' };
}
