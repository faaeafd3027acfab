import { rm } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { ReceivedEvent } from '../../records/event-record.ts';
import { sourceKey } from '../../records/frame.ts';
import type { LedgerReport } from '../../verdict/ledger.ts';
import { describeLoss } from '../../verdict/loss.ts';
import type { Adjusted } from '../exporter.ts';
import type { LeftOut, LeftOutFrames } from '../left-out.ts';
import { composeMatroska, type MkvComposed } from '../matroska/whole-mkv.ts';
import { closeFile, type WrittenMedia } from '../source-files.ts';
import { EventLinesExporter } from '../text/json-lines.ts';
import type { Cue } from '../text/transcript.ts';
import { Attendance } from './attendance.ts';
import { type Composed, composeMeeting } from './compose.ts';
import { hashFiles, writeDocument } from './manifest.ts';
import { MeetingMarks } from './meeting-marks.ts';
import type { SoundFile } from './mix-reader.ts';
import type { PictureFile } from './picture-reader.ts';
import type { Layout } from './speaker-view.ts';
import { nameSpeakers, rttm } from './speech.ts';

/** Zoom's own mix of all speakers is user 0. */
const MIXED = sourceKey({ userId: 0 });

export interface WholeMeetingOptions {
  readonly startMs: number;
  readonly layout: Exclude<Layout, 'none'>;
}

/** What the files of the single sources are, and what is known of them. */
interface Parts {
  readonly rtmsStreamIds: readonly string[];
  readonly media: readonly WrittenMedia[];
  readonly cues: readonly Cue[];
  readonly report: Pick<LedgerReport, 'verdict' | 'losses'>;
  /** All files written so far. */
  readonly paths: readonly string[];
  readonly skippedPictures: ReadonlyMap<string, number>;
  readonly adjusted: ReadonlyMap<string, Adjusted>;
}

/**
 * The documents that tell of a meeting as a whole: `meeting.mp4`, `meeting.mkv`, `transcript.jsonl`, `participants.json`,
 * `speakers.rttm`, `events.jsonl` and `manifest.json`.
 */
export class WholeMeeting {
  readonly #directory: string;
  readonly #options: WholeMeetingOptions;
  readonly #leftOut: LeftOutFrames;
  readonly #marks: MeetingMarks;
  readonly #attendance: Attendance;
  readonly #events: EventLinesExporter;
  #title = 'Zoom meeting';

  constructor(directory: string, options: WholeMeetingOptions, leftOut: LeftOutFrames) {
    this.#directory = directory;
    this.#options = options;
    this.#leftOut = leftOut;
    this.#marks = new MeetingMarks(options.startMs);
    this.#attendance = new Attendance(options.startMs);
    this.#events = new EventLinesExporter(this.#path('events.jsonl'), options.startMs);
  }

  async event(event: ReceivedEvent): Promise<void> {
    if (event.name === 'session_started')
      this.#title = `Zoom ${event.data.product} ${event.data.entityId}`;
    this.#marks.event(event);
    this.#attendance.event(event);
    try {
      await this.#events.write(event);
    } catch (error) {
      this.#leftOut.add({ mediaType: 'events' }, error);
    }
  }

  /** @returns the paths of all documents */
  async close(parts: Parts): Promise<string[]> {
    const written: string[] = [];
    const events = { mediaType: 'events' } as const;
    written.push(
      ...(await closeFile(this.#events, this.#path('events.jsonl'), events, this.#leftOut)),
    );
    const composed = await this.#compose(parts);
    if (composed) written.push(this.#path(MEETING_FILE));
    const tracks = await this.#composeTracks(parts);
    if (tracks) written.push(this.#path(TRACKS_FILE));
    const spoken = this.#spoken(composed);
    const nameOf = (path: string) => relative(this.#directory, path).split(sep).join('/');
    if (parts.cues.length > 0) {
      const lines = parts.cues.map((cue) => `${JSON.stringify(cue)}\n`).join('');
      written.push(await writeDocument(this.#path('transcript.jsonl'), lines));
    }
    if (spoken.length > 0) {
      const text = rttm(spoken, parts.rtmsStreamIds[0] ?? '');
      written.push(await writeDocument(this.#path('speakers.rttm'), text));
    }
    const people = this.#attendance.toRows(parts.media, spoken, nameOf);
    written.push(await writeDocument(this.#path('participants.json'), json(people)));
    const manifest = await this.#manifest(parts, { composed, tracks }, written, nameOf);
    written.push(await writeDocument(this.#path('manifest.json'), json(manifest)));
    return written;
  }

  async abort(): Promise<void> {
    await this.#events.abort();
  }

  async #compose({ media, cues, report }: Parts): Promise<Composed | undefined> {
    const path = this.#path(MEETING_FILE);
    const { startMs, layout } = this.#options;
    const pictures = media.flatMap((file) => picturesIn(file, layout));
    const sounds = media.flatMap(soundIn);
    try {
      // That of an earlier export would be taken for this one's.
      await rm(path, { force: true });
      if (pictures.length + sounds.length === 0) return undefined;
      return await composeMeeting(path, {
        layout,
        pictures,
        sounds,
        cues,
        startMs,
        cuts: this.#marks.cuts,
        chapters: this.#marks.chapters(report.losses),
        title: this.#title,
        comment: `${this.#comment(report)} Layout: ${layout}.`,
      });
    } catch (error) {
      const mediaType = pictures.length > 0 ? 'video' : 'audio';
      this.#leftOut.add({ mediaType, file: MEETING_FILE }, error);
      return undefined;
    }
  }

  async #composeTracks({ media, cues, report }: Parts): Promise<MkvComposed | undefined> {
    const path = this.#path(TRACKS_FILE);
    try {
      await rm(path, { force: true });
      return await composeMatroska(path, {
        media,
        cues,
        chapters: this.#marks.chapters(report.losses),
        startMs: this.#options.startMs,
        title: this.#title,
        comment: this.#comment(report),
      });
    } catch (error) {
      this.#leftOut.add({ mediaType: media[0]?.mediaType ?? 'audio', file: TRACKS_FILE }, error);
      return undefined;
    }
  }

  #comment({ verdict }: Pick<LedgerReport, 'verdict'>): string {
    return `Verdict: ${verdict}. Time zero: ${new Date(this.#options.startMs).toISOString()}.`;
  }

  #spoken(composed: Composed | undefined) {
    const active = this.#marks.cuts.flatMap((cut) => ('speaker' in cut ? [cut] : []));
    return nameSpeakers(composed?.spoken ?? [], MIXED, active);
  }

  async #manifest(
    parts: Parts,
    { composed, tracks }: { composed: Composed | undefined; tracks: MkvComposed | undefined },
    written: readonly string[],
    nameOf: (path: string) => string,
  ) {
    const { startMs, layout } = this.#options;
    const { verdict, losses } = parts.report;
    const byName = <Value>(map: ReadonlyMap<string, Value>) =>
      Object.fromEntries([...map].map(([path, value]) => [nameOf(path), value]));
    const leftOut: readonly LeftOut[] = this.#leftOut.all;
    return {
      version: 1,
      title: this.#title,
      rtmsStreamIds: parts.rtmsStreamIds,
      zero: new Date(startMs).toISOString(),
      startMs,
      ...(composed && {
        meeting: {
          file: MEETING_FILE,
          layout,
          lengthMs: composed.endMs,
          leftOut: composed.unread.map(({ path, ...rest }) => ({ file: nameOf(path), ...rest })),
        },
      }),
      ...(tracks && {
        everyTrack: {
          file: TRACKS_FILE,
          tracks: tracks.tracks,
          leftOut: tracks.unread.map(({ path }) => ({ file: nameOf(path) })),
        },
      }),
      verdict,
      gaps: losses.map((loss) => ({
        ...loss,
        fromAtMs: loss.fromMs - startMs,
        toAtMs: loss.toMs - startMs,
        text: describeLoss(loss),
      })),
      leftOut,
      skippedPictures: byName(parts.skippedPictures),
      adjusted: byName(parts.adjusted),
      sources: parts.media.map(({ path, isOnClock: _, ...source }) => ({
        file: nameOf(path),
        ...source,
      })),
      files: await hashFiles([...parts.paths, ...written].sort(), nameOf),
    };
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }
}

/** What the picture of `meeting.mp4` may be taken from. A share in pictures is encoded for it, so only where it may show. */
function picturesIn(file: WrittenMedia, layout: Layout): PictureFile[] {
  const { path, mediaType, codec, beginsAtMs } = file;
  const isShare = mediaType === 'deskshare';
  const shown = { path, source: sourceKey(file), isShare };
  if (beginsAtMs !== undefined) return [{ ...shown, beginsAtMs }];
  if ((codec !== 'JPG' && codec !== 'PNG') || (isShare && layout === 'speaker')) return [];
  return [{ ...shown, beginsAtMs: 0, images: codec === 'JPG' ? 'jpg' : 'png' }];
}

function soundIn(file: WrittenMedia): SoundFile[] {
  const { path, mediaType, isOnClock, isMix, userName } = file;
  if (mediaType !== 'audio' || !isOnClock) return [];
  const speaker = isMix ? MIXED : sourceKey(file);
  return [{ path, speaker, ...(speaker !== MIXED && { name: userName || speaker }) }];
}

const MEETING_FILE = 'meeting.mp4';
const TRACKS_FILE = 'meeting.mkv';

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
