import { ServiceError } from '../shared/errors.ts';
import {
  AUDIO_CHANNEL,
  AUDIO_SAMPLE_RATE,
  MEDIA_CONTENT_TYPE,
  MEDIA_DATA_OPTION,
  MEDIA_PAYLOAD_TYPE,
  MEDIA_RESOLUTION,
  nameOf,
  TRANSCRIPT_LANGUAGE,
} from '../shared/rtms/constants.ts';
import { sampleRateHz } from '../shared/rtms/effective-media.ts';
import { MEDIA_TYPES, type MediaType } from '../shared/rtms/media-type.ts';
import { completeMediaRequest, type MediaRequest } from '../shared/rtms/params.ts';

/** Zoom's numbers; see constants.ts. Fields left out take the default. */
export interface AudioParams {
  /** @default AudioContentType.RAW_AUDIO */
  readonly contentType?: number;
  /** @default AudioCodec.OPUS */
  readonly codec?: number;
  /** @default AudioSampleRate.SR_48K */
  readonly sampleRate?: number;
  /** @default AudioChannel.STEREO */
  readonly channel?: number;
  /** @default AudioDataOption.AUDIO_MULTI_STREAMS */
  readonly dataOpt?: number;
  /** Of one frame, ms. @default 20 */
  readonly duration?: number;
  /** In samples: only checked, against sample rate and duration. */
  readonly frameSize?: number;
}

export interface DeskshareParams {
  /** @default VideoContentType.RAW_VIDEO */
  readonly contentType?: number;
  /** @default VideoCodec.H264 */
  readonly codec?: number;
  /** @default VideoResolution.HD */
  readonly resolution?: number;
  /** Frames per second: 1 to 5 with JPG and PNG, 1 to 30 with H264. @default 30 */
  readonly fps?: number;
  /** @default VideoDataOption.VIDEO_SINGLE_ACTIVE_STREAM; a share has none, so there it is ignored */
  readonly dataOpt?: number;
}

export type VideoParams = DeskshareParams;

export interface TranscriptParams {
  /** @default 5, TEXT */
  readonly contentType?: number;
  /** The language spoken, or a first guess while detection is on. @default TranscriptLanguage.NONE */
  readonly srcLanguage?: number;
  /** Let Zoom detect the language. @default true */
  readonly enableLid?: boolean;
}

/** One media type of a request, by Zoom's names. */
export type MediaFields = Readonly<Record<string, string | number | boolean>>;

/** @throws ServiceError `rtms/invalid-params`; `detail` names `field`, `value` and `allowed` */
export function audioFields(params: AudioParams): MediaFields {
  const fields = checked('audio', {
    ...named('audio.contentType', 'contentType', MEDIA_CONTENT_TYPE, params.contentType),
    ...named('audio.codec', 'codec', MEDIA_PAYLOAD_TYPE, params.codec),
    ...named('audio.sampleRate', 'sampleRate', AUDIO_SAMPLE_RATE, params.sampleRate),
    ...named('audio.channel', 'channel', AUDIO_CHANNEL, params.channel),
    ...named('audio.dataOpt', 'dataOpt', MEDIA_DATA_OPTION, params.dataOpt),
    ...(params.duration !== undefined && { sendRateMs: params.duration }),
  });
  const rateHz = sampleRateHz(params.sampleRate ?? AUDIO_SAMPLE_RATE.SR_48K) ?? 0;
  const frameSize = (rateHz * (params.duration ?? 20)) / 1_000;
  if (params.frameSize !== undefined && params.frameSize !== frameSize) {
    throw invalid('audio.frameSize', params.frameSize, [String(frameSize)]);
  }
  return fields;
}

/** @throws ServiceError `rtms/invalid-params`; `detail` names `field`, `value` and `allowed` */
export function pictureFields(
  mediaType: 'video' | 'deskshare',
  params: VideoParams | DeskshareParams,
): MediaFields {
  const { contentType = MEDIA_CONTENT_TYPE.RAW_VIDEO, codec = MEDIA_PAYLOAD_TYPE.H264 } = params;
  if (contentType !== MEDIA_CONTENT_TYPE.RAW_VIDEO) {
    throw invalid(`${mediaType}.contentType`, contentType, ['RAW_VIDEO']);
  }
  return checked(mediaType, {
    ...named(`${mediaType}.codec`, 'codec', MEDIA_PAYLOAD_TYPE, codec),
    ...named(
      `${mediaType}.resolution`,
      'resolution',
      MEDIA_RESOLUTION,
      params.resolution ?? MEDIA_RESOLUTION.HD,
    ),
    fps: params.fps ?? 30,
    ...(mediaType === 'video' &&
      named('video.dataOpt', 'dataOpt', MEDIA_DATA_OPTION, params.dataOpt)),
  });
}

/** @throws ServiceError `rtms/invalid-params`; `detail` names `field`, `value` and `allowed` */
export function transcriptFields(params: TranscriptParams): MediaFields {
  const { contentType = MEDIA_CONTENT_TYPE.TEXT, srcLanguage, enableLid } = params;
  if (contentType !== MEDIA_CONTENT_TYPE.TEXT) {
    throw invalid('transcript.contentType', contentType, ['TEXT']);
  }
  return checked('transcript', {
    ...named('transcript.srcLanguage', 'srcLanguage', TRANSCRIPT_LANGUAGE, srcLanguage),
    ...(enableLid !== undefined && { enableLid }),
  });
}

/**
 * The request for the media types that are wanted, with what the setters said about them.
 *
 * With none wanted it asks for audio, the least that Zoom streams at all.
 */
export function mediaRequest(
  wanted: ReadonlySet<MediaType>,
  fields: Readonly<Partial<Record<MediaType, MediaFields>>>,
): MediaRequest {
  const types = wanted.size === 0 ? new Set<MediaType>(['audio']) : wanted;
  const defaults = { deskshare: pictureFields('deskshare', {}) };
  return completeMediaRequest(
    Object.fromEntries(
      MEDIA_TYPES.map((type) => [
        type,
        types.has(type) && ({ ...defaults, ...fields }[type] ?? {}),
      ]),
    ),
  );
}

function checked(mediaType: MediaType, fields: MediaFields): MediaFields {
  return completeMediaRequest({ [mediaType]: fields })[mediaType] as MediaFields;
}

function named(
  field: string,
  key: string,
  table: Readonly<Record<string, number>>,
  value: number | undefined,
): MediaFields {
  if (value === undefined) return {};
  const name = nameOf(table, value);
  if (name === undefined) throw invalid(field, value, Object.keys(table));
  return { [key]: name };
}

function invalid(field: string, value: unknown, allowed: readonly string[]): ServiceError {
  return new ServiceError(
    'rtms/invalid-params',
    `${field} is ${value}, allowed: ${allowed.join(', ')}`,
    { detail: { field, value: String(value), allowed } },
  );
}
