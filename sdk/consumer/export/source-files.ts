import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ServiceError } from '../../../shared/errors.ts';
import type { LedgerMediaType } from '../../../shared/record/event-data.ts';
import { type Frame, type FrameSource, sourceKey } from '../records/frame.ts';
import type { Loss } from '../verdict/loss.ts';
import { MixExporter } from './audio/mix.ts';
import { OpusExporter } from './audio/opus.ts';
import { WavExporter } from './audio/wav.ts';
import type { Adjusted, Exporter } from './exporter.ts';
import { writeVideoCaptions } from './gap-marks.ts';
import { isFileError, type LeftOutFrames } from './left-out.ts';
import { ImageSequenceExporter } from './video/image-sequence.ts';
import { Mp4Exporter } from './video/mp4.ts';

/** How the media files of a meeting are written, see `MeetingExportOptions`. */
export interface SourceFilesOptions {
  readonly startMs: number;
  readonly fillGaps?: boolean;
}

/** A media file that is complete. */
export interface WrittenMedia extends FrameSource {
  readonly path: string;
  readonly mediaType: Frame['mediaType'];
  readonly codec: Frame['codec'];
  /** Last known display name of the first frame's source; empty where nobody or everybody is in it. */
  readonly userName: string;
  /** Whether it holds all speakers, mixed here. */
  readonly isMix?: true;
  /** Whether its first sample stands at meeting zero, and each one at its time. */
  readonly isOnClock: boolean;
  /** Of H.264: when its first picture was captured, ms since meeting zero. */
  readonly beginsAtMs?: number;
}

interface SourceFile extends FrameSource {
  readonly path: string;
  readonly mediaType: Frame['mediaType'];
  readonly codec: Frame['codec'];
  readonly userName: string;
  readonly isMix: boolean;
  readonly exporter: Exporter<Frame>;
  /** Whether the file system has refused a write, after which the file cannot become complete. */
  isBroken: boolean;
}

/** The media files of one meeting: one for each source and format, and the mix of all speakers. */
export class SourceFiles {
  /** The complete files; empty until `close`. */
  readonly written: WrittenMedia[] = [];
  readonly #directory: string;
  readonly #options: SourceFilesOptions;
  readonly #leftOut: LeftOutFrames;
  readonly #files = new Map<string, SourceFile>();
  /** How many files have a name so far, by the name without its number. */
  readonly #named = new Map<string, number>();

  /** @param leftOut counts the frames that could not be written */
  constructor(directory: string, options: SourceFilesOptions, leftOut: LeftOutFrames) {
    this.#directory = directory;
    this.#options = options;
    this.#leftOut = leftOut;
  }

  /** Writes a frame into the file of its source, and audio into the mix too. Throws nothing. */
  async frame(frame: Frame): Promise<void> {
    if (!(await this.#write(frame, () => this.#fileOf(frame)))) return;
    // User 0 is the mix that Zoom made of all speakers. Opus is decoded for `meeting.mp4` alone.
    if (frame.mediaType !== 'audio' || frame.codec === 'OPUS' || frame.userId === 0) return;
    await this.#write(frame, () => this.#mixOf(frame));
  }

  /** Pictures that are in no MP4, by the path they would have gone to, see `MeetingExport`. */
  get skippedPictures(): Map<string, number> {
    const skipped = new Map<string, number>();
    for (const { path, exporter } of this.#files.values()) {
      if (exporter instanceof Mp4Exporter && exporter.skipped > 0) {
        skipped.set(path, exporter.skipped);
      }
    }
    return skipped;
  }

  /** Files whose frames are not all where their capture times say, by path, see `MeetingExport`. */
  get adjusted(): Map<string, Adjusted> {
    const adjusted = new Map<string, Adjusted>();
    for (const { path, exporter } of this.#files.values()) {
      const { cutMs = 0, moved = 0 } = exporter.adjusted ?? {};
      if (cutMs > 0 || moved > 0) adjusted.set(path, { cutMs, moved });
    }
    return adjusted;
  }

  /**
   * Completes all files. A file that cannot be completed is left out and counted.
   *
   * @param losses of the meeting, which captions beside the videos tell
   * @returns the paths of all complete files, captions too
   */
  async close(losses: readonly Loss[]): Promise<string[]> {
    const paths: string[] = [];
    for (const file of this.#files.values()) paths.push(...(await this.#closeFile(file, losses)));
    return paths;
  }

  /** Closes what is open, and removes what is not complete. */
  async abort(): Promise<void> {
    await Promise.allSettled([...this.#files.values()].map(({ exporter }) => exporter.abort()));
  }

  async #closeFile(file: SourceFile, losses: readonly Loss[]): Promise<string[]> {
    const { exporter, path, mediaType } = file;
    if (file.isBroken) {
      await exporter.abort().catch(() => undefined);
      return [];
    }
    if (!(exporter instanceof Mp4Exporter)) {
      const paths = await closeFile(exporter, path, file, this.#leftOut);
      this.written.push(...paths.map((each) => this.#describe(file, each)));
      return paths;
    }
    const isComplete = await isClosed(exporter, file, this.#leftOut);
    const videos = isComplete ? exporter.paths : [];
    for (const [index, video] of videos.entries())
      this.written.push({
        ...this.#describe(file, video),
        beginsAtMs: exporter.beginsAtMs[index] ?? 0,
      });
    const own = losses.filter(
      (loss) =>
        loss.mediaType === mediaType &&
        (loss.kind === 'blind' || sourceKey(loss) === sourceKey(file)),
    );
    if (own.length === 0) return videos;
    const { startMs } = this.#options;
    const captions = videos.map((video) => writeVideoCaptions(video, startMs, own));
    return [...videos, ...(await Promise.all(captions))];
  }

  #describe(file: SourceFile, path: string): WrittenMedia {
    const { mediaType, codec, userName, userId, channelId, isMix, exporter } = file;
    const { fillGaps = true } = this.#options;
    const source = {
      ...(userId !== undefined && { userId }),
      ...(channelId !== undefined && { channelId }),
    };
    return {
      path,
      mediaType,
      codec,
      ...(isMix ? { userName: '', isMix } : { ...source, userName }),
      isOnClock: fillGaps ? !isMix : isMix || exporter instanceof OpusExporter,
    };
  }

  /** @returns false when the frame could not be written */
  async #write(frame: Frame, find: () => SourceFile): Promise<boolean> {
    let file: SourceFile | undefined;
    try {
      file = find();
      if (file.isBroken) throw new ServiceError('export/unsupported', 'its file is broken');
      await file.exporter.write(frame);
      return true;
    } catch (error) {
      if (file && isFileError(error)) file.isBroken = true;
      this.#leftOut.add(frame, error);
      return false;
    }
  }

  /** A source that changes its codec or rate begins a new file. */
  #fileOf(frame: Frame): SourceFile {
    const { mediaType, codec, sampleRateHz, channels } = frame;
    const key = [mediaType, sourceKey(frame), codec, sampleRateHz, channels].join(' ');
    return this.#find(key, frame, () => this.#create(frame));
  }

  #mixOf(frame: Frame): SourceFile {
    const { sampleRateHz, channels, codec } = frame;
    return this.#find(['mix', sampleRateHz || codec, channels].join(' '), frame, () => {
      const path = `${this.#unusedName('meeting')}.wav`;
      return { path, exporter: new MixExporter(path, this.#options.startMs) };
    });
  }

  #find(
    key: string,
    { mediaType, codec, userName, userId, channelId }: Frame,
    create: () => Pick<SourceFile, 'path' | 'exporter'>,
  ): SourceFile {
    const known = this.#files.get(key);
    if (known) return known;
    const file = {
      ...create(),
      isBroken: false,
      mediaType,
      codec,
      userName,
      isMix: key.startsWith('mix '),
      ...(userId !== undefined && { userId }),
      ...(channelId !== undefined && { channelId }),
    };
    this.#files.set(key, file);
    return file;
  }

  #create(frame: Frame): Pick<SourceFile, 'path' | 'exporter'> {
    const { mediaType, codec } = frame;
    const { startMs, fillGaps = true } = this.#options;
    // Thrown before a name is taken: the next file of this source must not be numbered for it.
    if (codec === 'UNDEFINED') {
      const detail = { mediaType };
      throw new ServiceError('export/unsupported', 'codec that this version does not know', {
        detail,
      });
    }
    const stem = this.#unusedName(fileStem(frame));
    if (mediaType !== 'audio' && codec === 'H264') {
      return { path: `${stem}.mp4`, exporter: new Mp4Exporter(`${stem}.mp4`, startMs) };
    }
    if (mediaType !== 'audio') {
      return { path: stem, exporter: new ImageSequenceExporter(stem, startMs) };
    }
    if (codec === 'OPUS') {
      return { path: `${stem}.ogg`, exporter: new OpusExporter(`${stem}.ogg`, startMs) };
    }
    const exporter = new WavExporter(`${stem}.wav`, fillGaps ? { startMs } : {});
    return { path: `${stem}.wav`, exporter };
  }

  /** @returns a path without extension that no other file of this meeting has */
  #unusedName(name: string): string {
    const number = (this.#named.get(name) ?? 0) + 1;
    this.#named.set(name, number);
    return join(this.#directory, number === 1 ? name : `${name}-part${number}`);
  }
}

/**
 * Completes the file of an exporter.
 *
 * @param source whose frames are counted in `leftOut` when the file cannot be completed
 * @returns its path, or nothing when there was nothing to write. A file of that name from an earlier export is then left
 *   alone, and is not counted as written
 */
export async function closeFile(
  exporter: Pick<Exporter<never>, 'close' | 'abort'>,
  path: string,
  source: FrameSource & { readonly mediaType: LedgerMediaType },
  leftOut: LeftOutFrames,
): Promise<string[]> {
  const before = await fileAt(path);
  if (!(await isClosed(exporter, source, leftOut))) return [];
  const after = await fileAt(path);
  return after === undefined || after === before ? [] : [path];
}

/** @returns false when the file could not be completed */
async function isClosed(
  exporter: Pick<Exporter<never>, 'close' | 'abort'>,
  source: FrameSource & { readonly mediaType: LedgerMediaType },
  leftOut: LeftOutFrames,
): Promise<boolean> {
  try {
    await exporter.close();
    return true;
  } catch (error) {
    leftOut.add(source, error);
    await exporter.abort().catch(() => undefined);
    return false;
  }
}

/** What tells a file from another one that had its name before; undefined when there is none. */
async function fileAt(path: string): Promise<string | undefined> {
  const facts = await stat(path).catch(() => undefined);
  return facts && `${facts.ino} ${facts.mtimeMs}`;
}

/** `audio-16778240-ada`, `video-channel-3`, `audio-mixed`: valid on every file system, whatever the display name holds. */
function fileStem(frame: Frame): string {
  const source = frame.userId === 0 ? 'mixed' : sourceKey(frame).replace(/^user /, '');
  const slug = (text: string) =>
    text
      .normalize('NFKD')
      .replace(/\p{M}+/gu, '')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '');
  const name = frame.userId === 0 ? '' : slug(frame.userName).slice(0, 40);
  const media = frame.mediaType === 'deskshare' ? 'share' : frame.mediaType;
  return [media, slug(source).slice(0, 80), name].filter((part) => part !== '').join('-');
}
