import { type Frame, sourceKey } from '../../records/frame.ts';
import type { Adjusted, Exporter } from '../exporter.ts';
import { FileSink } from '../file-sink.ts';
import { PcmDecoder, type PcmFormat, unsupported } from './pcm.ts';
import { MAX_RIFF_BYTES, toRf64 } from './rf64.ts';
import { type Captured, type Placed, SampleClock } from './sample-clock.ts';
import { WAV_HEADER_BYTES, wavHeader } from './wav.ts';

interface Decoded extends Captured {
  readonly samples: Buffer;
}

interface Speaker {
  readonly decoder: PcmDecoder;
  readonly clock: SampleClock<Decoded>;
}

interface OpenFile {
  readonly sink: FileSink;
  readonly format: PcmFormat;
  dataBytes: number;
}

/**
 * Mixes all speakers into one 16-bit WAV file on the meeting's time base. Samples are added in the file itself. So memory
 * stays small however late a speaker's frames come. Sums that do not fit into 16 bits are clipped.
 */
export class MixExporter implements Exporter<Frame> {
  readonly #path: string;
  readonly #startMs: number;
  readonly #speakers = new Map<string, Speaker>();
  #open: OpenFile | undefined;

  /** @param startMs meeting zero, Unix ms */
  constructor(path: string, startMs: number) {
    this.#path = path;
    this.#startMs = startMs;
  }

  /** The sums over all speakers. */
  get adjusted(): Adjusted {
    const each = [...this.#speakers.values()].map(({ clock }) => clock.adjusted);
    return {
      cutMs: each.reduce((sum, { cutMs }) => sum + cutMs, 0),
      moved: each.reduce((sum, { moved }) => sum + moved, 0),
    };
  }

  /** @throws ServiceError `export/unsupported` for Opus, for other media, or for a second audio format */
  async write(frame: Frame): Promise<void> {
    const { decoder, clock } = this.#speaker(frame);
    const { format } = decoder;
    this.#open ??= { sink: await FileSink.create(this.#path), format, dataBytes: 0 };
    const open = this.#open;
    const isSame =
      open.format.sampleRateHz === format.sampleRateHz && open.format.channels === format.channels;
    if (!isSame) throw unsupported('speakers with different audio formats', frame);
    const samples = decoder.decode(frame);
    const { capturedAt, receivedAt, epoch, sequence, payload } = frame;
    const decoded = { capturedAt, receivedAt, epoch, sequence, payload, samples };
    await this.#add(clock.place(decoded, samples.length / (2 * format.channels)), open);
  }

  async close(): Promise<void> {
    const open = this.#open;
    if (!open) return;
    for (const { clock } of this.#speakers.values()) await this.#add(clock.finish(), open);
    const { sink, format, dataBytes } = open;
    await sink.writeAt(wavHeader(format, dataBytes), 0);
    await sink.close();
    if (dataBytes > MAX_RIFF_BYTES) await toRf64(this.#path, dataBytes);
  }

  async abort(): Promise<void> {
    await this.#open?.sink.abort();
  }

  async #add(placed: readonly Placed<Decoded>[], open: OpenFile): Promise<void> {
    const blockBytes = 2 * open.format.channels;
    for (const { item, at, skip } of placed) {
      const kept = item.samples.subarray(skip * blockBytes);
      if (kept.length === 0) continue;
      const position = WAV_HEADER_BYTES + at * blockBytes;
      const mixed = Buffer.alloc(kept.length);
      const end = at * blockBytes + kept.length;
      if (at * blockBytes < open.dataBytes) await open.sink.readAt(mixed, position);
      addSamples(mixed, kept);
      await open.sink.writeAt(mixed, position);
      open.dataBytes = Math.max(open.dataBytes, end);
    }
  }

  #speaker(frame: Frame): Speaker {
    const key = sourceKey(frame);
    const known = this.#speakers.get(key);
    if (known) return known;
    const decoder = new PcmDecoder(frame);
    const { sampleRateHz: rateHz } = decoder.format;
    const clock = new SampleClock<Decoded>({ rateHz, startMs: this.#startMs });
    const speaker = { decoder, clock };
    this.#speakers.set(key, speaker);
    return speaker;
  }
}

/** Adds 16-bit little-endian samples in place. */
function addSamples(into: Buffer, samples: Buffer): void {
  for (let i = 0; i + 1 < samples.length; i += 2) {
    const sum = into.readInt16LE(i) + samples.readInt16LE(i);
    into.writeInt16LE(Math.min(Math.max(sum, -32768), 32767), i);
  }
}
