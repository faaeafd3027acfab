import type { MediaType } from '../rtms/protocol/media-type.ts';
import { type MediaRequest, wantedMediaTypes } from '../rtms/protocol/params.ts';

/**
 * What one session costs a task per media type, in cost units (slots): 1 is a session with everything, 0.6 % of a
 * core of the machine of docs/performance.md, where the weights are measured with 100 sessions: three speakers of
 * 20 ms L16 0.20 %, 720p H.264 at 30 fps 0.19 %, 100 kB/s of JPG share 0.14 %, a session with a transcript alone 0.06 %.
 * Chat is an estimate.
 */
export const COST_UNITS = {
  audio: 0.33,
  video: 0.32,
  deskshare: 0.23,
  transcript: 0.1,
  chat: 0.02,
} as const satisfies Record<MediaType, number>;

/**
 * Cost units of a session with these media types, to the hundredth: sums of hundredths are not exact.
 *
 * @param cameras how many cameras are recorded at once
 */
export function costOf(mediaTypes: Iterable<MediaType>, cameras = 1): number {
  let cost = 0;
  for (const mediaType of mediaTypes) {
    cost += COST_UNITS[mediaType] * (mediaType === 'video' ? cameras : 1);
  }
  return Math.round(cost * 100) / 100;
}

/** Cost units of a session with everything that is asked for. */
export function costOfRequest(media: MediaRequest): number {
  const cameras = media.video === false ? 1 : (media.video.cameras ?? 1);
  return costOf(wantedMediaTypes(media), cameras);
}
