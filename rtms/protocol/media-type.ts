import { MEDIA_DATA_TYPE, MESSAGE_TYPE } from './constants.ts';

/** The three media types whose messages carry frames. */
export const FRAME_MEDIA_TYPES = ['audio', 'video', 'deskshare'] as const;

/** Every media type that a socket can carry, by Zoom's names in `server_urls` and `media_params`. */
export const MEDIA_TYPES = [...FRAME_MEDIA_TYPES, 'transcript', 'chat'] as const;

export type FrameMediaType = (typeof FRAME_MEDIA_TYPES)[number];
export type MediaType = (typeof MEDIA_TYPES)[number];

/**
 * Who a frame or line is from: a participant by Zoom's id inside the meeting (0 is the mix of all), or a Contact Center
 * or Phone channel. Neither where Zoom named nobody.
 */
export interface MediaSource {
  readonly userId?: number;
  readonly channelId?: string;
}

/** A MediaSource whose fields may be there and undefined, as destructuring and decoders leave them. */
export type PartialMediaSource = {
  readonly [Name in keyof MediaSource]?: MediaSource[Name] | undefined;
};

/** The bit of `media_type` in the media handshake. */
export const MEDIA_TYPE_BIT = {
  audio: MEDIA_DATA_TYPE.AUDIO,
  video: MEDIA_DATA_TYPE.VIDEO,
  deskshare: MEDIA_DATA_TYPE.DESKSHARE,
  transcript: MEDIA_DATA_TYPE.TRANSCRIPT,
  chat: MEDIA_DATA_TYPE.CHAT,
} as const satisfies Record<MediaType, number>;

/** The source without the fields that are undefined. */
export function mediaSource({ userId, channelId }: PartialMediaSource): MediaSource {
  return {
    ...(userId !== undefined && { userId }),
    ...(channelId !== undefined && { channelId }),
  };
}

/** The `msg_type` of each type's data messages. */
const MESSAGE_OF = {
  audio: MESSAGE_TYPE.MEDIA_DATA_AUDIO,
  video: MESSAGE_TYPE.MEDIA_DATA_VIDEO,
  deskshare: MESSAGE_TYPE.MEDIA_DATA_SHARE,
  transcript: MESSAGE_TYPE.MEDIA_DATA_TRANSCRIPT,
  chat: MESSAGE_TYPE.MEDIA_DATA_CHAT,
} as const satisfies Record<MediaType, number>;

const BY_MESSAGE_TYPE: ReadonlyMap<number, MediaType> = new Map(
  MEDIA_TYPES.map((mediaType) => [MESSAGE_OF[mediaType], mediaType]),
);

/** The media type of a data message, or undefined for another `msg_type`. */
export function mediaTypeOfMessage(msgType: number): MediaType | undefined {
  return BY_MESSAGE_TYPE.get(msgType);
}
