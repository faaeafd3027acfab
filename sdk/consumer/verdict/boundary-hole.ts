import type { LedgerRow } from '../../../shared/record/event-data.ts';
import type { TakeoverCause } from '../../../shared/record/session-causes.ts';
import type { FrameSource } from '../records/frame.ts';
import type { EpochEvidence } from './epoch-evidence.ts';
import { audioFromMs, hadSilence } from './last-reception.ts';
import { heldAudioSinceMs } from './unwritten.ts';

/** Capture times jitter by this much. Less between two frames is no gap. */
const CAPTURE_JITTER_MS = 30;

/** The capture time without any audio around a lost owner. */
export interface BoundaryHole extends FrameSource {
  readonly rtmsStreamId: string;
  readonly mediaType: LedgerRow['mediaType'];
  readonly fromEpoch: number;
  readonly toEpoch: number;
  /** Why the later epoch began; absent when its events do not say. */
  readonly cause?: TakeoverCause;
  /** End of the last frame before, and capture of the first frame after, Unix ms. */
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * Finds the audio that a lost owner had received and not written. Zoom sends the audio again that nobody received, but
 * not this.
 *
 * All audio of a stream has one partition key, and so one order: everything before its last frame is there, whoever spoke.
 * One silent speaker is therefore no gap. When everybody is silent or muted it looks like one: Zoom sends no audio then, and no event
 * about it. What nobody said before the owner's last heartbeat is not named, as far as that said that everything was written
 * (`provenUntilMs`). Between then and its death the owner may have received a word and not written it, so this much is named where everybody was muted
 * too: from a minute before that heartbeat, since Zoom may have sent late what it had kept, until media flowed again. Without that word of
 * the heartbeat (older runners), all the silence is named: audio that was never written leaves the same records.
 *
 * @param earlier all epochs before it that have records, in order. Of an owner that died early there may be no audio, so the
 *   last audio is looked for in the epochs before that one too, or the last owner that accounted for silence. Where none has any, a lost owner may have held all that
 *   came since Zoom announced the stream
 */
export function findBoundaryHole(
  earlier: readonly EpochEvidence[],
  after: EpochEvidence,
): BoundaryHole | undefined {
  const before =
    earlier.findLast((each) => each.edges.has('audio') || hadSilence(each)) ??
    earlier.find((each) => each.hasReceivedOf('audio'));
  if (before === undefined) return undefined;
  const { takenOver, streamingAtMs } = after.life;
  const cause = takenOver?.data.cause;
  const { life } = before;
  const silentMs = hadSilence(before) ? life.endedAtMs : audioFromMs(life);
  const lastMs = (before.edges.get('audio') ?? { endMs: silentMs }).endMs;
  const firstMs = after.edges.get('audio')?.startMs;
  if (lastMs === undefined || firstMs === undefined) return undefined;
  const held = heldAudioSinceMs(earlier.slice(earlier.indexOf(before)), after);
  if (held === undefined) return undefined;
  const fromMs = Math.max(lastMs, held);
  // From the moment at which Zoom lets the next owner in, it gets everything, and all that Zoom has kept.
  const toMs = Math.min(firstMs, streamingAtMs ?? firstMs);
  if (toMs - fromMs <= CAPTURE_JITTER_MS) return undefined;
  return {
    rtmsStreamId: before.rtmsStreamId,
    mediaType: 'audio',
    fromEpoch: before.epoch,
    toEpoch: after.epoch,
    ...(cause && { cause }),
    fromMs,
    toMs,
  };
}
