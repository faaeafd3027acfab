import type { HistoryEvent, Problem } from '../history.ts';
import { isDue, problemOf, uncovered } from './blind-times.ts';
import { CLOCKS_MS, type Moment, receptionsOf, type Span } from './receptions.ts';

/** Zoom may close its sockets so long before it says that the stream has ended; and a webhook about the end takes its time. */
const CLOSED_BEFORE_END_MS = 5_000;

/**
 * The same of what readers make of the records: every time in which nobody was connected is among what is missing of the
 * transcript, and all audio that Zoom threw away among what is missing of the audio. An interruption that a record tells is not
 * enough: a reader has to draw the conclusion.
 *
 * @param missing times of a media type that `rtms verify` names
 */
export function judgeToldTimes(
  history: readonly HistoryEvent[],
  missing: (rtmsStreamId: string, mediaType: 'audio' | 'transcript') => readonly Span[],
): Problem[] {
  const world = receptionsOf(history);
  return [...world.streams].flatMap(([rtmsStreamId, stream]) => {
    const isOwners = ({ atMs }: Moment) =>
      atMs < Math.min(stream.stoppedAtMs - CLOSED_BEFORE_END_MS, stream.leftAtMs) - CLOCKS_MS &&
      isDue(atMs, stream, world);
    return (['transcript', 'audio'] as const).flatMap((mediaType) => {
      const moments = mediaType === 'audio' ? stream.audioDropped : stream.ran;
      const unnamed = uncovered(moments, missing(rtmsStreamId, mediaType), stream).filter(isOwners);
      return problemOf(unnamed, 'verdict', rtmsStreamId, `loss of ${mediaType} in rtms verify`);
    });
  });
}
