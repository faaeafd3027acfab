import {
  AUDIO_CHANNEL,
  AUDIO_SAMPLE_RATE,
  MEDIA_CONTENT_TYPE,
  MEDIA_DATA_OPTION,
  MEDIA_PAYLOAD_TYPE,
  MEDIA_RESOLUTION,
  TRANSCRIPT_LANGUAGE,
} from './constants.ts';
import { Fields, numberOf, readFlag, readInteger, readObject } from './fields.ts';
import { MEDIA_TYPES, type MediaType } from './media-type.ts';
import { ofMediaType } from './offered-urls.ts';
import type { MediaParamsWire } from './wire-params.ts';

/** Parameters of each connected media type as message 4 answered them: camelCase names, Zoom's numbers. */
export interface AgreedMedia {
  readonly audio?: {
    contentType: number;
    codec: number;
    sampleRate: number;
    channel: number;
    dataOpt: number;
    sendRateMs: number;
  };
  readonly video?: {
    contentType: number;
    codec: number;
    resolution: number;
    fps: number;
    dataOpt: number;
  };
  readonly deskshare?: { contentType: number; codec: number; resolution: number; fps: number };
  readonly transcript?: { contentType: number; srcLanguage: number; enableLid: boolean };
  readonly chat?: { contentType: number };
}

/**
 * A media type that was asked for and does not flow, and why.
 *
 * - `not_offered`: message 2 named no address for it, nor one for everything
 * - `address_refused`: it named one, outside the allowed hosts
 * - `refused`: Zoom refused it in message 4; `status` says how
 * - `not_granted`: everything was asked for, and message 4 came without its parameters
 * - `not_connected`: no answer yet; the client goes on trying and tells `reconnected` when it flows
 */
export interface LeftOutMedia {
  readonly mediaType: MediaType;
  readonly reason: 'not_offered' | 'address_refused' | 'refused' | 'not_granted' | 'not_connected';
  /** STATUS_CODE, where Zoom gave one. */
  readonly status?: number;
}

const CAMEL = {
  content_type: 'contentType',
  codec: 'codec',
  sample_rate: 'sampleRate',
  channel: 'channel',
  data_opt: 'dataOpt',
  send_rate: 'sendRateMs',
  resolution: 'resolution',
  fps: 'fps',
  src_language: 'srcLanguage',
  enable_lid: 'enableLid',
} as const;

/** The table of names that may stand in place of a field's number. */
const NAMES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  content_type: MEDIA_CONTENT_TYPE,
  codec: MEDIA_PAYLOAD_TYPE,
  sample_rate: AUDIO_SAMPLE_RATE,
  channel: AUDIO_CHANNEL,
  data_opt: MEDIA_DATA_OPTION,
  resolution: MEDIA_RESOLUTION,
  src_language: TRANSCRIPT_LANGUAGE,
};

/**
 * Reads `media_params` of message 4. Numbers outside the limits are ignored: a record could not hold them, so that
 * every frame made with them would be lost.
 *
 * @param answered from the wire; a field that is missing or cannot be read keeps what was asked
 * @param asked complete params of message 3: the result has its media types and fields, and no others
 */
export function agreedMedia(answered: unknown, asked: MediaParamsWire): AgreedMedia {
  const agreed: { [Key in MediaType]?: Record<string, unknown> } = {};
  for (const mediaType of MEDIA_TYPES) {
    const askedFields = asked[mediaType];
    if (askedFields === undefined) continue;
    const answeredFields = new Fields([
      readObject(ofMediaType(readObject(answered), mediaType)) ?? {},
    ]);
    const fields: Record<string, unknown> = {};
    for (const [name, askedValue] of Object.entries(askedFields)) {
      const value = answeredFields.read<number | boolean>([name], (given) =>
        typeof askedValue === 'boolean' ? readFlag(given) : readNumber(name, given),
      );
      fields[CAMEL[name as keyof typeof CAMEL]] = value ?? askedValue;
    }
    agreed[mediaType] = fields;
  }
  return agreed as AgreedMedia;
}

/** -1 is a valid language, which says that there is none. */
function readNumber(name: string, value: unknown): number | undefined {
  const min = name === 'src_language' ? TRANSCRIPT_LANGUAGE.NONE : 0;
  return readInteger(value, undefined, min) ?? numberOf(NAMES[name] ?? {}, value);
}

const SAMPLE_RATE_HZ: Readonly<Record<number, number>> = {
  [AUDIO_SAMPLE_RATE.SR_8K]: 8_000,
  [AUDIO_SAMPLE_RATE.SR_16K]: 16_000,
  [AUDIO_SAMPLE_RATE.SR_32K]: 32_000,
  [AUDIO_SAMPLE_RATE.SR_48K]: 48_000,
};

const RESOLUTION_BOUND: Readonly<Record<number, { width: number; height: number }>> = {
  [MEDIA_RESOLUTION.SD]: { width: 854, height: 480 },
  [MEDIA_RESOLUTION.HD]: { width: 1280, height: 720 },
  [MEDIA_RESOLUTION.FHD]: { width: 1920, height: 1080 },
  [MEDIA_RESOLUTION.QHD]: { width: 2560, height: 1440 },
};

/** Hertz of an AUDIO_SAMPLE_RATE, or undefined for a number this version does not know. */
export function sampleRateHz(sampleRate: number): number | undefined {
  return SAMPLE_RATE_HZ[sampleRate];
}

/** Number of channels of an AUDIO_CHANNEL, or undefined for a number this version does not know. */
export function channelCount(channel: number): number | undefined {
  if (channel === AUDIO_CHANNEL.MONO) return 1;
  return channel === AUDIO_CHANNEL.STEREO ? 2 : undefined;
}

/** The largest picture of a MEDIA_RESOLUTION, in pixels. The pictures that come may be smaller. */
export function resolutionBound(
  resolution: number,
): { readonly width: number; readonly height: number } | undefined {
  return RESOLUTION_BOUND[resolution];
}
