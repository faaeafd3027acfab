import type { RtmsClient } from '../../../rtms/client.ts';
import { refusesParticipant, statusVerdict } from '../../../rtms/connection/verdict.ts';
import type { SignalingEvent } from '../../../rtms/events.ts';
import type { Logger } from '../../../shared/logger.ts';
import type { Metrics } from '../../../shared/metrics.ts';
import type { EventData } from '../../../shared/record/event-data.ts';
import { followName, type VideoFollow } from '../../../shared/video-follow.ts';
import { CameraChooser, type CameraInput } from './camera-choice.ts';

export interface VideoRecord {
  selected(data: EventData['video_selected']): void;
  /** The selected camera is on and nothing came of it since then. */
  missing(userId: number, sinceMs: number): void;
}

export interface FollowVideoOptions {
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Unix ms. @default Date.now */
  readonly now?: () => number;
  /** From selecting a camera to missing its video, ms. @default 10000 */
  readonly missingMs?: number;
}

/**
 * Selects whose camera Zoom sends, as the meeting goes on, and says whose it is and when it does not come. The
 * client repeats a selection for every new video connection.
 */
export function followVideo(
  client: RtmsClient,
  follow: VideoFollow,
  record: VideoRecord,
  { logger, metrics, now = Date.now, missingMs = 10_000 }: FollowVideoOptions,
): void {
  const chooser = new CameraChooser(follow);
  let wanted: number | undefined;
  /** Whose camera the last `video_selected` named. */
  let told: number | undefined;
  let sinceMs = 0;
  let isMissing = false;
  let isOver = false;
  let again: NodeJS.Timeout | undefined;
  let watch: NodeJS.Timeout | undefined;

  const tell = (userId: number | undefined) => {
    if (told === userId) return;
    told = userId;
    const userName = userId === undefined ? '' : chooser.nameOf(userId);
    record.selected({
      follow: followName(follow),
      ...(userId !== undefined && { userId }),
      ...(userName !== '' && { userName }),
      timestampMs: now(),
    });
  };
  const miss = () => {
    if (wanted === undefined || isOver) return;
    if (client.state === 'streaming' && !isMissing) {
      isMissing = true;
      metrics.count('VideoMissing');
      logger.warn('video missing', { event: 'video_missing', userId: wanted });
      record.missing(wanted, sinceMs);
    }
    // The selection, or its answer, may have been lost.
    client.subscribeVideo(wanted, true);
    watch = later(missingMs, miss);
  };
  const step = () => {
    clearTimeout(again);
    const { userId, askAgainAtMs } = chooser.choose(now());
    if (userId !== wanted) {
      wanted = userId;
      isMissing = false;
      sinceMs = now();
      clearTimeout(watch);
      if (userId === undefined) tell(undefined);
      else {
        client.subscribeVideo(userId, true);
        watch = later(missingMs, miss);
      }
    }
    if (askAgainAtMs !== undefined) again = later(askAgainAtMs - now(), step);
  };

  client.on('event', (event) => {
    const input = cameraInput(event);
    if (input === undefined || isOver) return;
    chooser.see(input, now());
    step();
  });
  client.on('videoSubscribed', ({ userId, status }) => {
    if (isOver || userId !== wanted) return;
    if (statusVerdict(status, 1) === 'accepted') tell(userId);
    else if (refusesParticipant(status)) {
      logger.warn('video selection refused', { event: 'video_refused', userId, status });
      chooser.see({ name: 'refused', userId }, now());
      step();
    }
  });
  client.on('frame', ({ mediaType, userId }) => {
    if (mediaType !== 'video' || userId !== wanted || watch === undefined) return;
    clearTimeout(watch);
    watch = undefined;
  });
  client.on('ended', () => {
    isOver = true;
    clearTimeout(again);
    clearTimeout(watch);
  });
}

function later(delayMs: number, callback: () => void): NodeJS.Timeout {
  return setTimeout(callback, Math.max(0, delayMs));
}

function cameraInput(event: SignalingEvent): CameraInput | undefined {
  switch (event.name) {
    case 'participant_joined':
      return { name: 'joined', participants: event.participants };
    case 'participant_left':
      return { name: 'left', userIds: idsOf(event.participants) };
    case 'participant_video_on':
      return { name: 'video_on', userIds: idsOf(event.participants) };
    case 'participant_video_off':
      return { name: 'video_off', userIds: idsOf(event.participants) };
    case 'active_speaker':
      return event.userId === undefined ? undefined : { name: 'speaks', userId: event.userId };
    default:
      return undefined;
  }
}

function idsOf(participants: readonly { readonly userId?: number }[]): number[] {
  return participants.flatMap(({ userId }) => userId ?? []);
}
