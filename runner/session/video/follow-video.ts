import { refusesParticipant, statusVerdict } from '../../../rtms/connection/verdict.ts';
import type { SignalingEvent } from '../../../rtms/events.ts';
import type { Logger } from '../../../shared/logger.ts';
import type { Metrics } from '../../../shared/metrics.ts';
import type { EventData, EventPerson } from '../../../shared/record/event-data.ts';
import { followName, type VideoFollow } from '../../../shared/video-follow.ts';
import type { SessionClient } from '../context.ts';
import { CameraChooser, type CameraInput } from './camera-choice.ts';

export interface VideoRecord {
  selected(data: EventData['video_selected']): void;
  /** The selected camera is on and nothing came of it since then. */
  missing(userId: number, sinceMs: number): void;
}

export interface FollowVideoOptions {
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** How many cameras at once: more than one with protocol V2 only. @default 1 */
  readonly cameras?: number;
  /** Unix ms. @default Date.now */
  readonly now?: () => number;
  /** From selecting a camera to missing its video, ms. @default 10000 */
  readonly missingMs?: number;
}

/** A camera that is to be recorded. */
interface Followed {
  readonly sinceMs: number;
  isGranted: boolean;
  isMissing: boolean;
  /** Ends the wait for its first frame; undefined once that has come. */
  watch: NodeJS.Timeout | undefined;
}

/**
 * Selects whose cameras Zoom sends, as the meeting goes on, and says whose they are and when one does not come. The
 * client repeats a selection for every new video connection.
 */
export function followVideo(
  client: Pick<SessionClient, 'on' | 'state' | 'subscribeVideo'>,
  follow: VideoFollow,
  record: VideoRecord,
  options: FollowVideoOptions,
): void {
  const { logger, metrics, cameras = 1, now = Date.now, missingMs = 10_000 } = options;
  const chooser = new CameraChooser(follow, cameras);
  const followed = new Map<number, Followed>();
  /** Whose cameras the last `video_selected` named. */
  let told = '';
  let isOver = false;
  let again: NodeJS.Timeout | undefined;

  /** @param latest who was granted just now */
  const tell = (latest?: number) => {
    const granted = [...followed].filter(([, { isGranted }]) => isGranted).map(([id]) => id);
    if (granted.join() === told) return;
    told = granted.join();
    record.selected({
      follow: followName(follow),
      ...personOf(latest ?? granted[0]),
      ...(cameras > 1 && { cameras: granted.map(personOf) }),
      timestampMs: now(),
    });
  };
  const personOf = (userId: number | undefined): EventPerson => {
    const userName = userId === undefined ? '' : chooser.nameOf(userId);
    return { ...(userId !== undefined && { userId }), ...(userName !== '' && { userName }) };
  };
  const miss = (userId: number, camera: Followed) => {
    if (followed.get(userId) !== camera || isOver) return;
    if (client.state === 'streaming' && !camera.isMissing) {
      camera.isMissing = true;
      metrics.count('VideoMissing');
      logger.warn('video missing', { event: 'video_missing', userId });
      record.missing(userId, camera.sinceMs);
    }
    // The selection, or its answer, may have been lost.
    client.subscribeVideo(userId, true);
    camera.watch = later(missingMs, () => miss(userId, camera));
  };
  const begin = (userId: number) => {
    const camera: Followed = {
      sinceMs: now(),
      isGranted: false,
      isMissing: false,
      watch: undefined,
    };
    followed.set(userId, camera);
    client.subscribeVideo(userId, true);
    camera.watch = later(missingMs, () => miss(userId, camera));
  };
  const step = () => {
    clearTimeout(again);
    const { userIds, askAgainAtMs } = chooser.choose(now());
    const gone = [...followed].filter(([userId]) => !userIds.includes(userId));
    for (const [userId, { watch }] of gone) {
      clearTimeout(watch);
      followed.delete(userId);
      // With one camera the next selection replaces it, and nobody's ends by itself.
      if (cameras > 1) client.subscribeVideo(userId, false);
    }
    const come = userIds.filter((userId) => !followed.has(userId));
    for (const userId of come) begin(userId);
    // With one camera the picture changes only when Zoom grants the next one.
    if (cameras > 1 ? gone.length > 0 : followed.size === 0) tell();
    if (askAgainAtMs !== undefined) again = later(askAgainAtMs - now(), step);
  };

  client.on('event', (event) => {
    const input = cameraInput(event);
    if (input === undefined || isOver) return;
    chooser.see(input, now());
    step();
  });
  client.on('videoSubscribed', ({ userId, status }) => {
    const camera = followed.get(userId);
    if (isOver || camera === undefined) return;
    if (statusVerdict(status, 1) === 'accepted') {
      camera.isGranted = true;
      tell(userId);
    } else if (refusesParticipant(status)) {
      logger.warn('video selection refused', { event: 'video_refused', userId, status });
      chooser.see({ name: 'refused', userId }, now());
      step();
    }
  });
  client.on('frame', ({ mediaType, userId }) => {
    if (mediaType !== 'video' || userId === undefined) return;
    const camera = followed.get(userId);
    if (camera?.watch === undefined) return;
    clearTimeout(camera.watch);
    camera.watch = undefined;
  });
  client.on('ended', () => {
    isOver = true;
    clearTimeout(again);
    for (const { watch } of followed.values()) clearTimeout(watch);
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
