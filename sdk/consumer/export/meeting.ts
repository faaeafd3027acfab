import { mkdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ServiceError } from '../../../shared/errors.ts';
import type { ReceivedEvent } from '../records/event-record.ts';
import type { Frame } from '../records/frame.ts';
import type { ExpiredTime } from '../verdict/expired.ts';
import { LedgerChecker, type LedgerReport, withProblems } from '../verdict/ledger.ts';
import type { Loss } from '../verdict/loss.ts';
import { judge } from '../verdict/verdict.ts';
import type { Adjusted } from './exporter.ts';
import { cueText, GAPS_FILE, writeGaps } from './gap-marks.ts';
import { type LeftOut, LeftOutFrames } from './left-out.ts';
import type { Layout } from './meeting-file/speaker-view.ts';
import { WholeMeeting } from './meeting-file/whole-meeting.ts';
import { closeFile, SourceFiles } from './source-files.ts';
import { ChatExporter } from './text/json-lines.ts';
import { describeExport } from './text/notes.ts';
import { plainText, srt, TranscriptExporter, vtt } from './text/transcript.ts';

/** Options of `MeetingExport.create(directory, options)`. */
export interface MeetingExportOptions {
  /** Meeting zero, Unix ms: the one time base of all files. */
  readonly startMs: number;
  /**
   * Whose meeting is written. Frames and events of another one are refused.
   *
   * @default that of the first frame or event
   */
  readonly rtmsStreamId?: string;
  /**
   * Later streams of the same meeting. They are written into the same files. What was said between one that Zoom ended and
   * the one that continues it is a gap.
   *
   * @default none
   */
  readonly continuedBy?: readonly string[];
  /**
   * Fill gaps in the speakers' WAV files with silence, so that they line up with all other files. Without it they hold
   * exactly the samples that Zoom sent, one after another.
   *
   * @default true
   */
  readonly fillGaps?: boolean;
  /**
   * Write only what was captured in this time, Unix ms, and tell only what is lost in it. The report then proves nothing
   * about frames that are missing without an explanation.
   *
   * @default all
   */
  readonly window?: { readonly fromMs: number; readonly toMs: number };
  /**
   * Write a session whose consent Zoom took back.
   *
   * @default false: `export/revoked` is thrown, and no file is left
   */
  readonly evenRevoked?: boolean;
  /**
   * Write the documents of the whole meeting too: `meeting.mp4` with the picture that this names, `meeting.mkv`,
   * `transcript.jsonl`, `participants.json`, `speakers.rttm`, `events.jsonl`, `manifest.json`. That takes about a fortieth of its length.
   *
   * @default none
   */
  readonly layout?: Layout;
  /** What expired in Kinesis before it was archived, as the manifest of an archive has it. @default nothing */
  readonly trimmed?: readonly ExpiredTime[];
}

/**
 * Writes one meeting into a directory: a WAV (or Ogg) file per speaker, `meeting.wav` with all of them, an MP4 or a
 * picture folder per camera and share, `transcript.vtt`, `.srt`, `.txt`, `chat.jsonl`, and `gaps.json` when something
 * of the meeting is lost.
 *
 * A frame that cannot be written is left out and counted in `leftOut`. Everything else is complete.
 */
export class MeetingExport {
  readonly #directory: string;
  /** Whether the directory was not there before, so that it can go when no file stays in it. */
  readonly #isNewDirectory: boolean;
  readonly #options: MeetingExportOptions;
  readonly #media: SourceFiles;
  readonly #transcripts: readonly { path: string; exporter: TranscriptExporter }[];
  readonly #chat: { path: string; exporter: ChatExporter };
  readonly #leftOut = new LeftOutFrames();
  readonly #whole: WholeMeeting | undefined;
  readonly #checker: LedgerChecker;
  readonly #problems: string[] = [];
  #rtmsStreamId: string | undefined;
  #isRevoked = false;
  #report: LedgerReport | undefined;

  private constructor(directory: string, isNewDirectory: boolean, options: MeetingExportOptions) {
    const { startMs, rtmsStreamId } = options;
    this.#directory = directory;
    this.#isNewDirectory = isNewDirectory;
    this.#options = options;
    this.#rtmsStreamId = rtmsStreamId;
    this.#checker = new LedgerChecker(options.trimmed);
    this.#media = new SourceFiles(directory, options, this.#leftOut);
    const { layout = 'none' } = options;
    if (layout !== 'none')
      this.#whole = new WholeMeeting(directory, { startMs, layout }, this.#leftOut);
    this.#transcripts = Object.entries({ vtt, srt, txt: plainText }).map(([extension, format]) => {
      const path = join(directory, `transcript.${extension}`);
      return { path, exporter: new TranscriptExporter(path, format, startMs) };
    });
    const chatPath = join(directory, 'chat.jsonl');
    this.#chat = { path: chatPath, exporter: new ChatExporter(chatPath, startMs) };
  }

  /** Creates the directory when there is none. Files of the same names are overwritten. */
  static async create(directory: string, options: MeetingExportOptions): Promise<MeetingExport> {
    const created = await mkdir(directory, { recursive: true });
    return new MeetingExport(directory, created !== undefined, options);
  }

  /** Frames that are in no file, by source and reason. */
  get leftOut(): readonly LeftOut[] {
    return this.#leftOut.all;
  }

  /** What the two streams prove of this meeting by what was handed in so far, as `verifyLedger` says it. */
  get report(): LedgerReport {
    return this.#report ?? this.#checker.report();
  }

  /**
   * Writes a frame. Frames of one source must come in order.
   *
   * @throws ServiceError `export/other-meeting`, `export/revoked`
   */
  async frame(frame: Frame): Promise<void> {
    this.#admit(frame);
    this.#checker.frame(frame);
    if (this.#isInside(frame.capturedAt)) await this.#media.frame(frame);
  }

  /**
   * Takes an event of any name. Transcript and chat are written; events that tell of losses go into the report.
   *
   * @throws ServiceError `export/other-meeting`, `export/revoked`
   */
  async event(event: ReceivedEvent): Promise<void> {
    if (event.name === 'session_revoked') this.#isRevoked = true;
    this.#admit(event);
    this.#checker.event(event);
    if (!this.#isInside(event.time)) return;
    await this.#whole?.event(event);
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
   * Pictures that are in no MP4, by the path they would have gone to: those before the first key frame, and those
   * between a lost picture and the next key frame. No decoder can begin with them.
   */
  get skippedPictures(): Map<string, number> {
    return this.#media.skippedPictures;
  }

  /**
   * Files whose frames are not all where their capture times say, by path: those times were odd, or Zoom sent audio
   * again after a change of owner.
   */
  get adjusted(): Map<string, Adjusted> {
    return this.#media.adjusted;
  }

  /**
   * `leftOut`, `skippedPictures` and `adjusted` in words, one sentence each.
   *
   * @param nameOf how the sentences name a path
   */
  notes(nameOf: (path: string) => string = (path) => path): string[] {
    return describeExport(this, nameOf);
  }

  /**
   * Completes all files. A file that cannot be completed is left out and counted, and the others are complete.
   *
   * @returns the paths of all files, sorted
   * @throws ServiceError `export/revoked` after every file was removed
   */
  async close(): Promise<string[]> {
    if (this.#isRevoked && !this.#options.evenRevoked) {
      await this.abort();
      throw revoked();
    }
    const report = this.#finalReport();
    const { losses, verdict } = report;
    this.#report = report;
    for (const { exporter } of this.#transcripts) {
      for (const loss of losses.filter(({ mediaType }) => mediaType === 'transcript'))
        exporter.mark({ ...loss, text: cueText(loss) });
    }
    const written: string[] = [];
    for (const { path, exporter } of this.#transcripts)
      written.push(
        ...(await closeFile(exporter, path, { mediaType: 'transcript' }, this.#leftOut)),
      );
    const { path, exporter } = this.#chat;
    written.push(...(await closeFile(exporter, path, { mediaType: 'chat' }, this.#leftOut)));
    written.push(...(await this.#media.close(losses)));
    const { startMs } = this.#options;
    const rtmsStreamId = this.#rtmsStreamId;
    if (losses.length > 0 && rtmsStreamId !== undefined)
      written.push(await writeGaps(this.#directory, rtmsStreamId, startMs, { verdict, losses }));
    // What an earlier export of this meeting had lost must not stand beside files that are complete.
    else await rm(join(this.#directory, GAPS_FILE), { force: true });
    const { continuedBy = [] } = this.#options;
    const whole = await this.#whole?.close({
      rtmsStreamIds: rtmsStreamId === undefined ? [] : [rtmsStreamId, ...continuedBy],
      media: this.#media.written,
      cues: this.#transcripts[0]?.exporter.cues ?? [],
      report,
      paths: written,
      skippedPictures: this.skippedPictures,
      adjusted: this.adjusted,
    });
    written.push(...(whole ?? []));
    return written.sort();
  }

  /** Closes what is open and removes what is not complete, and the directory with it when it is new and empty. */
  async abort(): Promise<void> {
    const texts = [...this.#transcripts, this.#chat].map(({ exporter }) => exporter.abort());
    await Promise.allSettled([...texts, this.#media.abort(), this.#whole?.abort()]);
    if (this.#isNewDirectory) await rmdir(this.#directory).catch(() => undefined);
  }

  /**
   * Says what is wrong with the place that the meeting is read from, one sentence each. Then the verdict of the export is that it contradicts
   * itself.
   */
  addProblems(problems: readonly string[]): void {
    this.#problems.push(...problems);
  }

  #finalReport(): LedgerReport {
    return withProblems(this.#reportOfWindow(), this.#problems);
  }

  #reportOfWindow(): LedgerReport {
    const whole = this.#checker.report();
    if (this.#options.window === undefined) return whole;
    const losses = whole.losses.filter((loss) => this.#overlaps(loss));
    // The counts of a whole session prove nothing about a part: its reader may not have read all of the session.
    return { ...whole, losses, problems: [], ok: true, verdict: judge([], losses) };
  }

  #admit({ rtmsStreamId }: { readonly rtmsStreamId: string }): void {
    this.#rtmsStreamId ??= rtmsStreamId;
    const { continuedBy = [] } = this.#options;
    if (rtmsStreamId !== this.#rtmsStreamId && !continuedBy.includes(rtmsStreamId)) {
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
}

const EVER = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };

function revoked(): ServiceError {
  const what = 'Zoom took back the consent for this session: what is stored of it must be deleted';
  return new ServiceError('export/revoked', what);
}
