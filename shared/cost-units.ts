import type { MediaType } from './rtms/media-type.ts';

/**
 * What one session costs a task per media type it asks for, in cost units (slots): 1 is a session with
 * everything, about 1.6 % of one vCPU. Audio and video are from the measurements behind docs/scaling.md
 * (three audio sources at 20 ms; 720p H.264 at 25 fps); share, transcript and chat are estimates.
 */
export const COST_UNITS = {
  audio: 0.5,
  video: 0.35,
  deskshare: 0.1,
  transcript: 0.03,
  chat: 0.02,
} as const satisfies Record<MediaType, number>;

/** Cost units of a session with these media types, to the hundredth: sums of hundredths are not exact. */
export function costOf(mediaTypes: Iterable<MediaType>): number {
  let cost = 0;
  for (const mediaType of mediaTypes) cost += COST_UNITS[mediaType];
  return Math.round(cost * 100) / 100;
}
