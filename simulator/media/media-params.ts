import {
  MEDIA_PAYLOAD_TYPE as CODEC,
  MEDIA_CONTENT_TYPE as CONTENT,
  MEDIA_DATA_OPTION as OPTION,
  AUDIO_SAMPLE_RATE as RATE,
  STATUS_CODE as STATUS,
} from '../../rtms/protocol/constants.ts';
import type { MediaType } from '../../rtms/protocol/media-type.ts';

/**
 * Zoom's side of the parameter table: fills in the defaults of the wire, checks each field and the combination, and
 * answers with the code that Zoom documents. It does not use the client's table in rtms/protocol/params.ts, because a
 * mistake in that table would then stay hidden.
 *
 * @see https://developers.zoom.us/docs/rtms/media-parameter-definition/ (read 2026-11-22)
 */
export interface SimulatedAudioParams {
  content_type: number;
  sample_rate: number;
  channel: number;
  codec: number;
  data_opt: number;
  send_rate: number;
}

/** Parameters of pictures in Zoom's spelling and numbers. */
export interface PictureParams {
  content_type: number;
  codec: number;
  resolution: number;
  fps: number;
}

/** `media_params` of message 4, in Zoom's spelling and numbers. */
export interface AgreedParams {
  audio?: SimulatedAudioParams;
  video?: PictureParams & { data_opt: number };
  deskshare?: PictureParams;
  transcript?: { content_type: number; src_language: number; enable_lid: boolean };
  chat?: { content_type: number };
}

/** The values of fields that are left out. Zoom's SDK sends other values. */
export const WIRE_DEFAULTS = {
  audio: { content_type: 2, sample_rate: 1, channel: 1, codec: 1, data_opt: 1, send_rate: 20 },
  video: { content_type: 3, codec: 5, resolution: 2, fps: 5, data_opt: 3 },
  deskshare: { content_type: 3, codec: 5, resolution: 3, fps: 1 },
  transcript: { content_type: 5, src_language: 9, enable_lid: true },
  chat: { content_type: 5 },
} as const satisfies Required<AgreedParams>;

type Fields = Record<string, unknown>;

/**
 * @param requested `media_params` of message 3, unchecked
 * @param mode `lenient` accepts RTP with L16, and lowers an fps that is too high for pictures
 * @returns the agreed parameters of `mediaTypes`, or the STATUS_CODE that refuses them
 */
export function agreedParams(
  requested: unknown,
  mediaTypes: readonly MediaType[],
  mode: 'strict' | 'lenient',
): AgreedParams | number {
  // Zoom's own SDK sends `null` for a transcript.
  const isAbsent = requested === undefined || requested === null;
  if (!isAbsent && !isObject(requested)) return STATUS.INVALID_MEDIA_PARAMS;
  const agreed: Record<string, Fields> = {};
  for (const mediaType of mediaTypes) {
    const given = requested?.[mediaType];
    if (given !== undefined && !isObject(given)) return INVALID_PARAMS[mediaType];
    const fields: Fields = { ...WIRE_DEFAULTS[mediaType] };
    for (const name in WIRE_DEFAULTS[mediaType]) {
      if (given?.[name] !== undefined) fields[name] = given[name];
    }
    const status = CHECKS[mediaType](fields, mode);
    if (status !== STATUS.OK) return status;
    agreed[mediaType] = fields;
  }
  return agreed as AgreedParams;
}

const INVALID_PARAMS: Record<MediaType, number> = {
  audio: STATUS.INVALID_MEDIA_AUDIO_PARAMS,
  video: STATUS.INVALID_MEDIA_VIDEO_PARAMS,
  deskshare: STATUS.INVALID_MEDIA_DESKSHARE_PARAMS,
  transcript: STATUS.INVALID_MEDIA_TRANSCRIPT_PARAMS,
  chat: STATUS.INVALID_MEDIA_CHAT_PARAMS,
};

const CHECKS: Record<MediaType, (fields: Fields, mode: 'strict' | 'lenient') => number> = {
  audio: checkAudio,
  video(fields, mode) {
    if (fields['content_type'] !== CONTENT.RAW_VIDEO) {
      return STATUS.INVALID_MEDIA_VIDEO_CONTENT_TYPE;
    }
    if (!isOneOf(fields['codec'], [CODEC.JPG, CODEC.PNG, CODEC.H264])) {
      return STATUS.INVALID_MEDIA_VIDEO_CODEC;
    }
    if (!isWhole(fields['resolution'], 1, 4)) return STATUS.INVALID_MEDIA_VIDEO_RESOLUTION;
    const options = [OPTION.VIDEO_SINGLE_ACTIVE_STREAM, OPTION.VIDEO_SINGLE_INDIVIDUAL_STREAM];
    if (!isOneOf(fields['data_opt'], options)) return STATUS.INVALID_MEDIA_VIDEO_DATA_OPT;
    return fitFps(fields, mode) ? STATUS.OK : STATUS.INVALID_MEDIA_VIDEO_FPS;
  },
  deskshare(fields, mode) {
    if (fields['content_type'] !== CONTENT.RAW_VIDEO) {
      return STATUS.INVALID_MEDIA_DESKSHARE_CONTENT_TYPE;
    }
    if (!isOneOf(fields['codec'], [CODEC.JPG, CODEC.PNG, CODEC.H264])) {
      return STATUS.INVALID_MEDIA_DESKSHARE_CODEC;
    }
    if (!isWhole(fields['resolution'], 1, 4)) return STATUS.INVALID_MEDIA_DESKSHARE_RESOLUTION;
    return fitFps(fields, mode) ? STATUS.OK : STATUS.INVALID_MEDIA_DESKSHARE_FPS;
  },
  transcript(fields) {
    if (fields['content_type'] !== CONTENT.TEXT) {
      return STATUS.INVALID_MEDIA_TRANSCRIPT_CONTENT_TYPE;
    }
    if (!isWhole(fields['src_language'], -1, 36)) {
      return STATUS.INVALID_MEDIA_TRANSCRIPT_SOURCE_LANGUAGE;
    }
    return typeof fields['enable_lid'] === 'boolean'
      ? STATUS.OK
      : STATUS.INVALID_MEDIA_TRANSCRIPT_PARAMS;
  },
  chat: (fields) =>
    fields['content_type'] === CONTENT.TEXT ? STATUS.OK : STATUS.INVALID_MEDIA_CHAT_CONTENT_TYPE,
};

/** The rows of the combination matrix that fix a sample rate. L16 is allowed with every rate. */
const FIXED_SAMPLE_RATE: Readonly<Record<number, number>> = {
  [CODEC.OPUS]: RATE.SR_48K,
  [CODEC.G711]: RATE.SR_8K,
  [CODEC.G722]: RATE.SR_16K,
};

function checkAudio(fields: Fields, mode: 'strict' | 'lenient'): number {
  const { content_type: content, codec, sample_rate: rate, channel, send_rate: sendRate } = fields;
  if (!isOneOf(content, [CONTENT.RTP, CONTENT.RAW_AUDIO])) {
    return STATUS.INVALID_MEDIA_AUDIO_CONTENT_TYPE;
  }
  if (!isWhole(codec, CODEC.L16, CODEC.OPUS)) return STATUS.INVALID_MEDIA_AUDIO_CODEC;
  if (!isWhole(rate, RATE.SR_8K, RATE.SR_48K)) return STATUS.INVALID_MEDIA_AUDIO_SAMPLE_RATE;
  if (!isWhole(channel, 1, 2)) return STATUS.INVALID_MEDIA_AUDIO_CHANNEL;
  const options = [OPTION.AUDIO_MIXED_STREAM, OPTION.AUDIO_MULTI_STREAMS];
  if (!isOneOf(fields['data_opt'], options)) return STATUS.INVALID_MEDIA_AUDIO_DATA_OPT;
  if (!isWhole(sendRate, 20, Number.MAX_SAFE_INTEGER) || sendRate % 20 !== 0) {
    return STATUS.INVALID_MEDIA_AUDIO_SEND_RATE;
  }
  fields['send_rate'] = Math.min(sendRate, 1000);
  if (codec === CODEC.L16) {
    return content === CONTENT.RTP && mode === 'strict'
      ? STATUS.INVALID_MEDIA_AUDIO_CONTENT_TYPE
      : STATUS.OK;
  }
  if (rate !== FIXED_SAMPLE_RATE[codec]) return STATUS.INVALID_MEDIA_AUDIO_SAMPLE_RATE;
  if (channel !== 1 && codec !== CODEC.OPUS) return STATUS.INVALID_MEDIA_AUDIO_CHANNEL;
  return sendRate === 20 ? STATUS.OK : STATUS.INVALID_MEDIA_AUDIO_SEND_RATE;
}

/** Pictures come at 5 a second at most. By the documents a higher rate falls back; by the status table it is refused. */
function fitFps(fields: Fields, mode: 'strict' | 'lenient'): boolean {
  if (!isWhole(fields['fps'], 1, 30)) return false;
  if (fields['codec'] === CODEC.H264 || fields['fps'] <= 5) return true;
  if (mode === 'strict') return false;
  fields['fps'] = 5;
  return true;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isWhole(value: unknown, from: number, to: number): value is number {
  return Number.isInteger(value) && (value as number) >= from && (value as number) <= to;
}

function isOneOf(value: unknown, allowed: readonly number[]): value is number {
  return allowed.includes(value as number);
}
