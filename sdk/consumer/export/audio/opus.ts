import { rename, rm } from 'node:fs/promises';
import type * as Mediabunny from 'mediabunny';
import type { Frame } from '../../records/frame.ts';
import { OPUS_RATE_HZ, opusSamples } from '../../records/frame-length.ts';
import { type Adjusted, type Exporter, partialPath } from '../exporter.ts';
import { unsupported } from './pcm.ts';
import { type Placed, SampleClock } from './sample-clock.ts';

/** More channels need a mapping table, which Zoom does not send. @see RFC 7845, 5.1.1 */
const MAX_CHANNELS = 2;

/** Samples that players drop at the beginning: the look-ahead of libopus. */
export const OPUS_PRE_SKIP = 312;

/** Twenty milliseconds of silence, full band, mono. @see RFC 6716, 3.1 */
const SILENCE = Buffer.from([0xf8, 0xff, 0xfe]);
const SILENCE_SAMPLES = 960;

/** Whether a packet is what `OpusExporter` writes for a pause. */
export function isOpusSilence(packet: Uint8Array): boolean {
  return SILENCE.equals(packet);
}

interface OpenFile {
  readonly library: typeof Mediabunny;
  readonly output: Mediabunny.Output;
  readonly source: Mediabunny.EncodedAudioPacketSource;
}

/**
 * Writes one speaker's Opus packets, not decoded, as `.ogg` or `.webm` on the meeting's time base. Gaps in the capture
 * times become packets of silence, because neither format can leave time out.
 */
export class OpusExporter implements Exporter<Frame> {
  readonly #path: string;
  readonly #clock: SampleClock<Frame>;
  #open: OpenFile | undefined;
  #channels: number | undefined;
  #next = 0;

  /**
   * @param path ending in `.ogg` or `.webm`
   * @param startMs meeting zero, Unix ms
   */
  constructor(path: string, startMs: number) {
    this.#path = path;
    this.#clock = new SampleClock({ rateHz: OPUS_RATE_HZ, startMs });
  }

  get adjusted(): Adjusted {
    return this.#clock.adjusted;
  }

  /** @throws ServiceError `export/unsupported` for anything but Opus, and for a payload that is no Opus packet */
  async write(frame: Frame): Promise<void> {
    if (frame.codec !== 'OPUS') throw unsupported(`cannot write ${frame.codec} as Opus`, frame);
    const samples = opusSamples(frame.payload);
    if (samples === 0) throw unsupported('no Opus packet', frame);
    const channels = frame.channels || 1;
    if (channels > MAX_CHANNELS) throw unsupported('more than two channels of Opus', frame);
    this.#channels ??= channels;
    await this.#put(this.#clock.place(frame, samples));
  }

  async close(): Promise<void> {
    await this.#put(this.#clock.finish());
    if (!this.#open) return;
    await this.#open.output.finalize();
    await rename(partialPath(this.#path), this.#path);
  }

  async abort(): Promise<void> {
    await this.#open?.output.cancel();
    await rm(partialPath(this.#path), { force: true });
  }

  async #put(placed: readonly Placed<Frame>[]): Promise<void> {
    for (const { item, at, skip } of placed) {
      const samples = opusSamples(item.payload);
      // A packet cannot be cut. It is left out when most of it is written already.
      if (skip * 2 > samples) continue;
      while (at - this.#next >= SILENCE_SAMPLES) await this.#add(SILENCE, SILENCE_SAMPLES);
      await this.#add(item.payload, samples);
    }
  }

  async #create(): Promise<OpenFile> {
    const library = await import('mediabunny');
    const source = new library.EncodedAudioPacketSource('opus');
    const isOgg = this.#path.endsWith('.ogg');
    const format = isOgg ? new library.OggOutputFormat() : new library.WebMOutputFormat();
    const target = new library.FilePathTarget(partialPath(this.#path));
    const output = new library.Output({ format, target });
    output.addAudioTrack(source);
    try {
      await output.start();
    } catch (error) {
      await output.cancel();
      throw error;
    }
    return { library, output, source };
  }

  async #add(payload: Buffer, samples: number): Promise<void> {
    // Created only for a first packet, because a file without packets cannot be played.
    this.#open ??= await this.#create();
    const { library, source } = this.#open;
    const channels = this.#channels ?? 1;
    const [timestamp, duration] = [this.#next / OPUS_RATE_HZ, samples / OPUS_RATE_HZ];
    const packet = new library.EncodedPacket(payload, 'key', timestamp, duration);
    const description = opusHead(channels);
    await source.add(packet, {
      decoderConfig: {
        codec: 'opus',
        sampleRate: OPUS_RATE_HZ,
        numberOfChannels: channels,
        description,
      },
    });
    this.#next += samples;
  }
}

/** @see RFC 7845, 5.1 */
function opusHead(channels: number): Buffer {
  const head = Buffer.alloc(19);
  head.write('OpusHead', 'latin1');
  head[8] = 1;
  head[9] = channels;
  head.writeUInt16LE(OPUS_PRE_SKIP, 10);
  head.writeUInt32LE(OPUS_RATE_HZ, 12);
  return head;
}
