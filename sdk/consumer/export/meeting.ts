import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReceivedEvent } from '../event-record.ts';
import { type Frame, sourceKey } from '../frame.ts';
import { ChatExporter } from './chat.ts';
import type { Exporter } from './exporter.ts';
import { ImageSequenceExporter } from './image-sequence.ts';
import { MixExporter } from './mix.ts';
import { Mp4Exporter } from './mp4.ts';
import { OpusExporter } from './opus.ts';
import { plainText } from './plain-text.ts';
import { srt } from './srt.ts';
import { TranscriptExporter } from './transcript.ts';
import { vtt } from './vtt.ts';
import { WavExporter } from './wav.ts';

export interface MeetingExportOptions {
  /** Meeting zero, Unix ms: the one time base of all files. */
  readonly startMs: number;
  /**
   * Fill what lacks in the speakers' WAV files with silence, so that they line up with everything else. Without
   * it they hold exactly the samples that Zoom sent, one after another.
   *
   * @default true
   */
  readonly fillGaps?: boolean;
}

interface Output {
  readonly path: string;
  readonly exporter: Exporter<Frame>;
}

/**
 * Writes one meeting into a directory: a WAV (or Ogg) file per speaker, `meeting.wav` with all of them, an MP4 or
 * a picture folder per camera and share, `transcript.vtt`, `.srt`, `.txt`, and `chat.jsonl`.
 */
export class MeetingExport {
  readonly #directory: string;
  readonly #options: MeetingExportOptions;
  readonly #outputs = new Map<string, Output>();
  readonly #stems = new Map<string, number>();
  readonly #transcripts: readonly { path: string; exporter: TranscriptExporter }[];
  readonly #chat: { path: string; exporter: ChatExporter };
  readonly #written = new Set<string>();

  private constructor(directory: string, options: MeetingExportOptions) {
    const { startMs } = options;
    this.#directory = directory;
    this.#options = options;
    this.#transcripts = Object.entries({ vtt, srt, txt: plainText }).map(([extension, format]) => {
      const path = join(directory, `transcript.${extension}`);
      return { path, exporter: new TranscriptExporter(path, format, startMs) };
    });
    const chatPath = join(directory, 'chat.jsonl');
    this.#chat = { path: chatPath, exporter: new ChatExporter(chatPath, startMs) };
  }

  /** Creates the directory where it lacks. Files of the same names are overwritten. */
  static async create(directory: string, options: MeetingExportOptions): Promise<MeetingExport> {
    await mkdir(directory, { recursive: true });
    return new MeetingExport(directory, options);
  }

  /** Frames of one source must come in order. */
  async frame(frame: Frame): Promise<void> {
    await this.#output(frame).exporter.write(frame);
    // The mix of all speakers that Zoom made is one already.
    if (frame.mediaType !== 'audio' || frame.codec === 'OPUS' || frame.userId === 0) return;
    await this.#mix(frame).exporter.write(frame);
  }

  /** Takes any event; only transcript and chat leave a trace. */
  async event(event: ReceivedEvent): Promise<void> {
    if (event.name === 'chat') {
      this.#written.add(this.#chat.path);
      await this.#chat.exporter.write(event);
    } else if (event.name === 'transcript') {
      for (const { path, exporter } of this.#transcripts) {
        this.#written.add(path);
        await exporter.write(event);
      }
    }
  }

  /**
   * Pictures that are in no MP4, by the path they would have gone to: they stand before the first key frame,
   * where no decoder can begin. Zoom keeps no video for who connects later.
   */
  get skippedPictures(): Map<string, number> {
    const skipped = new Map<string, number>();
    for (const { path, exporter } of this.#outputs.values()) {
      if (exporter instanceof Mp4Exporter && exporter.skipped > 0) {
        skipped.set(path, exporter.skipped);
      }
    }
    return skipped;
  }

  /** Completes all files. @returns their paths, sorted */
  async close(): Promise<string[]> {
    for (const { exporter } of this.#transcripts) await exporter.close();
    await this.#chat.exporter.close();
    for (const { path, exporter } of this.#outputs.values()) {
      await exporter.close();
      const paths = exporter instanceof Mp4Exporter ? exporter.paths : [path];
      for (const written of paths) this.#written.add(written);
    }
    return [...this.#written].sort();
  }

  /** A source that changes its codec or rate begins a new file. */
  #output(frame: Frame): Output {
    const { mediaType, codec, sampleRateHz, channels } = frame;
    const key = [mediaType, sourceKey(frame), codec, sampleRateHz, channels].join(' ');
    return this.#find(key, () => this.#create(frame, this.#stem(fileStem(frame))));
  }

  #mix({ sampleRateHz, channels, codec }: Frame): Output {
    return this.#find(['mix', sampleRateHz || codec, channels].join(' '), () => {
      const path = `${this.#stem('meeting')}.wav`;
      return { path, exporter: new MixExporter(path, this.#options.startMs) };
    });
  }

  /** A path without extension that no other file of this meeting has. */
  #stem(name: string): string {
    const number = (this.#stems.get(name) ?? 0) + 1;
    this.#stems.set(name, number);
    return join(this.#directory, number === 1 ? name : `${name}-part${number}`);
  }

  #find(key: string, create: () => Output): Output {
    const known = this.#outputs.get(key);
    if (known) return known;
    const output = create();
    this.#outputs.set(key, output);
    return output;
  }

  #create({ mediaType, codec }: Frame, stem: string): Output {
    const { startMs, fillGaps = true } = this.#options;
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
}

/** `audio-16778240-ada`, `video-channel-3`, `audio-mixed`: safe on every file system, whatever a name holds. */
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
  return [media, slug(source), name].filter((part) => part !== '').join('-');
}
