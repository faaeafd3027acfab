import { KEPT_AUDIO_COMES_MS } from '../../../shared/record/event-data.ts';
import type { EpochEvidence } from './epoch-evidence.ts';
import { AUDIO_KEPT_MS, LATE_MS, provenUntilMs, seenByNext } from './heartbeat.ts';

/** A time of capture, Unix ms. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * The time of capture for which an owner accounts: all that Zoom sent of a media type is in the records then, or a gap or a blind time of
 * this owner names it.
 *
 * | | begins | ends |
 * |---|---|---|
 * | in order: it handed over, or the stream ended | when media flowed | when it left; of audio with its last frame, or 5 s before it left |
 * | lost | when media flowed | with what it is known to have written: its last unit, or what its heartbeat said |
 * | at work | when media flowed | never |
 *
 * The units of one partition key are written in the order in which they were received, so what came before a unit is written or told by a gap.
 * A connection that was down to the end brought nothing since.
 *
 * Zoom keeps audio that nobody receives, and sends it to the next owner some moments after media flows. So of audio an owner that came
 * in order accounts for a minute before it as well. One that had no audio at all accounts for silence, if it was connected for long enough
 * to get what Zoom had kept; otherwise nothing tells what was in its memory, or still with Zoom.
 *
 * @param since the epochs of the run after its own, in order
 * @param isHeld whether an owner that was lost before it may have received something: Zoom keeps nothing of that
 * @returns undefined where it accounts for nothing
 */
export function accountedBy(
  owner: EpochEvidence,
  since: readonly EpochEvidence[],
  mediaType: string,
  isHeld: boolean,
): Span | undefined {
  if (!owner.hasReceivedOf(mediaType)) return undefined;
  const { life, edges } = owner;
  const fromMs = flowedMs(owner);
  const leftMs = leftAtMs(owner, since);
  const writtenMs = owner.writtenUntilMs(mediaType) ?? Number.NEGATIVE_INFINITY;
  // Of audio its last frame says more than its clock, unless it was silent for longer than clocks differ.
  const endMs = mediaType === 'audio' && since.length > 0 ? leftMs - LATE_MS : leftMs;
  const knownMs = isLost(owner, since) ? provenUntilMs(since, mediaType) : endMs;
  const untilMs = Math.max(writtenMs, knownMs ?? writtenMs);
  if (mediaType !== 'audio') {
    const toMs = Math.max(fromMs, untilMs);
    return { fromMs, toMs: Math.min(toMs, life.downSinceMs(mediaType) ?? toMs) };
  }
  const firstMs = edges.get(mediaType)?.startMs;
  if (firstMs === undefined && !hadTimeForAudio(owner, since)) return undefined;
  // Until its first audio shows where the records of the lost one break off, what Zoom kept counts as there.
  const isWaiting = firstMs === undefined && isAtWork(owner, since);
  const keptMs = isHeld && !isWaiting ? fromMs : fromMs - AUDIO_KEPT_MS;
  // Where the records hold audio that was captured later, what Zoom had kept has come.
  const owedMs = Math.max(life.audioOwedSinceMs(leftMs) ?? untilMs, writtenMs);
  return { fromMs: Math.min(keptMs, firstMs ?? keptMs), toMs: Math.min(untilMs, owedMs) };
}

/** When media flowed to an owner, as far as records tell. Where the line that says so is lost, its frames do. @returns Unix ms */
function flowedMs({ life, edges }: EpochEvidence): number {
  const firsts = [...edges.values()].flatMap(({ startMs }) => startMs ?? []);
  return life.streamingAtMs ?? Math.min(...firsts);
}

/** Was an owner connected for long enough to get the audio that Zoom had kept, so that its silence proves that nobody spoke? */
function hadTimeForAudio(owner: EpochEvidence, since: readonly EpochEvidence[]): boolean {
  if (isAtWork(owner, since)) return true;
  const leftMs = leftAtMs(owner, since);
  const toMs = isLost(owner, since) ? (provenUntilMs(since, 'events') ?? 0) : leftMs;
  const untilMs = Math.min(toMs, owner.life.downSinceMs('audio') ?? toMs);
  return untilMs - flowedMs(owner) >= KEPT_AUDIO_COMES_MS;
}

function isLost({ end }: EpochEvidence, since: readonly EpochEvidence[]): boolean {
  return end === 'open' && since.length > 0;
}

function isAtWork({ end }: EpochEvidence, since: readonly EpochEvidence[]): boolean {
  return end === 'open' && since.length === 0;
}

/** When an owner left the stream: the next one knows that from the row, and says it. @returns Unix ms; infinite where nothing tells */
function leftAtMs({ life }: EpochEvidence, since: readonly EpochEvidence[]): number {
  const seenMs = seenByNext(since[0]?.life.takenOver?.data);
  return seenMs ?? life.endedAtMs ?? Number.POSITIVE_INFINITY;
}
