import { extname } from 'node:path';
import type * as Mediabunny from 'mediabunny';
import type { Frame } from '../frame.ts';
import type { Exporter } from './exporter.ts';
import { type H264Config, readAccessUnit } from './h264.ts';
import { unsupported } from './pcm.ts';

/** What a single picture lasts when there is no other to tell. */
const DEFAULT_DURATION_MS = 40;

interface OpenFile {
  readonly library: typeof Mediabunny;
  readonly output: Mediabunny.Output;
  readonly source: Mediabunny.EncodedVideoPacketSource;
  readonly config: H264Config;
}

/**
 * Writes the H.264 of one source into MP4, on the meeting's time base: pictures begin at their capture time, and
 * an edit list says how long after meeting zero the first one comes.
 *
 * Pictures before the first one that can be decoded are left out. An MP4 track has one picture size, so when Zoom
 * changes it a second file begins: `name-2.mp4`, on the same time base.
 */
export class Mp4Exporter implements Exporter<Frame> {
  /** Files begun so far, in order. */
  readonly paths: string[] = [];
  /** Pictures left out because no decoder could have begun with them. */
  skipped = 0;
  readonly #path: string;
  readonly #startMs: number;
  #open: OpenFile | undefined;
  /** Waits for its successor, which tells how long it lasts. */
  #last: { frame: Frame; isKey: boolean; atMs: number } | undefined;
  #lastDurationMs = DEFAULT_DURATION_MS;

  /** @param startMs meeting zero, Unix ms */
  constructor(path: string, startMs: number) {
    this.#path = path;
    this.#startMs = startMs;
  }

  /** @throws ServiceError `export/unsupported` for anything but H.264 */
  async write(frame: Frame): Promise<void> {
    if (frame.codec !== 'H264') throw unsupported(`cannot write ${frame.codec} into MP4`, frame);
    const { isKey, config } = readAccessUnit(frame.payload);
    const mustBegin = isKey && config !== undefined && !isSameSize(config, this.#open?.config);
    if (!this.#open && !mustBegin) {
      this.skipped += 1;
      return;
    }
    // Two pictures at one instant, or a clock set back: keep the order, a millisecond apart.
    const earliest = this.#last ? this.#last.atMs + 1 : 0;
    const atMs = Math.max(frame.capturedAt.getTime() - this.#startMs, earliest);
    if (this.#last) this.#lastDurationMs = atMs - this.#last.atMs;
    await this.#writeLast();
    if (mustBegin) {
      await this.#open?.output.finalize();
      this.#open = await this.#begin(config);
    }
    this.#last = { frame, isKey, atMs };
  }

  async close(): Promise<void> {
    await this.#writeLast();
    await this.#open?.output.finalize();
  }

  async #begin(config: H264Config): Promise<OpenFile> {
    const extension = extname(this.#path);
    const number = this.paths.length + 1;
    const stem = this.#path.slice(0, this.#path.length - extension.length);
    const path = number === 1 ? this.#path : `${stem}-${number}${extension}`;
    this.paths.push(path);
    // Loaded by those who need it: it takes longer than everything else here together.
    const library = await import('mediabunny');
    const source = new library.EncodedVideoPacketSource('avc');
    const target = new library.FilePathTarget(path);
    const output = new library.Output({ format: new library.Mp4OutputFormat(), target });
    output.addVideoTrack(source);
    await output.start();
    return { library, output, source, config };
  }

  async #writeLast(): Promise<void> {
    if (!this.#last || !this.#open) return;
    const { frame, isKey, atMs } = this.#last;
    const { library, source, config } = this.#open;
    const duration = this.#lastDurationMs / 1000;
    const type = isKey ? 'key' : 'delta';
    const packet = new library.EncodedPacket(frame.payload, type, atMs / 1000, duration);
    const { codec, width: codedWidth, height: codedHeight } = config;
    // Without a description the units are Annex B; the library takes the parameter sets from the first one.
    await source.add(packet, { decoderConfig: { codec, codedWidth, codedHeight } });
    this.#last = undefined;
  }
}

function isSameSize(config: H264Config, other: H264Config | undefined): boolean {
  return config.width === other?.width && config.height === other.height;
}
