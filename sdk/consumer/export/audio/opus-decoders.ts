import type { OpusDecoder } from 'opus-decoder';
import { opusSamples } from '../../records/frame-length.ts';
import { isOpusPacket } from './opus-packet.ts';

/**
 * Each decoder is a WebAssembly instance that reserves 29 MB of addresses (140 kB of memory in use). A decoder that is taken
 * from a speaker costs that speaker some milliseconds of less exact sound when it goes on.
 */
const MAX_DECODERS = 64;

/** Decodes the Opus of many speakers with few decoders of libopus. A decoder goes to whoever needs one, from whoever was silent longest. */
export class OpusDecoders {
  /** The one used last is at the end. */
  readonly #decoders = new Map<object, OpusDecoder>();

  /** Makes the decoder of a speaker ready. @returns nothing when it is, so that a caller need not wait */
  prepare(speaker: object): Promise<void> | undefined {
    const known = this.#decoders.get(speaker);
    if (known === undefined) return this.#create(speaker);
    this.#decoders.delete(speaker);
    this.#decoders.set(speaker, known);
    return undefined;
  }

  /**
   * Decodes one packet to one channel at 48 kHz.
   *
   * @param speaker of whom `prepare` was awaited
   * @returns numbers from -1 to 1, or undefined for a packet that is damaged
   */
  decode(speaker: object, packet: Uint8Array): Float32Array | undefined {
    const decoder = this.#decoders.get(speaker);
    if (decoder === undefined || !isOpusPacket(packet)) return undefined;
    const { channelData, samplesDecoded, errors } = decoder.decodeFrame(packet);
    const [samples] = channelData;
    const isWhole = errors.length === 0 && samplesDecoded === opusSamples(packet);
    return isWhole ? samples : undefined;
  }

  release(speaker: object): void {
    this.#decoders.get(speaker)?.free();
    this.#decoders.delete(speaker);
  }

  close(): void {
    for (const speaker of [...this.#decoders.keys()]) this.release(speaker);
  }

  async #create(speaker: object): Promise<void> {
    for (const [idle] of this.#decoders) {
      if (this.#decoders.size < MAX_DECODERS) break;
      this.release(idle);
    }
    // Loaded here and not at the top: who reads no Opus needs no WebAssembly.
    const { OpusDecoder } = await import('opus-decoder');
    const decoder = new OpusDecoder({ channels: 1, streamCount: 1, coupledStreamCount: 0 });
    await decoder.ready;
    this.#decoders.set(speaker, decoder);
  }
}
