import type * as Mediabunny from 'mediabunny';
import { ServiceError } from '../../../../shared/errors.ts';
import { MIX_RATE_HZ } from './mix-reader.ts';
import { mp4a } from './mp4-boxes.ts';

/** Speech of one channel, where nobody hears a difference to the original. */
const BITRATE = 96_000;

/** Samples that the encoder puts before the first one; players leave them out. */
export const AAC_DELAY = 1024;

/** Samples of one packet. */
export const AAC_PACKET = 1024;

interface AacPacket {
  readonly data: Uint8Array;
  readonly entry: Buffer;
}

/** Encodes one channel at 48 kHz as AAC-LC. The work is done in a worker thread of the library. */
export class AacEncoder {
  readonly #library: typeof Mediabunny;
  readonly #output: Mediabunny.Output;
  readonly #source: Mediabunny.AudioSampleSource;
  #packets: AacPacket[] = [];
  #entry: Buffer | undefined;
  #seconds = 0;

  private constructor(library: typeof Mediabunny) {
    this.#library = library;
    // The library encodes on the way into a file. This one is thrown away, and the packets are kept.
    this.#output = new library.Output({
      format: new library.MkvOutputFormat(),
      target: new library.NullTarget(),
    });
    this.#source = new library.AudioSampleSource({
      codec: 'aac',
      bitrate: BITRATE,
      onEncodedPacket: (packet, meta) => this.#collect(packet.data, meta?.decoderConfig),
    });
    this.#output.addAudioTrack(this.#source);
  }

  /** @throws ServiceError `export/unsupported` where the library of the encoder is not installed */
  static async start(): Promise<AacEncoder> {
    const library = await import('mediabunny');
    const { registerAacEncoder } = await import('@mediabunny/aac-encoder').catch((cause) => {
      const what = 'the AAC encoder cannot be loaded: is @mediabunny/aac-encoder installed?';
      throw new ServiceError('export/unsupported', what, { cause });
    });
    registerAacEncoder();
    const encoder = new AacEncoder(library);
    await encoder.#output.start();
    return encoder;
  }

  /** @returns packets that are done, of these samples or of earlier ones */
  async encode(samples: Float32Array): Promise<readonly AacPacket[]> {
    const sample = new this.#library.AudioSample({
      data: samples,
      format: 'f32',
      numberOfChannels: 1,
      sampleRate: MIX_RATE_HZ,
      timestamp: this.#seconds,
    });
    this.#seconds += samples.length / MIX_RATE_HZ;
    await this.#source.add(sample);
    sample.close();
    return this.#take();
  }

  /** @returns the last packets */
  async finish(): Promise<readonly AacPacket[]> {
    await this.#output.finalize();
    return this.#take();
  }

  /** Ends the worker. */
  async abort(): Promise<void> {
    await this.#output.cancel();
  }

  #take(): readonly AacPacket[] {
    const packets = this.#packets;
    this.#packets = [];
    return packets;
  }

  #collect(data: Uint8Array, config: { description?: unknown } | undefined): void {
    const description = config?.description;
    if (description instanceof Uint8Array) this.#entry = mp4a(MIX_RATE_HZ, 1, description);
    if (this.#entry) this.#packets.push({ data, entry: this.#entry });
  }
}
