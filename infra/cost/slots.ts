import type { MediaRequest } from '../../shared/rtms/params.ts';

/** Mirror of `COST_UNITS` in `runner/admission.ts`, which infra may not import; a test compares them. */
export const SLOTS = {
  audio: 0.5,
  video: 0.35,
  deskshare: 0.1,
  transcript: 0.03,
  chat: 0.02,
} as const satisfies Record<keyof MediaRequest, number>;

/** Slots one session takes when Zoom offers everything that is asked for. */
export function slotsPerMeeting(media: MediaRequest): number {
  let slots = 0;
  for (const mediaType of Object.keys(SLOTS) as (keyof MediaRequest)[]) {
    if (media[mediaType] !== false) slots += SLOTS[mediaType];
  }
  // Sums of hundredths are not exact.
  return Math.round(slots * 100) / 100;
}
