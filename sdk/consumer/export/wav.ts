import type { Frame } from '../frame.ts';
import type { Exporter } from './exporter.ts';
import { FileSink } from './file-sink.ts';
import { PcmDecoder, type PcmFormat } from './pcm.ts';
import { SampleClock } from './sample-clock.ts';

export const WAV_HEADER_BYTES = 44;

export interface WavOptions {
  /**
   * Meeting zero, Unix ms. With it the file lies on the meeting's time base: it begins there, silence fills
   * what lacks by capture time, and what overlaps is cut.
   *
   * @default absent: the frames' samples one after another, exactly, nothing added or taken away
   */
  readonly startMs?: number;
}

/**
 * Writes one speaker's audio as a 16-bit WAV file: L16 as it is, G.711 A-law and G.722 decoded.
 *
 * Beyond 4 GiB the header's sizes say "until the end of the file", which ffmpeg and SoX understand.
 */
export class WavExporter implements Exporter<Frame> {
  readonly #path: string;
  readonly #startMs: number | undefined;
  #open: { sink: FileSink; decoder: PcmDecoder; clock: SampleClock | undefined } | undefined;

  constructor(path: string, { startMs }: WavOptions = {}) {
    this.#path = path;
    this.#startMs = startMs;
  }

  /** @throws ServiceError `export/unsupported` for Opus, for other media, or when the format changes */
  async write(frame: Frame): Promise<void> {
    this.#open ??= await this.#create(frame);
    const { sink, decoder, clock } = this.#open;
    const samples = decoder.decode(frame);
    const blockBytes = 2 * decoder.format.channels;
    if (!clock) return sink.append(samples);
    const { at, skip } = clock.place(frame.capturedAt.getTime(), samples.length / blockBytes);
    if (skip * blockBytes === samples.length) return;
    const gapBytes = WAV_HEADER_BYTES + at * blockBytes - sink.size;
    if (gapBytes > 0) await sink.skip(gapBytes);
    await sink.append(samples.subarray(skip * blockBytes));
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    const { sink, decoder } = this.#open;
    await sink.writeAt(wavHeader(decoder.format, sink.size - WAV_HEADER_BYTES), 0);
    await sink.close();
  }

  async #create(first: Frame) {
    const decoder = new PcmDecoder(first);
    const sink = await FileSink.create(this.#path);
    await sink.append(wavHeader(decoder.format, 0));
    await sink.flush();
    const isTimed = this.#startMs !== undefined;
    const clock = isTimed
      ? new SampleClock(decoder.format.sampleRateHz, this.#startMs as number)
      : undefined;
    return { sink, decoder, clock };
  }
}

/** The 44 bytes of a PCM WAV file. @param dataBytes of all samples */
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
