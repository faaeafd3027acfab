import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ServiceError } from '../../../shared/errors.ts';
import type { LedgerMediaType } from '../../../shared/record/event-data.ts';
import type { ReceivedEvent } from '../records/event-record.ts';
import { type Frame, type FrameSource, sourceKey } from '../records/frame.ts';
import { LedgerChecker, type LedgerReport } from '../verdict/ledger.ts';
import type { Loss } from '../verdict/loss.ts';
import { judge } from '../verdict/verdict.ts';
import { MixExporter } from './audio/mix.ts';
import { OpusExporter } from './audio/opus.ts';
import { WavExporter } from './audio/wav.ts';
import type { Adjusted, Exporter } from './exporter.ts';
import { FileNames, fileStem } from './file-names.ts';
import { cueText, writeGaps, writeVideoCaptions } from './gap-marks.ts';
import { isFileError, type LeftOut, LeftOutFrames } from './left-out.ts';
import { ChatExporter } from './text/chat.ts';
import { describeExport } from './text/notes.ts';
import { plainText } from './text/plain-text.ts';
import { srt } from './text/srt.ts';
import { TranscriptExporter } from './text/transcript.ts';
import { vtt } from './text/vtt.ts';
import { ImageSequenceExporter } from './video/image-sequence.ts';
import { Mp4Exporter } from './video/mp4.ts';

export interface MeetingExportOptions {
  /** Meeting zero, Unix ms: the one time base of all files. */
  readonly startMs: number;
  /**
   * Whose meeting it is. Frames and events of another one are refused.
   *
   * @default that of the first frame or event
   */
  readonly rtmsStreamId?: string;
  /**
   * Fill what lacks in the speakers' WAV files with silence, so that they line up with everything else. Without
   * it they hold exactly the samples that Zoom sent, one after another.
   *
   * @default true
   */
  readonly fillGaps?: boolean;
  /**
   * Only what was captured in this time is written, and only what is lost in it is told: then nothing is proved about
   * frames that lack without a word.
   *
   * @default all
   */
  readonly window?: { readonly fromMs: number; readonly toMs: number };
  /**
   * Write a session whose consent Zoom took back.
   *
   * @default false: `export/revoked` is thrown, and nothing is left
   */
  readonly evenRevoked?: boolean;
}

interface Output extends FrameSource {
  readonly path: string;
  readonly mediaType: Frame['mediaType'];
  readonly exporter: Exporter<Frame>;
  /** The file system has refused it: it will not be what it should. */
  isBroken: boolean;
}

/**
 * Writes one meeting into a directory: a WAV (or Ogg) file per speaker, `meeting.wav` with all of them, an MP4 or
 * a picture folder per camera and share, `transcript.vtt`, `.srt`, `.txt`, `chat.jsonl`, and `gaps.json` when something of
 * the meeting is lost.
 *
 * A frame that cannot be written is left out and told (`leftOut`); everything else is complete.
 */
export class MeetingExport {
  readonly #directory: string;
  readonly #options: MeetingExportOptions;
  readonly #names: FileNames;
  readonly #outputs = new Map<string, Output>();
  readonly #transcripts: readonly { path: string; exporter: TranscriptExporter }[];
  readonly #chat: { path: string; exporter: ChatExporter };
  readonly #written = new Set<string>();
  readonly #leftOut = new LeftOutFrames();
  readonly #checker = new LedgerChecker();
  #rtmsStreamId: string | undefined;
  #isRevoked = false;
  #report: LedgerReport | undefined;

  private constructor(directory: string, options: MeetingExportOptions) {
    const { startMs, rtmsStreamId } = options;
    this.#directory = directory;
    this.#options = options;
    this.#rtmsStreamId = rtmsStreamId;
    this.#names = new FileNames(directory);
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

  /** Frames that stand in no file, by source and reason. */
  get leftOut(): readonly LeftOut[] {
    return this.#leftOut.all;
  }

  /** What the two streams prove of this meeting, as `verifyLedger` says it. @returns of all that was handed in so far */
  get report(): LedgerReport {
    return this.#report ?? this.#checker.report();
  }

  /**
   * Frames of one source must come in order.
   *
   * @throws ServiceError `export/other-meeting`, `export/revoked`
   */
  async frame(frame: Frame): Promise<void> {
    this.#admit(frame);
    this.#checker.frame(frame);
    if (!this.#isInside(frame.capturedAt)) return;
    if (!(await this.#write(frame, () => this.#output(frame)))) return;
    // The mix of all speakers that Zoom made is one already.
    if (frame.mediaType !== 'audio' || frame.codec === 'OPUS' || frame.userId === 0) return;
    await this.#write(frame, () => this.#mix(frame));
  }

  /**
   * Takes any event; transcript, chat, and what tells of losses leave a trace.
   *
   * @throws ServiceError `export/other-meeting`, `export/revoked`
   */
  async event(event: ReceivedEvent): Promise<void> {
    if (event.name === 'session_revoked') this.#isRevoked = true;
    this.#admit(event);
    this.#checker.event(event);
    if (!this.#isInside(event.time)) return;
    if (event.name === 'transcript') {
      for (const { exporter } of this.#transcripts) await exporter.write(event);
    } else if (event.name === 'chat') {
      try {
        await this.#chat.exporter.write(event);
      } catch (error) {
        this.#leftOut.add({ mediaType: 'chat' }, error);
      }
    }
  }

  /**
   * Pictures that are in no MP4, by the path they would have gone to: they stand before the first key frame, or behind
   * a lost picture, where no decoder can begin. Zoom keeps no video for who connects later.
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

  /**
   * Files whose frames are not all where their capture times say, by path: those times were odd, or Zoom sent audio
   * again after a change of owner.
   */
  get adjusted(): Map<string, Adjusted> {
    const adjusted = new Map<string, Adjusted>();
    for (const { path, exporter } of this.#outputs.values()) {
      const { cutMs = 0, moved = 0 } = exporter.adjusted ?? {};
      if (cutMs > 0 || moved > 0) adjusted.set(path, { cutMs, moved });
    }
    return adjusted;
  }

  /**
   * `leftOut`, `skippedPictures` and `adjusted` in words: one sentence each.
   *
   * @param nameOf how a path is told
   */
  notes(nameOf: (path: string) => string = (path) => path): string[] {
    return describeExport(this, nameOf);
  }

  /**
   * Completes all files. One that cannot be completed is left out and told, and the others are complete.
   *
   * @returns their paths, sorted
   * @throws ServiceError `export/revoked` after everything is removed
   */
  async close(): Promise<string[]> {
    if (this.#isRevoked && !this.#options.evenRevoked) {
      await this.abort();
      throw revoked();
    }
    const whole = this.#checker.report();
    const losses = whole.losses.filter((loss) => this.#overlaps(loss));
    // Counts of a whole session say nothing of a part, whose reader may have stopped behind it.
    const part = { losses, problems: [], ok: true, verdict: judge([], losses) };
    this.#report = this.#options.window ? { ...whole, ...part } : whole;
    for (const { exporter } of this.#transcripts) {
      for (const loss of losses.filter(({ mediaType }) => mediaType === 'transcript'))
        exporter.mark({ ...loss, text: cueText(loss) });
    }
    for (const { path, exporter } of this.#transcripts)
      await this.#complete([path], exporter, { mediaType: 'transcript' });
    await this.#complete([this.#chat.path], this.#chat.exporter, { mediaType: 'chat' });
    for (const output of this.#outputs.values()) await this.#completeOutput(output, losses);
    if (losses.length > 0 && this.#rtmsStreamId !== undefined) {
      const { verdict } = this.#report;
      const { startMs } = this.#options;
      const id = this.#rtmsStreamId;
      this.#written.add(await writeGaps(this.#directory, id, startMs, { verdict, losses }));
    }
    return [...this.#written].sort();
  }

  /** Gives everything up: what is open is closed, what was not complete is removed. */
  async abort(): Promise<void> {
    const exporters = [...this.#transcripts, this.#chat, ...this.#outputs.values()];
    await Promise.allSettled(exporters.map(({ exporter }) => exporter.abort()));
    this.#written.clear();
  }

  #admit({ rtmsStreamId }: { readonly rtmsStreamId: string }): void {
    this.#rtmsStreamId ??= rtmsStreamId;
    if (rtmsStreamId !== this.#rtmsStreamId) {
      const what =
        'this is another meeting: one export holds one, see meetingFrames and meetingEvents';
      throw new ServiceError('export/other-meeting', what, { detail: { rtmsStreamId } });
    }
    if (this.#isRevoked && !this.#options.evenRevoked) throw revoked();
  }

  #isInside(at: Date): boolean {
    const { fromMs, toMs } = this.#options.window ?? EVER;
    return at.getTime() >= fromMs && at.getTime() < toMs;
  }

  #overlaps(loss: Loss): boolean {
    const { fromMs, toMs } = this.#options.window ?? EVER;
    return loss.toMs >= fromMs && loss.fromMs < toMs;
  }

  async #completeOutput(output: Output, losses: readonly Loss[]): Promise<void> {
    const { exporter, path, mediaType, userId, channelId } = output;
    if (output.isBroken) {
      await exporter.abort().catch(() => undefined);
      return;
    }
    const isVideo = exporter instanceof Mp4Exporter;
    const paths = isVideo ? exporter.paths : [path];
    const isComplete = await this.#complete(paths, exporter, output);
    if (!isVideo || !isComplete) return;
    const own = losses.filter(
      (loss) =>
        loss.mediaType === mediaType &&
        (loss.kind === 'blind' || sourceKey(loss) === sourceKey({ userId, channelId })),
    );
    if (own.length === 0) return;
    for (const video of exporter.paths)
      this.#written.add(await writeVideoCaptions(video, this.#options.startMs, own));
  }

  /** @returns false when it could not be completed */
  async #complete(
    paths: readonly string[],
    exporter: Pick<Exporter<never>, 'close' | 'abort'>,
    source: FrameSource & { readonly mediaType: LedgerMediaType },
  ): Promise<boolean> {
    try {
      await exporter.close();
      // Without anything that could be written there is no file.
      for (const path of paths) if (await exists(path)) this.#written.add(path);
      return true;
    } catch (error) {
      this.#leftOut.add(source, error);
      await exporter.abort().catch(() => undefined);
      return false;
    }
  }

  /** @returns false when the frame could not be written */
  async #write(frame: Frame, find: () => Output): Promise<boolean> {
    let output: Output | undefined;
    try {
      output = find();
      if (output.isBroken) throw new ServiceError('export/unsupported', 'its file is broken');
      await output.exporter.write(frame);
      return true;
    } catch (error) {
      if (output && isFileError(error)) output.isBroken = true;
      this.#leftOut.add(frame, error);
      return false;
    }
  }

  /** A source that changes its codec or rate begins a new file. */
  #output(frame: Frame): Output {
    const { mediaType, codec, sampleRateHz, channels } = frame;
    const key = [mediaType, sourceKey(frame), codec, sampleRateHz, channels].join(' ');
    return this.#find(key, frame, () => this.#create(frame));
  }

  #mix(frame: Frame): Output {
    const { sampleRateHz, channels, codec } = frame;
    return this.#find(['mix', sampleRateHz || codec, channels].join(' '), frame, () => {
      const path = `${this.#names.stem('meeting')}.wav`;
      return { path, exporter: new MixExporter(path, this.#options.startMs) };
    });
  }

  #find(
    key: string,
    { mediaType, userId, channelId }: Frame,
    create: () => Pick<Output, 'path' | 'exporter'>,
  ): Output {
    const known = this.#outputs.get(key);
    if (known) return known;
    const output = {
      ...create(),
      isBroken: false,
      mediaType,
      ...(userId !== undefined && { userId }),
      ...(channelId !== undefined && { channelId }),
    };
    this.#outputs.set(key, output);
    return output;
  }

  #create(frame: Frame): Pick<Output, 'path' | 'exporter'> {
    const { mediaType, codec } = frame;
    const { startMs, fillGaps = true } = this.#options;
    // Before it takes a name from those that can be written.
    if (codec === 'UNDEFINED') {
      const detail = { mediaType };
      throw new ServiceError('export/unsupported', 'codec that this version does not know', {
        detail,
      });
    }
    const stem = this.#names.stem(fileStem(frame));
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

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

const EVER = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };

function revoked(): ServiceError {
  const what = 'Zoom took back the consent for this session: what is stored of it must be deleted';
  return new ServiceError('export/revoked', what);
}
