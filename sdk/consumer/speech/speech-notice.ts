import type { FrameSource } from '../records/frame.ts';

/**
 * Why a lane lacks sound, or what changed in it:
 *
 * - `dropped`: its consumer was slower than the speaker, and its oldest sound became silence
 * - `late`: sound came when its place had been handed out as silence
 * - `undecodable`: a frame was damaged, or has a format that cannot be decoded
 * - `empty`: a frame had no sample
 * - `format`: the codec, its rate or its channels changed; nothing is lost
 * - `moved`: a capture time contradicts the ones around it, and the frame stands where the clock says
 * - `revoked`: the consent for the session was taken back, and what the lane held is dropped
 * - `too_many`: there are `maxSpeakers` lanes, and this speaker gets none
 */
export type SpeechNoticeKind =
  | 'dropped'
  | 'late'
  | 'undecodable'
  | 'empty'
  | 'format'
  | 'moved'
  | 'revoked'
  | 'too_many';

/** It names nobody and holds nothing of what was said, so it can be logged. */
export interface SpeechNotice extends FrameSource {
  readonly kind: SpeechNoticeKind;
  readonly rtmsStreamId: string;
  /** Unix ms: the first moment that it is about. */
  readonly atMs: number;
  /** How much sound is missing, ms; 0 where none is, or where nobody knows. */
  readonly lostMs: number;
  /** In words, where there is more to say. */
  readonly why?: string;
}
