import { rename, rm } from 'node:fs/promises';
import { extname } from 'node:path';
import type * as Mediabunny from 'mediabunny';
import type { Frame } from '../../records/frame.ts';
import { unsupported } from '../audio/pcm.ts';
import { type Captured, type Placed, SampleClock } from '../audio/sample-clock.ts';
import { type Adjusted, type Exporter, partialPath } from '../exporter.ts';
import { type H264Config, type InspectedUnit, inspectAccessUnit } from './h264.ts';

/** How long a picture lasts when no other one tells. */
const DEFAULT_DURATION_MS = 40;

/** A picture that stood for longer stood through a pause. It says nothing about how long pictures last. */
const MAX_DURATION_MS = 2_000;

interface Picture extends Captured {
  readonly isKey: boolean;
  /** Set when a file has to begin with this picture: what its decoder has to be told. */
  readonly begins: H264Config | undefined;
}

interface OpenFile {
  readonly path: string;
  readonly library: typeof Mediabunny;
  readonly output: Mediabunny.Output;
  readonly source: Mediabunny.EncodedVideoPacketSource;
  readonly config: H264Config;
}

/**
 * Writes the H.264 of one source into MP4, not re-encoded, on the meeting's time base. The first picture of a file begins
 * at meeting zero, so that every player and `ffmpeg` play sound beside it in time. Each later picture begins at its
 * capture time. A picture before a gap stands until the next one that can be decoded.
 *
 * Pictures before the first key frame, and between a lost picture and the next key frame, are left out and counted in
 * `skipped`. An MP4 track has one set of parameters, so when Zoom changes them a second file begins: `name-2.mp4`.
 */
export class Mp4Exporter implements Exporter<Frame> {
  /** Files begun so far, in order. */
  readonly paths: string[] = [];
  /** When the first picture of each file was captured, ms since meeting zero: in the file it stands from zero on. */
  readonly beginsAtMs: number[] = [];
  /** Pictures left out because no decoder could have begun with them. */
  skipped = 0;
  readonly #path: string;
  readonly #clock: SampleClock<Picture>;
  #open: OpenFile | undefined;
  /** Whether only a key frame is taken next: at the beginning, and after a gap. */
  #needsKey = true;
  #parameterSets: Buffer | undefined;
  /** Parameter sets that came in a message of their own. They belong to the next picture. */
  #pending: Buffer | undefined;
  #newest: Pick<Frame, 'epoch' | 'sequence'> | undefined;
  /** The newest picture. It waits for the next one, which tells how long it lasts. */
  #last: { picture: Picture; atMs: number } | undefined;
  #ordinaryMs = DEFAULT_DURATION_MS;

  /** @param startMs meeting zero, Unix ms */
  constructor(path: string, startMs: number) {
    this.#path = path;
    this.#clock = new SampleClock({ rateHz: 1000, startMs, toleranceMs: 0, cutsReplays: false });
  }

  get adjusted(): Adjusted {
    return this.#clock.adjusted;
  }

  /** @throws ServiceError `export/unsupported` for anything but H.264, and for a payload without a NAL unit */
  async write(frame: Frame): Promise<void> {
    if (frame.codec !== 'H264') throw unsupported(`cannot write ${frame.codec} into MP4`, frame);
    this.#noticeGap(frame);
    let { payload } = frame;
    let unit = inspectAccessUnit(payload);
    if (!unit.hasUnits) {
      this.#needsKey = true;
      throw unsupported('picture without an H.264 unit', frame);
    }
    if (!unit.hasPicture) {
      this.#pending = payload;
      return;
    }
    if (this.#pending !== undefined) {
      payload = Buffer.concat([this.#pending, payload]);
      unit = inspectAccessUnit(payload);
      this.#pending = undefined;
    }
    const begins = this.#begins(unit);
    if (this.#needsKey && !(unit.isKey && (begins ?? this.#open))) {
      this.skipped += 1;
      return;
    }
    this.#needsKey = false;
    const { capturedAt, receivedAt, epoch, sequence } = frame;
    const picture = { capturedAt, receivedAt, epoch, sequence, payload, isKey: unit.isKey, begins };
    await this.#put(this.#clock.place(picture, 1));
  }

  async close(): Promise<void> {
    try {
      await this.#put(this.#clock.finish());
      await this.#writeLast(this.#ordinaryMs);
    } finally {
      await this.#complete();
    }
  }

  async abort(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.output.cancel();
    if (open) await rm(partialPath(open.path), { force: true });
    await Promise.all(this.paths.map((path) => rm(path, { force: true })));
  }

  /** After a lost picture a key frame is needed: a picture that refers to a lost one would be shown broken. */
  #noticeGap({ epoch, sequence }: Frame): void {
    const before = this.#newest;
    this.#newest = { epoch, sequence };
    if (before === undefined) return;
    if (epoch !== before.epoch || sequence > before.sequence + 1) this.#needsKey = true;
  }

  #begins({ isKey, config, parameterSets }: InspectedUnit): H264Config | undefined {
    if (!isKey || config === undefined || parameterSets === undefined) return undefined;
    if (this.#parameterSets?.equals(parameterSets)) return undefined;
    this.#parameterSets = parameterSets;
    return config;
  }

  async #put(placed: readonly Placed<Picture>[]): Promise<void> {
    for (const { item, at } of placed) {
      if (this.#last) {
        const durationMs = at - this.#last.atMs;
        if (durationMs <= MAX_DURATION_MS && this.#last.atMs > 0) this.#ordinaryMs = durationMs;
        await this.#writeLast(durationMs);
      }
      if (item.begins) {
        await this.#complete();
        this.#open = await this.#begin(item.begins);
        this.beginsAtMs.push(at);
        this.#last = { picture: item, atMs: 0 };
      } else this.#last = { picture: item, atMs: at };
    }
  }

  async #begin(config: H264Config): Promise<OpenFile> {
    const extension = extname(this.#path);
    const number = this.paths.length + 1;
    const stem = this.#path.slice(0, this.#path.length - extension.length);
    const path = number === 1 ? this.#path : `${stem}-${number}${extension}`;
    this.paths.push(path);
    // Loaded when the first file begins, because loading it takes longer than everything else here together.
    const library = await import('mediabunny');
    const source = new library.EncodedVideoPacketSource('avc');
    const target = new library.FilePathTarget(partialPath(path));
    const output = new library.Output({ format: new library.Mp4OutputFormat(), target });
    output.addVideoTrack(source);
    try {
      await output.start();
    } catch (error) {
      await output.cancel();
      throw error;
    }
    return { path, library, output, source, config };
  }

  async #complete(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    if (!open) return;
    await open.output.finalize();
    await rename(partialPath(open.path), open.path);
  }

  async #writeLast(durationMs: number): Promise<void> {
    if (!this.#last || !this.#open) return;
    const { picture, atMs } = this.#last;
    this.#last = undefined;
    const { library, source, config } = this.#open;
    const type = picture.isKey ? 'key' : 'delta';
    const [from, duration] = [atMs / 1000, durationMs / 1000];
    const packet = new library.EncodedPacket(picture.payload, type, from, duration);
    const { codec, width: codedWidth, height: codedHeight } = config;
    // Without a description the library takes the units for Annex B, and the parameter sets from the first one.
    await source.add(packet, { decoderConfig: { codec, codedWidth, codedHeight } });
  }
}
