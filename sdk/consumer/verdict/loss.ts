import type { LedgerMediaType } from '../../../shared/record/event-data.ts';
import { type FrameSource, sourceKey } from '../records/frame.ts';

/**
 * What of a meeting is lost, or may be:
 *
 * - `gap`: frames or lines that were received and lost, counted by the runner that lost them; or that expired in Kinesis before they
 *   were archived, counted by an archive
 * - `blind`: a time in which nobody was connected. Zoom keeps nothing of this media type for a later connection
 * - `hole`: the end of a stream that expired in Kinesis; or capture time around a lost owner, of which it may have received something and not yet written it: audio up to that of the
 *   next owner, everything else up to its last heartbeat, or everything up to the end of the stream
 * - `missed`: the whole stream, of which nothing was recorded; `mediaType` is `events`, as nobody knows what it would have had
 */
export interface Loss extends FrameSource {
  readonly rtmsStreamId: string;
  /** The epoch whose events tell of the loss. */
  readonly epoch: number;
  readonly kind: 'gap' | 'blind' | 'hole' | 'missed';
  readonly mediaType: LedgerMediaType;
  /** The cause in the event that tells of the loss: `buffer_full`, `owner_lost`, `handed_over`, `reconnected`, …; of `missed` in words. */
  readonly cause: string;
  /** Capture time that may be affected, Unix ms. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Lost frames or lines. Only gaps have a count. */
  readonly count?: number;
}

const NOUN: Readonly<Record<string, string>> = {
  audio: 'audio',
  video: 'video',
  deskshare: 'share',
  transcript: 'transcript',
  chat: 'chat',
  events: 'events',
};

const CAUSE: Readonly<Record<string, string>> = {
  owner_lost: 'its runner was lost',
  handed_over: 'it changed its runner',
  restarted: 'Zoom had ended it and it was started again',
  reconnected: 'the connection to Zoom was lost',
  not_reconnected: 'the connection to Zoom was lost and did not come back',
  buffer_full: 'buffers were full',
  spool_full: 'the spool was full',
  write_failed: 'Kinesis did not take it',
  malformed: 'it could not be read',
  not_received: 'Zoom did not send it',
  expired: 'Kinesis had dropped it before it was archived',
};

/** @returns one sentence: what is missing or may be, from when to when, and why. Times of day are UTC */
export function describeLoss(loss: Loss): string {
  const { mediaType, kind, count, cause, fromMs, toMs } = loss;
  const noun = NOUN[mediaType] ?? mediaType;
  const isLines = mediaType === 'transcript' || mediaType === 'chat' || mediaType === 'events';
  const source = sourceKey(loss);
  const whose = source === '' ? '' : ` of ${source}`;
  const why = CAUSE[cause] ?? cause;
  if (kind === 'missed') return `the stream was never recorded: ${cause}`;
  const when = `between ${timeOfDay(fromMs)} and ${timeOfDay(toMs)}`;
  if (kind === 'gap') {
    if (count === 0) return `${noun}${whose} lacks frames ${when}: ${why}`;
    const unit = isLines ? 'lines' : 'frames';
    return `${noun}${whose} lacks ${count} ${unit} ${when}: ${why}`;
  }
  const seconds = `${((toMs - fromMs) / 1000).toFixed(1)} s`;
  return isLines
    ? `${noun}${whose} may lack lines ${when} (${seconds}): ${why}`
    : `${noun}${whose} may lack what was captured ${when} (${seconds}): ${why}`;
}

function timeOfDay(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23);
}
