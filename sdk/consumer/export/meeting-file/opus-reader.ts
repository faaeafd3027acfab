import type * as Mediabunny from 'mediabunny';
import { ServiceError } from '../../../../shared/errors.ts';
import { opusSamples } from '../../records/frame-length.ts';
import { isOpusSilence, OPUS_PRE_SKIP } from '../audio/opus.ts';
import type { OpusDecoders } from '../audio/opus-decoders.ts';

/** An Opus file of one speaker. Whoever opens it ends `packets` and disposes of `input`. */
interface OpenOpus {
  readonly input: Mediabunny.Input;
  readonly track: Mediabunny.InputAudioTrack;
  readonly packets: AsyncGenerator<Mediabunny.EncodedPacket, void, unknown>;
}

/** @throws ServiceError `export/unsupported` for a file without sound, and what opening it throws */
export async function openOpus(path: string): Promise<OpenOpus> {
  const { ALL_FORMATS, EncodedPacketSink, FilePathSource, Input } = await import('mediabunny');
  const input = new Input({ source: new FilePathSource(path), formats: ALL_FORMATS });
  try {
    const track = await input.getPrimaryAudioTrack();
    if (!track) throw new ServiceError('export/unsupported', 'no sound in the file');
    return { input, track, packets: new EncodedPacketSink(track).packets() };
  } catch (error) {
    // Without it the file stays open.
    input.dispose();
    throw error;
  }
}

/** Decodes an Opus file of one speaker from its beginning to its end, to one channel. */
export class OpusReader {
  /** Packets that could not be decoded. Silence stands for them. */
  broken = 0;
  readonly seconds: number;
  readonly #input: Mediabunny.Input;
  readonly #packets: AsyncGenerator<Mediabunny.EncodedPacket, void, unknown>;
  readonly #decoders: OpusDecoders;
  #decoded: Float32Array = new Float32Array(0);
  /** Samples to leave out: the look-ahead of the encoder. */
  #skip = OPUS_PRE_SKIP;

  private constructor(
    input: Mediabunny.Input,
    seconds: number,
    packets: AsyncGenerator<Mediabunny.EncodedPacket, void, unknown>,
    decoders: OpusDecoders,
  ) {
    this.#input = input;
    this.seconds = seconds;
    this.#packets = packets;
    this.#decoders = decoders;
  }

  /** @param decoders shared by all files that are read at the same time */
  static async open(path: string, decoders: OpusDecoders): Promise<OpusReader> {
    const { input, packets } = await openOpus(path);
    try {
      return new OpusReader(input, await input.computeDuration(), packets, decoders);
    } catch (error) {
      // Without it the file stays open.
      input.dispose();
      throw error;
    }
  }

  /** Adds the next samples, at 48 kHz, as numbers from -1 to 1. Behind the end there is silence. */
  async addTo(into: Float32Array): Promise<void> {
    let at = 0;
    while (at < into.length) {
      if (this.#decoded.length === 0 && !(await this.#decodeNext())) return;
      const count = Math.min(this.#decoded.length, into.length - at);
      for (let i = 0; i < count; i++)
        into[at + i] = (into[at + i] as number) + (this.#decoded[i] as number);
      this.#decoded = this.#decoded.subarray(count);
      at += count;
    }
  }

  async close(): Promise<void> {
    try {
      await this.#packets.return();
    } finally {
      this.#decoders.release(this);
      this.#input.dispose();
    }
  }

  /** @returns false at the end */
  async #decodeNext(): Promise<boolean> {
    const { value: packet, done } = await this.#packets.next();
    if (done || !packet) return false;
    const samples = opusSamples(packet.data);
    const decoded = await this.#decode(packet.data, samples);
    const skipped = Math.min(this.#skip, decoded.length);
    this.#skip -= skipped;
    this.#decoded = decoded.subarray(skipped);
    return true;
  }

  async #decode(data: Uint8Array, samples: number): Promise<Float32Array> {
    // What stands for a pause is most of a quiet speaker's file.
    if (isOpusSilence(data)) return new Float32Array(samples);
    await this.#decoders.prepare(this);
    const decoded = this.#decoders.decode(this, data);
    // The decoder writes the next packet into the same memory.
    if (decoded) return decoded.slice();
    this.broken += 1;
    return new Float32Array(samples);
  }
}
