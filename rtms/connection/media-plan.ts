import type { LeftOutMedia } from '../protocol/agreed-media.ts';
import { MEDIA_DATA_TYPE } from '../protocol/constants.ts';
import { MEDIA_TYPE_BIT, MEDIA_TYPES, type MediaType } from '../protocol/media-type.ts';

/** One media connection to open: an address and the media types to ask it for. */
export interface PlannedMedia {
  readonly url: string;
  readonly mediaTypes: readonly MediaType[];
  /** V2, individual video: the participant whose camera to open; see media-key.ts. */
  readonly userId?: number;
}

/** Addresses of a message 2 that may be used. */
export interface MediaOffer {
  /** A media type's own address. */
  readonly own: { readonly [Key in MediaType]?: string };
  /** The address that takes any set of bits. */
  readonly all?: string;
}

/** Whether one connection for everything was opened after a refusal, and with what result; see media-fallback.ts. */
export type UnifiedFallback = 'untried' | 'current' | 'refused';

/** Which media connections to open on the addresses of an offer, and which wanted media types have none. */
export interface MediaPlan {
  readonly offer: MediaOffer;
  readonly connections: readonly PlannedMedia[];
  readonly leftOut: readonly LeftOutMedia[];
}

/** `server_urls` of message 2. */
export type ServerUrls = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * Decides which media connections to open on the addresses of a signaling handshake.
 *
 * An address and the media types asked for on it are independent: Zoom's documented answers name `audio`,
 * `video`, `transcript` and `all` for meetings, `audio` and `all` for Contact Center. So a wanted type that has no
 * address of its own goes over `all` with its own bit. All such types share one connection, because two
 * connections on `all` could count as duplicates (status 15). Whether the app may have a type is only seen in Zoom's
 * answer to the handshake; see media-fallback.ts.
 *
 * @param wanted in the order of MEDIA_TYPES
 * @param cameras V2: the participants whose cameras to open. Video is then one connection for each of them, or none yet
 */
export function planMedia(
  wanted: readonly MediaType[],
  layout: 'split' | 'unified',
  serverUrls: ServerUrls,
  isAllowed: (url: string) => boolean = () => true,
  cameras?: readonly number[],
): MediaPlan {
  if (cameras === undefined) return planByType(wanted, layout, serverUrls, isAllowed);
  const rest = wanted.filter((mediaType) => mediaType !== 'video');
  const plan = planByType(rest, layout, serverUrls, isAllowed);
  const { offer } = plan;
  if (canOpenCameras(offer)) {
    return { ...plan, connections: [...plan.connections, ...cameraConnections(cameras, offer)] };
  }
  const { leftOut } = planByType(['video'], 'split', serverUrls, isAllowed);
  return { ...plan, leftOut: [...plan.leftOut, ...leftOut] };
}

/** Whether there is an address on which cameras can be opened. */
export function canOpenCameras({ own, all }: MediaOffer): boolean {
  return (own.video ?? all) !== undefined;
}

/** One connection for each of these cameras, at the address for video. */
export function cameraConnections(
  userIds: readonly number[],
  { own, all }: MediaOffer,
): PlannedMedia[] {
  const url = own.video ?? all;
  if (url === undefined) return [];
  return userIds.map((userId) => ({ url, mediaTypes: ['video'], userId }));
}

function planByType(
  wanted: readonly MediaType[],
  layout: 'split' | 'unified',
  serverUrls: ServerUrls,
  isAllowed: (url: string) => boolean,
): MediaPlan {
  const address = (name: string) => addressesOf(serverUrls[name]).find(isAllowed);
  const own: { [Key in MediaType]?: string } = {};
  for (const mediaType of MEDIA_TYPES) {
    const url = address(mediaType);
    if (url !== undefined) own[mediaType] = url;
  }
  const all = address('all');
  const offer: MediaOffer = all === undefined ? { own } : { own, all };
  if (layout === 'unified' && all !== undefined) {
    return { offer, connections: wanted.length > 0 ? [unified(wanted, all)] : [], leftOut: [] };
  }
  const split = splitConnections(wanted, own);
  const rest = wanted.filter((mediaType) => own[mediaType] === undefined);
  if (rest.length === 0) return { offer, connections: split, leftOut: [] };
  if (all !== undefined) return { offer, connections: [...split, unified(rest, all)], leftOut: [] };
  const isRefused = (mediaType: MediaType) =>
    [mediaType, 'all'].some((name) => addressesOf(serverUrls[name]).length > 0);
  const leftOut = rest.map(
    (mediaType): LeftOutMedia => ({
      mediaType,
      reason: isRefused(mediaType) ? 'address_refused' : 'not_offered',
    }),
  );
  return { offer, connections: split, leftOut };
}

/** One connection for each media type that has an address of its own. */
export function splitConnections(
  mediaTypes: readonly MediaType[],
  own: MediaOffer['own'],
): PlannedMedia[] {
  return mediaTypes.flatMap((mediaType) => {
    const url = own[mediaType];
    return url === undefined ? [] : [{ url, mediaTypes: [mediaType] }];
  });
}

function unified(mediaTypes: readonly MediaType[], all: string): PlannedMedia {
  return { url: all, mediaTypes };
}

function addressesOf(given: string | readonly string[] | undefined): readonly string[] {
  if (given === undefined) return [];
  return (typeof given === 'string' ? [given] : given).filter((url) => url !== '');
}

/** `media_type` of message 3. Every media type together is ALL, which has a bit of its own. */
export function mediaTypeBits(mediaTypes: readonly MediaType[]): number {
  if (mediaTypes.length === MEDIA_TYPES.length) return MEDIA_DATA_TYPE.ALL;
  return mediaTypes.reduce((bits, mediaType) => bits | MEDIA_TYPE_BIT[mediaType], 0);
}
