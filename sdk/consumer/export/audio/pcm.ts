import { ServiceError } from '../../../../shared/errors.ts';
import type { Frame } from '../../records/frame.ts';
import { decodeAlaw } from './g711.ts';
import { G722Decoder } from './g722.ts';

/** What the samples of an audio file have in common. */
export interface PcmFormat {
  readonly sampleRateHz: number;
  readonly channels: number;
}

/** Rates that the codec fixes; L16 says its own. */
const CODEC_RATE_HZ = { L16: 16_000, G711: 8_000, G722: 16_000 } as const;

/** Beyond it a WAV header has no room, or no player takes it: then the frame's own fields are damaged. */
const MAX_RATE_HZ = 768_000;
const MAX_CHANNELS = 8;

/** Turns frames of one speaker into 16-bit little-endian samples, interleaved. */
export class PcmDecoder {
  readonly format: PcmFormat;
  readonly #codec: keyof typeof CODEC_RATE_HZ;
  readonly #g722 = new G722Decoder();

  /**
   * @param first the speaker's first frame, which fixes the format
   * @throws ServiceError `export/unsupported` for Opus (see opus.ts), for anything that is not audio, and for a format that no
   *   file can have
   */
  constructor(first: Frame) {
    if (first.mediaType !== 'audio' || !(first.codec in CODEC_RATE_HZ)) {
      throw unsupported(`cannot make samples of ${first.mediaType} in ${first.codec}`, first);
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
    // Half a sample would turn all that follows into noise.
    return frame.payload.subarray(
      0,
      frame.payload.length - (frame.payload.length % (2 * channels)),
    );
  }
}

export function unsupported(what: string, { rtmsStreamId, epoch, sequence }: Frame): ServiceError {
  return new ServiceError('export/unsupported', what, {
    detail: { rtmsStreamId, epoch, sequence },
  });
}
