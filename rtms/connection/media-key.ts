import type { MediaType } from '../protocol/media-type.ts';

/** The camera of one participant, as one media connection carries it with protocol V2. */
export type CameraKey = `video/${number}`;

/**
 * What only one media connection carries at a time: a media type, or with V2 one participant's camera. A text and no
 * object, so that equal keys are found in a Map or Set.
 */
export type MediaKey = MediaType | CameraKey;

/** What a connection was opened for. */
export interface Carried {
  readonly mediaTypes: readonly MediaType[];
  /** V2, individual video: the participant whose camera it carries; undefined: of no participant in particular. */
  readonly userId?: number;
}

/** The key of one participant's camera. */
export function cameraKey(userId: number): CameraKey {
  return `video/${userId}`;
}

/** The participant whose camera a key stands for; undefined: the key stands for a media type. */
export function cameraOf(key: MediaKey): number | undefined {
  return key.startsWith('video/') ? Number(key.slice('video/'.length)) : undefined;
}

/** The keys of everything that a connection carries. */
export function keysOf({ mediaTypes, userId }: Carried): readonly MediaKey[] {
  return userId === undefined ? mediaTypes : [cameraKey(userId)];
}

/**
 * Whether the connection was opened for data of this kind from this participant. Data that names nobody belongs to the
 * participant of its connection.
 */
export function carries(
  carried: Carried,
  mediaType: MediaType,
  userId: number | undefined,
): boolean {
  if (!carried.mediaTypes.includes(mediaType)) return false;
  return carried.userId === undefined || userId === undefined || userId === carried.userId;
}

/** Which cameras have to be opened and which closed, so that those wanted are open. */
export function cameraChange(
  open: readonly number[],
  wanted: readonly number[],
): { readonly opened: readonly number[]; readonly closed: readonly number[] } {
  return {
    opened: [...new Set(wanted)].filter((userId) => !open.includes(userId)),
    closed: open.filter((userId) => !wanted.includes(userId)),
  };
}
