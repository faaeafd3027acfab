import type { EventData } from '../../../shared/record/event-data.ts';
import type { EpochEvidence } from './epoch-evidence.ts';

/** Zoom keeps this much audio for a stream that nobody is connected to, until the stream ends. */
export const AUDIO_KEPT_MS = 60_000;

/** An owner to which Kinesis answers has written everything this long before its heartbeat, or earlier; a backlog is older. */
const BACKLOG_MS = 5_000;

/**
 * What an owner receives by its clock was captured up to this long before by Zoom's: clocks differ, and a line of the transcript comes some
 * seconds after its words.
 */
export const LATE_MS = 5_000;

/**
 * Until when everything of a media type is known to be written that a lost owner had received, by what its last heartbeat said
 * (`ownerWroteUntilMs`); of older runners it says nothing. It says when the owner received something, and what it received may have been
 * captured before: of audio as long before as Zoom keeps it.
 *
 * @param since the epochs after its own, in order. The first that tells of a change of owner tells what is known of this one, or of one before it
 * @returns Unix ms
 */
export function provenUntilMs(
  since: readonly EpochEvidence[],
  mediaType: string,
): number | undefined {
  const wroteUntilMs = changeAfter(since)?.ownerWroteUntilMs;
  if (wroteUntilMs === undefined) return undefined;
  if (mediaType === 'audio') return wroteUntilMs - AUDIO_KEPT_MS;
  const isLine = mediaType === 'transcript' || mediaType === 'chat';
  return isLine ? wroteUntilMs - LATE_MS : wroteUntilMs;
}

/** When an owner that was lost was seen last, Unix ms. @param since as above */
export function seenAtMs(since: readonly EpochEvidence[]): number | undefined {
  return seenByNext(changeAfter(since));
}

/** When the owner before was seen last or left, as a change of owner tells it, Unix ms. Older runners say it in the blind time alone. */
export function seenByNext(
  change: EventData['session_taken_over'] | undefined,
): number | undefined {
  const { ownerSeenAtMs, blind = [] } = change ?? {};
  return ownerSeenAtMs ?? blind.find(({ mediaType }) => mediaType !== 'audio')?.fromMs;
}

/**
 * May a lost owner have held back for long what it received? Where its heartbeat does not say, silence counts as a backlog.
 *
 * @param owner undefined for one without any record
 */
export function hadBacklog(
  owner: EpochEvidence | undefined,
  since: readonly EpochEvidence[],
): boolean {
  const seenMs = changeAfter(since)?.ownerSeenAtMs;
  const wroteMs = changeAfter(since)?.ownerWroteUntilMs ?? owner?.lastWrittenMs;
  return seenMs !== undefined && wroteMs !== undefined && seenMs - wroteMs > BACKLOG_MS;
}

function changeAfter(since: readonly EpochEvidence[]) {
  return since.find(({ life }) => life.takenOver !== undefined)?.life.takenOver?.data;
}
