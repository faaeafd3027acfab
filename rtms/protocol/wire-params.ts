import {
  AUDIO_CHANNEL,
  AUDIO_SAMPLE_RATE,
  MEDIA_CONTENT_TYPE,
  MEDIA_DATA_OPTION,
  MEDIA_PAYLOAD_TYPE,
  MEDIA_RESOLUTION,
  TRANSCRIPT_LANGUAGE,
} from './constants.ts';
import { MEDIA_TYPES, type MediaType } from './media-type.ts';
import {
  type AudioRequest,
  type DeskshareRequest,
  type MediaRequest,
  wantedMediaTypes,
} from './params.ts';

/** `media_params` of message 3 in Zoom's spelling; numbers are Zoom's enums of constants.ts. */
export interface MediaParamsWire {
  readonly audio?: AudioParamsWire;
  readonly video?: DeskshareParamsWire & { readonly data_opt: number };
  readonly deskshare?: DeskshareParamsWire;
  readonly transcript?: {
    readonly content_type: number;
    readonly src_language: number;
    readonly enable_lid: boolean;
  };
  readonly chat?: { readonly content_type: number };
}

interface AudioParamsWire {
  readonly content_type: number;
  readonly codec: number;
  readonly sample_rate: number;
  readonly channel: number;
  readonly data_opt: number;
  /** Milliseconds of audio in one message. */
  readonly send_rate: number;
}

interface DeskshareParamsWire {
  readonly content_type: number;
  readonly codec: number;
  readonly resolution: number;
  readonly fps: number;
}

/** What message 3 says about each media type that is wanted. */
const TO_WIRE: {
  readonly [Type in MediaType]: (
    wanted: Exclude<MediaRequest[Type], false>,
  ) => Required<MediaParamsWire>[Type];
} = {
  audio: audioParams,
  video: (video) => ({ ...pictureParams(video), data_opt: MEDIA_DATA_OPTION[video.dataOpt] }),
  deskshare: pictureParams,
  transcript: ({ srcLanguage, enableLid }) => ({
    content_type: MEDIA_CONTENT_TYPE.TEXT,
    src_language: TRANSCRIPT_LANGUAGE[srcLanguage],
    enable_lid: enableLid,
  }),
  chat: () => ({ content_type: MEDIA_CONTENT_TYPE.TEXT }),
};

/**
 * `media_params` of message 3 for some media types. Every field is given, because Zoom's defaults on the wire differ from
 * those of its SDK.
 */
export function toWireParams(
  request: MediaRequest,
  mediaTypes: readonly MediaType[] = wantedMediaTypes(request),
): MediaParamsWire {
  const params: { [Type in MediaType]?: object } = {};
  for (const mediaType of MEDIA_TYPES) {
    const wanted = request[mediaType];
    if (wanted === false || !mediaTypes.includes(mediaType)) continue;
    params[mediaType] = (TO_WIRE[mediaType] as (wanted: object) => object)(wanted);
  }
  return params as MediaParamsWire;
}

function audioParams(audio: AudioRequest): AudioParamsWire {
  return {
    content_type: MEDIA_CONTENT_TYPE[audio.contentType],
    codec: MEDIA_PAYLOAD_TYPE[audio.codec],
    sample_rate: AUDIO_SAMPLE_RATE[audio.sampleRate],
    channel: AUDIO_CHANNEL[audio.channel],
    data_opt: MEDIA_DATA_OPTION[audio.dataOpt],
    send_rate: audio.sendRateMs,
  };
}

function pictureParams(picture: DeskshareRequest): DeskshareParamsWire {
  return {
    content_type: MEDIA_CONTENT_TYPE.RAW_VIDEO,
    codec: MEDIA_PAYLOAD_TYPE[picture.codec],
    resolution: MEDIA_RESOLUTION[picture.resolution],
    fps: picture.fps,
  };
}
