import { MEDIA_DATA_TYPE } from '../../shared/rtms/constants.ts';
import { MEDIA_TYPE_BIT, MEDIA_TYPES, type MediaType } from '../../shared/rtms/media-type.ts';

/** One media connection to open: an address and the media types it carries. */
export interface PlannedMedia {
  readonly url: string;
  readonly mediaTypes: readonly MediaType[];
}

/**
 * Decides which media connections to open on the addresses of a signaling handshake.
 *
 * Zoom lists only the types the app may have, so a type without an address is left out. Where it lists
 * nothing but the unified address, that is used for everything.
 *
 * @param wanted in the order of MEDIA_TYPES
 */
export function planMedia(
  wanted: readonly MediaType[],
  layout: 'split' | 'unified',
  serverUrls: { readonly [Key in MediaType | 'all']?: string },
): PlannedMedia[] {
  const { all, ...split } = serverUrls;
  const nothingSplit = Object.keys(split).length === 0;
  const offered = wanted.flatMap((mediaType) => {
    const url = split[mediaType];
    return url === undefined ? [] : [{ url, mediaTypes: [mediaType] }];
  });
  if (all === undefined || (!nothingSplit && layout === 'split')) return offered;
  const mediaTypes = nothingSplit ? wanted : offered.flatMap((media) => media.mediaTypes);
  return mediaTypes.length === 0 ? [] : [{ url: all, mediaTypes }];
}

/** `media_type` of message 3: ALL has a bit of its own. */
export function mediaTypeBits(mediaTypes: readonly MediaType[]): number {
  if (mediaTypes.length === MEDIA_TYPES.length) return MEDIA_DATA_TYPE.ALL;
  return mediaTypes.reduce((bits, mediaType) => bits | MEDIA_TYPE_BIT[mediaType], 0);
}
