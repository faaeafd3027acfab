import {
  MEDIA_DATA_OPTION,
  MEDIA_DATA_TYPE,
  MESSAGE_TYPE,
  STATUS_CODE as STATUS,
} from '../../rtms/protocol/constants.ts';
import { MEDIA_TYPE_BIT, MEDIA_TYPES, type MediaType } from '../../rtms/protocol/media-type.ts';
import { type AgreedParams, agreedParams } from '../media/media-params.ts';
import { type Behaviour, DOCUMENTED_BEHAVIOUR } from '../scenario/behaviour.ts';
import type { RtmsStream } from '../stream.ts';
import type { ClientConnection, ClientMessage } from './connection.ts';
import { checkHandshake, type SimulatorApp } from './handshake.ts';
import { statusFields } from './messages.ts';

/** Last part of a media address. */
export type MediaPath = MediaType | 'all';

const NOT_SUPPORTED: Record<MediaType, number> = {
  audio: STATUS.MEDIA_TYPE_AUDIO_NOT_SUPPORT,
  video: STATUS.MEDIA_TYPE_VIDEO_NOT_SUPPORT,
  deskshare: STATUS.MEDIA_TYPE_DESKSHARE_NOT_SUPPORT,
  transcript: STATUS.MEDIA_TYPE_TRANSCRIPT_NOT_SUPPORT,
  chat: STATUS.MEDIA_TYPE_CHAT_NOT_SUPPORT,
};
const KNOWN_BITS = 63;

/** `server_urls` of message 2, in the form of the stream's behaviour. */
export function mediaAddresses(
  base: string,
  { granted, behaviour, hasVoiceEvents }: RtmsStream,
): Record<string, string | string[]> {
  const documented = hasVoiceEvents ? ['audio'] : ['audio', 'video', 'transcript'];
  const named = {
    documented: granted.filter((mediaType) => documented.includes(mediaType)),
    every: granted,
    sharescreen: granted,
    all: [],
  }[behaviour.mediaUrls];
  const keyOf = (mediaType: MediaType) =>
    mediaType === 'deskshare' && behaviour.mediaUrls === 'sharescreen' ? 'sharescreen' : mediaType;
  const shaped = (url: string) => (behaviour.urlShape === 'list' ? [url] : url);
  return Object.fromEntries([
    ...named.map((mediaType) => [keyOf(mediaType), shaped(`${base}/${mediaType}`)]),
    ['all', shaped(`${base}/all`)],
  ]);
}

/** Whether the last part of an address names a media type, or `all`. */
export function isMediaPath(path: string | undefined): path is MediaPath {
  return path === 'all' || MEDIA_TYPES.some((mediaType) => mediaType === path);
}

/** Speaks with one client on a media socket: message 3 first; after it the client sends only keep-alives. */
export function serveMedia(
  connection: ClientConnection,
  stream: RtmsStream | undefined,
  path: MediaPath,
  app: SimulatorApp,
  badSignature: 'status' | 'close',
): void {
  let joined: RtmsStream | undefined;
  let version = 1;
  connection.listener = {
    message(message) {
      if (joined === undefined && message.msg_type === MESSAGE_TYPE.DATA_HAND_SHAKE_REQ) {
        handshake(message);
      }
    },
    ended: (end) => joined?.mediaEnded(connection, end),
  };

  function handshake(message: ClientMessage): void {
    if (message['protocol_version'] === 2) version = 2;
    const status = checkHandshake(app, stream, message);
    if (status !== STATUS.OK || stream === undefined) {
      if (badSignature === 'status') answer(status);
      connection.close();
      return;
    }
    // There is no status for "signaling first", and each documented one would end the stream for the client.
    if (!stream.client.signaling) {
      connection.close();
      return;
    }
    const accepted = accept(stream, connection, path, message);
    if (typeof accepted === 'number') {
      answer(accepted);
      connection.close();
      return;
    }
    joined = stream;
    answer(STATUS.OK, accepted);
    stream.mediaAttached();
  }

  function answer(status: number, params?: AgreedParams): void {
    connection.send(
      JSON.stringify({
        msg_type: MESSAGE_TYPE.DATA_HAND_SHAKE_RESP,
        protocol_version: version,
        sequence: 0,
        ...statusFields(status, stream?.behaviour ?? DOCUMENTED_BEHAVIOUR),
        payload_encrypted: false,
        ...(params && { media_params: params }),
      }),
    );
  }
}

/** @returns the agreed parameters, or the status code that refuses */
function accept(
  stream: RtmsStream,
  connection: ClientConnection,
  path: MediaPath,
  message: ClientMessage,
): AgreedParams | number {
  const { behaviour } = stream;
  const mediaTypes = requestedTypes(message.media_type, path, stream.granted, behaviour);
  if (typeof mediaTypes === 'number') return mediaTypes;
  const params = agreedParams(message.media_params, mediaTypes, behaviour.mediaParams);
  if (typeof params === 'number') return params;
  const isForAll = (Number(message.media_type) & MEDIA_DATA_TYPE.ALL) !== 0;
  const exclusive = isForAll || (path === 'all' && behaviour.allBesideSplit === 'refuse');
  const userId = cameraOf(message, mediaTypes, params);
  const link = { connection, exclusive, mediaTypes: new Set(mediaTypes), params, userId };
  const status = stream.attachMedia(link);
  return status === STATUS.OK ? params : status;
}

/**
 * V2: individual video of one participant. Zoom's page could not be read; the field is that of message 28.
 *
 * @returns the participant; undefined: the connection is for no participant in particular
 */
function cameraOf(
  message: ClientMessage,
  mediaTypes: readonly MediaType[],
  params: AgreedParams,
): number | undefined {
  const isAlone = mediaTypes.length === 1 && mediaTypes[0] === 'video';
  const isIndividual = params.video?.data_opt === MEDIA_DATA_OPTION.VIDEO_SINGLE_INDIVIDUAL_STREAM;
  const { protocol_version: version, user_id: userId } = message;
  return version === 2 && isAlone && isIndividual && typeof userId === 'number'
    ? userId
    : undefined;
}

/** `all` accepts ALL or any set of bits, and so does a split address by default. */
function requestedTypes(
  mask: unknown,
  path: MediaPath,
  granted: readonly MediaType[],
  { splitAddress }: Behaviour,
): readonly MediaType[] | number {
  if (typeof mask !== 'number' || !Number.isInteger(mask)) return STATUS.INVALID_MEDIA_TYPE;
  if (mask <= 0 || mask > KNOWN_BITS) return STATUS.MEDIA_TYPE_INVALID_VALUE;
  if (splitAddress === 'own_bit' && path !== 'all' && mask !== MEDIA_TYPE_BIT[path]) {
    return STATUS.INVALID_MEDIA_TYPE;
  }
  if ((mask & MEDIA_DATA_TYPE.ALL) !== 0) return granted;
  const wanted = MEDIA_TYPES.filter((mediaType) => (mask & MEDIA_TYPE_BIT[mediaType]) !== 0);
  const refused = wanted.find((mediaType) => !granted.includes(mediaType));
  return refused === undefined ? wanted : NOT_SUPPORTED[refused];
}
