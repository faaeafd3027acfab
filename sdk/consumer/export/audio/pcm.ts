import { ServiceError } from '../../../../shared/errors.ts';
import type { Frame } from '../../records/frame.ts';
import { G722Decoder } from './g722.ts';

/** What all samples of an audio file have in common. */
export interface PcmFormat {
  readonly sampleRateHz: number;
  readonly channels: number;
}

/** Sample rates that the codecs fix. For L16 this is the default: its frames tell their own. */
const CODEC_RATE_HZ = { L16: 16_000, G711: 8_000, G722: 16_000 } as const;

/** Beyond these a WAV header has no room, or no player reads it. Frames that claim more have damaged fields. */
const MAX_RATE_HZ = 768_000;
const MAX_CHANNELS = 8;

/** Decodes frames of one speaker to 16-bit little-endian samples, interleaved. */
export class PcmDecoder {
  readonly format: PcmFormat;
  readonly #codec: keyof typeof CODEC_RATE_HZ;
  readonly #g722 = new G722Decoder();

  /**
   * @param first the speaker's first frame, which fixes the format
   * @throws ServiceError `export/unsupported` for Opus (see opus.ts), for anything but audio, and for a format that no file
   *   can have
   */
  constructor(first: Frame) {
    if (first.mediaType !== 'audio' || !(first.codec in CODEC_RATE_HZ)) {
      throw unsupported(`cannot decode ${first.mediaType} in ${first.codec}`, first);
    }
    this.#codec = first.codec as keyof typeof CODEC_RATE_HZ;
    const sampleRateHz =
      (this.#codec === 'L16' && first.sampleRateHz) || CODEC_RATE_HZ[this.#codec];
    const channels = first.channels || 1;
    if (sampleRateHz > MAX_RATE_HZ || channels > MAX_CHANNELS) {
      throw unsupported('a sample rate or a number of channels that no file can have', first);
    }
    this.format = { sampleRateHz, channels };
  }

  /** @throws ServiceError `export/unsupported` when the frame has another format than the first one */
  decode(frame: Frame): Buffer {
    const { sampleRateHz, channels } = this.format;
    const isSameRate =
      this.#codec !== 'L16' || (frame.sampleRateHz || sampleRateHz) === sampleRateHz;
    if (frame.codec !== this.#codec || (frame.channels || channels) !== channels || !isSameRate) {
      throw unsupported('audio format changed within one file', frame);
    }
    if (this.#codec === 'G711') return decodeAlaw(frame.payload);
    if (this.#codec === 'G722') return this.#g722.decode(frame.payload);
    // A half sample at the end would shift all samples behind it, which are then noise.
    return frame.payload.subarray(
      0,
      frame.payload.length - (frame.payload.length % (2 * channels)),
    );
  }
}

/** @returns `export/unsupported`, with the identity of the frame in `detail` */
export function unsupported(what: string, { rtmsStreamId, epoch, sequence }: Frame): ServiceError {
  return new ServiceError('export/unsupported', what, {
    detail: { rtmsStreamId, epoch, sequence },
  });
}

/**
 * Decodes one A-law code: every other bit is sent inverted, with 3 bits of exponent and 4 of mantissa.
 *
 * @see ITU-T G.711, table 1a
 */
function decodeAlawCode(code: number): number {
  const bits = code ^ 0x55;
  const mantissa = (bits & 0x0f) << 4;
  const exponent = (bits & 0x70) >> 4;
  const magnitude = exponent === 0 ? mantissa + 8 : (mantissa + 0x108) << (exponent - 1);
  return bits & 0x80 ? magnitude : -magnitude;
}

const ALAW = Int16Array.from({ length: 256 }, (_, code) => decodeAlawCode(code));

/** Decodes G.711 A-law, which Zoom calls G711, to 16-bit little-endian samples. */
export function decodeAlaw(payload: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(payload.length * 2);
  for (let i = 0; i < payload.length; i++) {
    out.writeInt16LE(ALAW[payload[i] as number] as number, i * 2);
  }
  return out;
}
