import type { MediaType } from '../../rtms/protocol/media-type.ts';
import { type MediaRequest, wantedMediaTypes } from '../../rtms/protocol/params.ts';

/**
 * What one session weighs per media type, in slots. One slot is a session with everything: 0.6 % of a core of the
 * machine of docs/performance.md. The weights were measured there with 100 sessions: three speakers of 20 ms L16 take
 * 0.20 % of a core, 720p H.264 at 30 fps 0.19 %, 100 kB/s of JPG share 0.14 %, a session with a transcript alone
 * 0.06 %. Chat is an estimate.
 */
export const SLOTS = {
  audio: 0.33,
  video: 0.32,
  deskshare: 0.23,
  transcript: 0.1,
  chat: 0.02,
} as const satisfies Record<MediaType, number>;

/**
 * Slots of a session with these media types, rounded to the hundredth: floating-point sums of hundredths are not exact.
 *
 * @param cameras how many cameras are recorded at once
 */
export function slotsOf(mediaTypes: Iterable<MediaType>, cameras = 1): number {
  let slots = 0;
  for (const mediaType of mediaTypes) {
    slots += SLOTS[mediaType] * (mediaType === 'video' ? cameras : 1);
  }
  return Math.round(slots * 100) / 100;
}

/** Slots of a session with everything that is asked for. */
export function slotsOfRequest(media: MediaRequest): number {
  const cameras = media.video === false ? 1 : (media.video.cameras ?? 1);
  return slotsOf(wantedMediaTypes(media), cameras);
}

/** Tolerates floating-point error when slots are added up. */
const ROUNDING = 1e-9;

/** How many more sessions of this weight fit into a task. */
export function roomFor(
  { slotsUsed, slotsTotal }: { readonly slotsUsed: number; readonly slotsTotal: number },
  sessionSlots: number,
): number {
  return Math.max(0, Math.floor((slotsTotal - slotsUsed) / sessionSlots + ROUNDING));
}
