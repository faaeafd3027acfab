import type { OpusDecoders } from '../export/audio/opus-decoders.ts';
import { PcmDecoder, unsupported } from '../export/audio/pcm.ts';
import { canResample } from '../export/audio/resample.ts';
import type { Frame } from '../records/frame.ts';
import { frameMs, OPUS_RATE_HZ } from '../records/frame-length.ts';

/** Beyond this no frame of speech has sound: at 20 ms and 192 kHz it would be 3,840 samples. Longer ones have damaged fields. */
const MAX_FRAME_MS = 2_000;

/** The sound of one frame, one channel, from -1 to 1. */
export interface Sound {
  readonly rateHz: number;
  readonly samples: Float32Array;
}

/** Decodes the frames of one speaker to one channel, whatever their codec is, and however often it changes. */
export class VoiceDecoder {
  readonly #opus: OpusDecoders;
  readonly #rateHz: number;
  #pcm: PcmDecoder | undefined;
  #format = '';

  /** @param rateHz to which the sound will be resampled */
  constructor(opus: OpusDecoders, rateHz: number) {
    this.#opus = opus;
    this.#rateHz = rateHz;
  }

  /** What must be awaited before `decode`, if anything. */
  prepare({ codec }: Frame): Promise<void> | undefined {
    return codec === 'OPUS' ? this.#opus.prepare(this) : undefined;
  }

  /**
   * @returns whether the frame has another format than the one before it
   * @throws ServiceError `export/unsupported` for a frame that cannot be decoded, or whose rate cannot be converted
   */
  decode(frame: Frame): Sound & { readonly isNewFormat: boolean } {
    if (frameMs(frame) > MAX_FRAME_MS) throw unsupported('an audio frame of more than 2 s', frame);
    const { codec, channels } = frame;
    const format = `${codec} ${codec === 'OPUS' ? '' : `${frame.sampleRateHz} ${channels}`}`;
    const isNewFormat = this.#format !== '' && format !== this.#format;
    const sound =
      codec === 'OPUS' ? this.#decodeOpus(frame) : this.#decodePcm(frame, format !== this.#format);
    // Set behind the decoding: a frame that cannot be decoded changes nothing.
    this.#format = format;
    return { ...sound, isNewFormat };
  }

  close(): void {
    this.#opus.release(this);
  }

  #decodeOpus(frame: Frame): Sound {
    const samples = this.#opus.decode(this, frame.payload);
    if (samples === undefined) throw unsupported('a damaged Opus packet', frame);
    return { rateHz: OPUS_RATE_HZ, samples };
  }

  #decodePcm(frame: Frame, isOther: boolean): Sound {
    const pcm = isOther || this.#pcm === undefined ? new PcmDecoder(frame) : this.#pcm;
    const { sampleRateHz: rateHz, channels } = pcm.format;
    if (!canResample(rateHz, this.#rateHz))
      throw unsupported(`a sample rate of ${rateHz} Hz`, frame);
    const bytes = pcm.decode(frame);
    this.#pcm = pcm;
    const count = Math.floor(bytes.length / (2 * channels));
    const samples = new Float32Array(count);
    for (let i = 0; i < count; i++) {
      let sum = 0;
      for (let channel = 0; channel < channels; channel++)
        sum += bytes.readInt16LE((i * channels + channel) * 2);
      samples[i] = sum / (32_768 * channels);
    }
    return { rateHz, samples };
  }
}
