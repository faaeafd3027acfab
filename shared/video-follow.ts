import { ServiceError } from './errors.ts';

/**
 * Whose camera to record with `VIDEO_SINGLE_INDIVIDUAL_STREAM`; Zoom sends one at a time.
 *
 * - `active-speaker`: who speaks
 * - `pinned`: the first of these who is there with a camera on; a number is a user id, a text a name
 * - `round-robin`: every camera for that many seconds, in the order of joining
 */
export type VideoFollow =
  | 'active-speaker'
  | { readonly pinned: readonly (string | number)[] }
  | { readonly 'round-robin': number };

export const DEFAULT_VIDEO_FOLLOW: VideoFollow = 'active-speaker';

const DEFAULT_ROUND_SECONDS = 10;
const MAX_ROUND_SECONDS = 3_600;
const MAX_PINNED = 100;

const ALLOWED = [
  'active-speaker',
  'round-robin',
  '{"pinned": [names or user ids]}',
  '{"round-robin": seconds}',
];

/** @throws ServiceError `rtms/invalid-params` naming `video.follow` */
export function parseVideoFollow(input: unknown): VideoFollow {
  if (input === 'active-speaker') return input;
  if (input === 'round-robin') return { 'round-robin': DEFAULT_ROUND_SECONDS };
  const entries = typeof input === 'object' && input !== null ? Object.entries(input) : [];
  const [entry] = entries;
  if (entries.length === 1 && entry !== undefined) {
    const [name, value] = entry;
    if (name === 'pinned' && isPinned(value)) return { pinned: value };
    if (name === 'round-robin' && isSeconds(value)) return { 'round-robin': value };
  }
  const value = typeof input === 'string' ? input : (JSON.stringify(input) ?? 'undefined');
  throw new ServiceError(
    'rtms/invalid-params',
    `video.follow is ${value}, allowed: ${ALLOWED.join(', ')}`,
    { detail: { field: 'video.follow', value, allowed: ALLOWED } },
  );
}

function isPinned(value: unknown): value is (string | number)[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= MAX_PINNED &&
    value.every((who) =>
      typeof who === 'string' ? who.trim() !== '' : Number.isInteger(who) && who > 0,
    )
  );
}

function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && value >= 1 && value <= MAX_ROUND_SECONDS;
}

/** The name of a policy, as events tell it. */
export function followName(follow: VideoFollow): 'active-speaker' | 'pinned' | 'round-robin' {
  if (follow === 'active-speaker') return follow;
  return 'pinned' in follow ? 'pinned' : 'round-robin';
}
