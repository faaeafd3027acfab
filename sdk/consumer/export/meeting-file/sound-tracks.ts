import { AAC_DELAY, AAC_PACKET, AacEncoder } from './aac.ts';
import { MIX_RATE_HZ, type MixBlock } from './mix-reader.ts';
import type { Mp4File, Mp4Track } from './mp4-file.ts';

interface SoundTrack {
  readonly encoder: AacEncoder;
  readonly track: Mp4Track;
}

/** The sound of a meeting file: a track of everybody, and one for each speaker where they are wanted. */
export class SoundTracks {
  readonly #file: Mp4File;
  readonly #mix: SoundTrack;
  readonly #voices: ReadonlyMap<string, SoundTrack>;

  private constructor(file: Mp4File, mix: SoundTrack, voices: ReadonlyMap<string, SoundTrack>) {
    this.#file = file;
    this.#mix = mix;
    this.#voices = voices;
  }

  /**
   * @param names of the speakers who have a track of their own
   * @throws ServiceError `export/unsupported` where the library of the encoder is not installed
   */
  static async start(file: Mp4File, names: ReadonlyMap<string, string>): Promise<SoundTracks> {
    const begun: AacEncoder[] = [];
    const begin = async (name: string, isEnabled: boolean): Promise<SoundTrack> => {
      const encoder = await AacEncoder.start();
      begun.push(encoder);
      const sound = { kind: 'soun', rate: MIX_RATE_HZ, name, skip: AAC_DELAY, isEnabled } as const;
      return { encoder, track: file.addTrack(sound) };
    };
    try {
      const mix = await begin('All', true);
      const voices = new Map<string, SoundTrack>();
      for (const [speaker, name] of names) voices.set(speaker, await begin(name, false));
      return new SoundTracks(file, mix, voices);
    } catch (error) {
      await Promise.allSettled(begun.map((encoder) => encoder.abort()));
      throw error;
    }
  }

  /** @param count samples of the block that are inside the meeting */
  async add({ samples, voices }: MixBlock, count: number): Promise<void> {
    const silence = new Float32Array(count);
    await this.#encode(this.#mix, samples.subarray(0, count));
    for (const [speaker, track] of this.#voices)
      await this.#encode(track, voices.get(speaker)?.subarray(0, count) ?? silence);
  }

  async finish(): Promise<void> {
    for (const each of this.#all()) await this.#put(each.track, await each.encoder.finish());
  }

  async abort(): Promise<void> {
    await Promise.allSettled(this.#all().map(({ encoder }) => encoder.abort()));
  }

  #all(): SoundTrack[] {
    return [this.#mix, ...this.#voices.values()];
  }

  async #encode({ encoder, track }: SoundTrack, samples: Float32Array): Promise<void> {
    await this.#put(track, await encoder.encode(samples));
  }

  async #put(track: Mp4Track, packets: Awaited<ReturnType<AacEncoder['encode']>>): Promise<void> {
    for (const { data, entry } of packets)
      await this.#file.add(track, { data, entry, duration: AAC_PACKET, isKey: true });
  }
}
