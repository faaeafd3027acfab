import type { Frame } from '../../records/frame.ts';
import type { Adjusted, Exporter } from '../exporter.ts';
import { FileSink } from '../file-sink.ts';
import { PcmDecoder, type PcmFormat } from './pcm.ts';
import { MAX_RIFF_BYTES, toRf64 } from './rf64.ts';
import { type Captured, type Placed, SampleClock } from './sample-clock.ts';

export const WAV_HEADER_BYTES = 44;

/** Options of `new WavExporter(path, options)`. */
export interface WavOptions {
  /**
   * Meeting zero, Unix ms. With it the file is on the meeting's time base: it begins at zero, gaps in the capture times
   * become silence, and audio that is written already is cut.
   *
   * @default absent: the frames' samples one after another, with nothing added or left out
   */
  readonly startMs?: number;
  /**
   * A file with more bytes of samples is written as RF64, whose sizes have 64 bits.
   *
   * @default 4 GiB, the largest size of RIFF
   */
  readonly maxRiffBytes?: number;
}

/** A frame with its decoded samples, before its place is known. */
interface Decoded extends Captured {
  readonly samples: Buffer;
}

interface OpenFile {
  readonly sink: FileSink;
  readonly decoder: PcmDecoder;
  readonly clock: SampleClock<Decoded> | undefined;
}

/** Writes one speaker's audio as a 16-bit WAV file: L16 as it came, G.711 A-law and G.722 decoded. */
export class WavExporter implements Exporter<Frame> {
  readonly #path: string;
  readonly #options: WavOptions;
  #open: OpenFile | undefined;

  constructor(path: string, options: WavOptions = {}) {
    this.#path = path;
    this.#options = options;
  }

  get adjusted(): Adjusted | undefined {
    return this.#open?.clock?.adjusted;
  }

  /** @throws ServiceError `export/unsupported` for Opus, for other media, or when the format changes */
  async write(frame: Frame): Promise<void> {
    this.#open ??= await this.#create(frame);
    const { sink, decoder, clock } = this.#open;
    const samples = decoder.decode(frame);
    if (!clock) return sink.append(samples);
    const { capturedAt, receivedAt, epoch, sequence, payload } = frame;
    const decoded = { capturedAt, receivedAt, epoch, sequence, payload, samples };
    await this.#put(clock.place(decoded, samples.length / (2 * decoder.format.channels)));
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    const { sink, decoder, clock } = this.#open;
    await this.#put(clock?.finish() ?? []);
    const dataBytes = sink.size - WAV_HEADER_BYTES;
    await sink.writeAt(wavHeader(decoder.format, dataBytes), 0);
    await sink.close();
    const { maxRiffBytes = MAX_RIFF_BYTES } = this.#options;
    if (dataBytes > maxRiffBytes) await toRf64(this.#path, dataBytes);
  }

  async abort(): Promise<void> {
    await this.#open?.sink.abort();
  }

  async #put(placed: readonly Placed<Decoded>[]): Promise<void> {
    if (!this.#open) return;
    const { sink, decoder } = this.#open;
    const blockBytes = 2 * decoder.format.channels;
    for (const { item, at, skip } of placed) {
      const gapBytes = WAV_HEADER_BYTES + at * blockBytes - sink.size;
      if (gapBytes > 0) await sink.skip(gapBytes);
      await sink.append(item.samples.subarray(skip * blockBytes));
    }
  }

  async #create(first: Frame): Promise<OpenFile> {
    const decoder = new PcmDecoder(first);
    const sink = await FileSink.create(this.#path);
    try {
      // Flushed at once. Bytes that are flushed later would overwrite the header that `close` writes.
      await sink.append(wavHeader(decoder.format, 0));
      await sink.flush();
    } catch (error) {
      // No field has this file yet, so nothing else would close it.
      await sink.abort();
      throw error;
    }
    const { startMs } = this.#options;
    const rateHz = decoder.format.sampleRateHz;
    const clock = startMs === undefined ? undefined : new SampleClock<Decoded>({ rateHz, startMs });
    return { sink, decoder, clock };
  }
}

/** @returns the 44 bytes before the samples of a PCM WAV file. @param dataBytes of all samples */
export function wavHeader({ sampleRateHz, channels }: PcmFormat, dataBytes: number): Buffer {
  const header = Buffer.alloc(WAV_HEADER_BYTES);
  const blockBytes = 2 * channels;
  const size = (bytes: number) => Math.min(bytes, 0xffffffff);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(size(WAV_HEADER_BYTES - 8 + dataBytes), 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(sampleRateHz, 24);
  header.writeUInt32LE(sampleRateHz * blockBytes, 28);
  header.writeUInt16LE(blockBytes, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(size(dataBytes), 40);
  return header;
}
