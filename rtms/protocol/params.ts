import { ServiceError } from '../../shared/errors.ts';
import { parseVideoFollow, type VideoFollow } from '../../shared/video-follow.ts';
import {
  AUDIO_CHANNEL,
  AUDIO_SAMPLE_RATE,
  MEDIA_RESOLUTION,
  TRANSCRIPT_LANGUAGE,
} from './constants.ts';
import { MEDIA_TYPES, type MediaType } from './media-type.ts';
import type { ProtocolRequest, ProtocolSettings } from './protocol-settings.ts';

/** Values are the names of Zoom's constants; constants.ts has their numbers. */
export interface AudioRequest {
  readonly contentType: 'RAW_AUDIO' | 'RTP';
  readonly codec: 'L16' | 'G711' | 'G722' | 'OPUS';
  readonly sampleRate: keyof typeof AUDIO_SAMPLE_RATE;
  readonly channel: keyof typeof AUDIO_CHANNEL;
  readonly dataOpt: 'AUDIO_MIXED_STREAM' | 'AUDIO_MULTI_STREAMS';
  /** Milliseconds of audio in one message: with L16 a multiple of 20 up to 1000, otherwise 20. */
  readonly sendRateMs: number;
}

/** How the shared screen is asked for. */
export interface DeskshareRequest {
  readonly codec: 'JPG' | 'PNG' | 'H264';
  /** The largest size: the real one depends on the sender and the network. */
  readonly resolution: keyof typeof MEDIA_RESOLUTION;
  /** Frames per second: 1 to 5 with JPG and PNG, 1 to 30 with H264. */
  readonly fps: number;
}

/** How cameras are asked for. */
export interface VideoRequest extends DeskshareRequest {
  readonly dataOpt: 'VIDEO_SINGLE_ACTIVE_STREAM' | 'VIDEO_SINGLE_INDIVIDUAL_STREAM';
  /**
   * Which participant's camera the runner selects. With VIDEO_SINGLE_INDIVIDUAL_STREAM only; not sent to Zoom.
   *
   * @default 'active-speaker'
   */
  readonly follow?: VideoFollow;
  /**
   * How many cameras are recorded at once, with VIDEO_SINGLE_INDIVIDUAL_STREAM only: 1 to 4. More than one needs
   * protocol version 2; products that speak version 1 have one.
   *
   * @default 1
   */
  readonly cameras?: number;
}

/** How the transcript is asked for. */
export interface TranscriptRequest {
  /** The language spoken; with `enableLid` a first guess. NONE: no guess. */
  readonly srcLanguage: keyof typeof TRANSCRIPT_LANGUAGE;
  /** Zoom identifies the language, and switches when it changes. */
  readonly enableLid: boolean;
}

/** What to ask Zoom for, complete; `false`: not wanted. `parseMediaRequest` reads the short form. */
export interface MediaRequest {
  readonly audio: AudioRequest | false;
  readonly video: VideoRequest | false;
  readonly deskshare: DeskshareRequest | false;
  readonly transcript: TranscriptRequest | false;
  readonly chat: Readonly<Record<never, never>> | false;
}

/** Everything Zoom offers, with the defaults of Zoom's own SDK. */
export const DEFAULT_MEDIA_REQUEST = {
  audio: {
    contentType: 'RAW_AUDIO',
    codec: 'OPUS',
    sampleRate: 'SR_48K',
    channel: 'STEREO',
    dataOpt: 'AUDIO_MULTI_STREAMS',
    sendRateMs: 20,
  },
  video: { codec: 'H264', resolution: 'HD', fps: 30, dataOpt: 'VIDEO_SINGLE_ACTIVE_STREAM' },
  deskshare: { codec: 'JPG', resolution: 'FHD', fps: 1 },
  transcript: { srcLanguage: 'NONE', enableLid: true },
  chat: {},
} as const satisfies MediaRequest;

/** In an error, stands in place of the value of an unknown field. */
export const UNKNOWN_FIELD = 'unknown field';

type Fields = Readonly<Record<string, string | number | boolean>>;
/** Allowed values of one field: a list, or a range of whole numbers. */
type Allowed = readonly (string | boolean)[] | { from: number; to: number; step: number };

const PICTURE = {
  codec: ['JPG', 'PNG', 'H264'],
  resolution: Object.keys(MEDIA_RESOLUTION),
  fps: { from: 1, to: 30, step: 1 },
} as const;

const FIELDS: Readonly<Record<MediaType, Readonly<Record<string, Allowed>>>> = {
  audio: {
    contentType: ['RAW_AUDIO', 'RTP'],
    codec: ['L16', 'G711', 'G722', 'OPUS'],
    sampleRate: Object.keys(AUDIO_SAMPLE_RATE),
    channel: Object.keys(AUDIO_CHANNEL),
    dataOpt: ['AUDIO_MIXED_STREAM', 'AUDIO_MULTI_STREAMS'],
    sendRateMs: { from: 20, to: 1000, step: 20 },
  },
  video: { ...PICTURE, dataOpt: ['VIDEO_SINGLE_ACTIVE_STREAM', 'VIDEO_SINGLE_INDIVIDUAL_STREAM'] },
  deskshare: PICTURE,
  transcript: { srcLanguage: Object.keys(TRANSCRIPT_LANGUAGE), enableLid: [true, false] },
  chat: {},
};

/**
 * Further restrictions by codec. Fields that are not named here may have any value of FIELDS.
 *
 * H264 below 6 fps is outside Zoom's table but passes the check of Zoom's SDK, so it is allowed.
 *
 * @see https://developers.zoom.us/docs/rtms/media-parameter-definition/ (read 2026-11-22)
 */
const NARROWED: Readonly<Record<string, Readonly<Record<string, Allowed>>>> = {
  L16: { contentType: ['RAW_AUDIO'] },
  OPUS: { sampleRate: ['SR_48K'], sendRateMs: { from: 20, to: 20, step: 20 } },
  G711: { sampleRate: ['SR_8K'], channel: ['MONO'], sendRateMs: { from: 20, to: 20, step: 20 } },
  G722: { sampleRate: ['SR_16K'], channel: ['MONO'], sendRateMs: { from: 20, to: 20, step: 20 } },
  JPG: { fps: { from: 1, to: 5, step: 1 } },
  PNG: { fps: { from: 1, to: 5, step: 1 } },
};

/**
 * Reads the JSON of `RTMS_MEDIA`. Media types and fields that are left out keep their default.
 *
 * @throws ServiceError `rtms/invalid-params`; `detail` names `field`, `value` and `allowed`
 */
export function parseMediaRequest(json: string): MediaRequest {
  let input: unknown;
  try {
    input = JSON.parse(json);
  } catch (cause) {
    throw new ServiceError('rtms/invalid-params', 'the media request is not JSON', { cause });
  }
  return completeMediaRequest(input);
}

/**
 * Fills a partial media request with the defaults and checks every field and combination.
 *
 * @throws ServiceError `rtms/invalid-params`; `detail` names `field`, `value` and `allowed`
 */
export function completeMediaRequest(input: unknown): MediaRequest {
  const given = objectAt('media', input, MEDIA_TYPES);
  const request: Record<string, Fields | false> = {};
  for (const mediaType of MEDIA_TYPES) {
    const value = given[mediaType];
    request[mediaType] =
      value === false ? false : checkFields(mediaType, value === undefined ? {} : value);
  }
  if (MEDIA_TYPES.every((mediaType) => request[mediaType] === false)) {
    throw invalid('media', 'all false', MEDIA_TYPES);
  }
  return request as unknown as MediaRequest;
}

function checkFields(mediaType: MediaType, input: unknown): Fields {
  const allowed = FIELDS[mediaType];
  // These two are for the runner and not for Zoom.
  const { follow, cameras, ...rest } = (input ?? {}) as Readonly<Record<string, unknown>>;
  const isChoosing =
    mediaType === 'video' &&
    isPlainObject(input) &&
    (follow !== undefined || cameras !== undefined);
  const names = [...Object.keys(allowed), ...(mediaType === 'video' ? ['follow', 'cameras'] : [])];
  const given = objectAt(mediaType, isChoosing ? rest : input, names);
  const fields = { ...DEFAULT_MEDIA_REQUEST[mediaType], ...given } as Fields;
  const narrowed = NARROWED[String(fields['codec'])] ?? {};
  for (const [field, values] of [...Object.entries(allowed), ...Object.entries(narrowed)]) {
    checkField(`${mediaType}.${field}`, fields[field], values);
  }
  if (!isChoosing) return fields;
  if (fields['dataOpt'] !== 'VIDEO_SINGLE_INDIVIDUAL_STREAM') {
    const field = follow === undefined ? 'video.cameras' : 'video.follow';
    throw invalid(field, `given with ${fields['dataOpt']}`, [
      'with dataOpt VIDEO_SINGLE_INDIVIDUAL_STREAM only',
    ]);
  }
  if (cameras !== undefined) checkField('video.cameras', cameras, CAMERAS);
  return {
    ...fields,
    ...(follow !== undefined && { follow: parseVideoFollow(follow) }),
    ...(cameras !== undefined && { cameras }),
  } as unknown as Fields;
}

/** Zoom's own default limit. */
const CAMERAS = { from: 1, to: 4, step: 1 };

/** Whether each camera has a connection of its own: with V2 only, and only if several cameras are wanted. */
export function followsSeveralCameras(
  { video }: MediaRequest,
  { version }: Pick<ProtocolSettings, 'version'>,
): boolean {
  if (video === false || video.dataOpt !== 'VIDEO_SINGLE_INDIVIDUAL_STREAM') return false;
  return version === 2 && (video.cameras ?? 1) > 1;
}

/** @throws ServiceError `rtms/invalid-params` when several cameras are wanted and no product speaks version 2 */
export function checkCameras({ video }: MediaRequest, protocol: ProtocolRequest): void {
  const cameras = video === false ? 1 : (video.cameras ?? 1);
  if (cameras === 1 || Object.values(protocol).some(({ version }) => version === 2)) return;
  throw invalid('video.cameras', cameras, ['1 where no product has protocol version 2']);
}

function isPlainObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function checkField(field: string, value: unknown, allowed: Allowed): void {
  if (Array.isArray(allowed)) {
    if (!allowed.includes(value)) throw invalid(field, value, allowed.map(String));
    return;
  }
  const { from, to, step } = allowed as { from: number; to: number; step: number };
  if (typeof value === 'number' && value >= from && value <= to && value % step === 0) return;
  const range = from === to ? String(from) : `${from} to ${to}${step === 1 ? '' : ` by ${step}`}`;
  throw invalid(field, value, [range]);
}

function objectAt(
  field: string,
  value: unknown,
  names: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(field, value, field === 'media' ? ['an object'] : ['an object', 'false']);
  }
  for (const name of Object.keys(value)) {
    if (!names.includes(name)) throw invalid(`${field}.${name}`, UNKNOWN_FIELD, names);
  }
  return value as Readonly<Record<string, unknown>>;
}

function invalid(field: string, value: unknown, allowed: readonly string[]): ServiceError {
  const shown = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined');
  return new ServiceError(
    'rtms/invalid-params',
    `${field} is ${shown}, allowed: ${allowed.join(', ')}`,
    { detail: { field, value: shown, allowed } },
  );
}

/** The media types a request wants, in the order of MEDIA_TYPES. */
export function wantedMediaTypes(request: MediaRequest): MediaType[] {
  return MEDIA_TYPES.filter((mediaType) => request[mediaType] !== false);
}
