import { sampleRateHz } from '../../../rtms/protocol/agreed-media.ts';
import {
  AUDIO_CHANNEL,
  AUDIO_SAMPLE_RATE,
  MEDIA_CONTENT_TYPE,
  MEDIA_DATA_OPTION,
  MEDIA_PAYLOAD_TYPE,
  MEDIA_RESOLUTION,
  nameOf,
  TRANSCRIPT_LANGUAGE,
} from '../../../rtms/protocol/constants.ts';
import { MEDIA_TYPES, type MediaType } from '../../../rtms/protocol/media-type.ts';
import { completeMediaRequest, type MediaRequest } from '../../../rtms/protocol/params.ts';
import { ServiceError } from '../../../shared/errors.ts';

/** Values are Zoom's numbers, see constants.ts. A field left out takes its default. */
export interface AudioParams {
  /** @default AudioContentType.RAW_AUDIO */
  contentType?: number;
  /** @default AudioCodec.OPUS */
  codec?: number;
  /** @default AudioSampleRate.SR_48K */
  sampleRate?: number;
  /** @default AudioChannel.STEREO */
  channel?: number;
  /** @default AudioDataOption.AUDIO_MULTI_STREAMS */
  dataOpt?: number;
  /** Length of one frame, ms. @default 20 */
  duration?: number;
  /** Samples of one frame. Not sent: checked against sample rate and duration. */
  frameSize?: number;
}

/** Values are Zoom's numbers, see constants.ts. A field left out takes its default. */
export interface DeskshareParams {
  /** @default VideoContentType.RAW_VIDEO */
  contentType?: number;
  /** @default VideoCodec.H264 */
  codec?: number;
  /** @default VideoResolution.HD */
  resolution?: number;
  /** Frames per second: 1 to 5 with JPG and PNG, 1 to 30 with H264. @default 30 */
  fps?: number;
  /** Ignored for a share, which has no such option. @default VideoDataOption.VIDEO_SINGLE_ACTIVE_STREAM */
  dataOpt?: number;
}

/** As `DeskshareParams`; here `dataOpt` counts. */
export type VideoParams = DeskshareParams;

/** Values are Zoom's numbers, see constants.ts. A field left out takes its default. */
export interface TranscriptParams {
  /** @default 5, TEXT */
  contentType?: number;
  /** The language spoken; with `enableLid` the first guess. @default TranscriptLanguage.NONE */
  srcLanguage?: number;
  /** Whether Zoom detects the language. @default true */
  enableLid?: boolean;
}

/** Exported because Zoom's SDK exports it; nothing here takes it. */
export interface MediaTypes {
  audio: boolean;
  video?: boolean;
  transcript?: boolean;
}

/** The fields of one media type in a request, with the names that Zoom gives to its numbers. */
export type MediaFields = Readonly<Record<string, string | number | boolean>>;

/** @throws ServiceError `rtms/invalid-params`; `detail` names `field`, `value` and `allowed` */
export function audioFields(params: AudioParams): MediaFields {
  assertObject('audio', params);
  const { duration, frameSize = 0 } = params;
  const fields = checked('audio', {
    ...named('audio', params, 'contentType', MEDIA_CONTENT_TYPE),
    ...named('audio', params, 'codec', MEDIA_PAYLOAD_TYPE),
    ...named('audio', params, 'sampleRate', AUDIO_SAMPLE_RATE),
    ...named('audio', params, 'channel', AUDIO_CHANNEL),
    ...named('audio', params, 'dataOpt', MEDIA_DATA_OPTION),
    ...(duration !== undefined && { sendRateMs: clampedRateMs(duration) }),
  });
  const rateHz = sampleRateHz(params.sampleRate ?? AUDIO_SAMPLE_RATE.SR_48K) ?? 0;
  const expected = (rateHz * (duration ?? 20)) / 1_000;
  // 0 stands for "not given", as in Zoom's SDK.
  if (frameSize !== 0 && frameSize !== expected) {
    throw invalid('audio.frameSize', frameSize, [String(expected)]);
  }
  return fields;
}

/** @throws ServiceError `rtms/invalid-params`; `detail` names `field`, `value` and `allowed` */
export function pictureFields(
  mediaType: 'video' | 'deskshare',
  params: VideoParams | DeskshareParams,
): MediaFields {
  assertObject(mediaType, params);
  assertContentType(mediaType, params, 'RAW_VIDEO');
  return checked(mediaType, {
    codec: 'H264',
    resolution: 'HD',
    ...named(mediaType, params, 'codec', MEDIA_PAYLOAD_TYPE),
    ...named(mediaType, params, 'resolution', MEDIA_RESOLUTION),
    fps: params.fps ?? 30,
    ...(mediaType === 'video' && named('video', params, 'dataOpt', MEDIA_DATA_OPTION)),
  });
}

/** @throws ServiceError `rtms/invalid-params`; `detail` names `field`, `value` and `allowed` */
export function transcriptFields(params: TranscriptParams): MediaFields {
  assertObject('transcript', params);
  assertContentType('transcript', params, 'TEXT');
  const { enableLid } = params;
  return checked('transcript', {
    ...named('transcript', params, 'srcLanguage', TRANSCRIPT_LANGUAGE),
    ...(enableLid !== undefined && { enableLid }),
  });
}

/**
 * Builds the request for the media types that are wanted, with the fields that the setters gave.
 *
 * Without any wanted type it asks for audio, the least that Zoom streams.
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

/** Zoom's servers take a longer duration as a second. */
const MAX_RATE_MS = 1_000;

function clampedRateMs(duration: number): number {
  return duration > MAX_RATE_MS && duration % 20 === 0 ? MAX_RATE_MS : duration;
}

/**
 * Finds the name of a constant that a program gave by its number. A field with the value `undefined` is refused: it
 * comes from a constant that does not exist (`AudioCodec.MP3`), and the default would bring other media than the
 * program asks for.
 */
function named<Params extends object>(
  mediaType: MediaType,
  params: Params,
  key: keyof Params & string,
  table: Readonly<Record<string, number>>,
): MediaFields {
  if (!(key in params)) return {};
  const value: unknown = params[key];
  const name = typeof value === 'number' ? nameOf(table, value) : undefined;
  if (name === undefined) throw invalid(`${mediaType}.${key}`, value, Object.keys(table));
  return { [key]: name };
}

function assertContentType(
  mediaType: MediaType,
  params: { contentType?: number },
  allowed: 'RAW_VIDEO' | 'TEXT',
): void {
  if (!('contentType' in params) || params.contentType === MEDIA_CONTENT_TYPE[allowed]) return;
  throw invalid(`${mediaType}.contentType`, params.contentType, [allowed]);
}

function assertObject(mediaType: MediaType, params: unknown): void {
  if (typeof params === 'object' && params !== null && !Array.isArray(params)) return;
  throw invalid(mediaType, params, ['an object']);
}

function invalid(field: string, value: unknown, allowed: readonly string[]): ServiceError {
  return new ServiceError(
    'rtms/invalid-params',
    `${field} is ${value}, allowed: ${allowed.join(', ')}`,
    { detail: { field, value: String(value), allowed } },
  );
}
