import type { Cue } from '../text/transcript.ts';
import { AAC_DELAY, AAC_PACKET, AacEncoder } from './aac.ts';
import { putCaptions } from './captions.ts';
import { MIX_RATE_HZ, MixReader, type SoundFile } from './mix-reader.ts';
import type { Chapter } from './mp4-boxes.ts';
import { Mp4File } from './mp4-file.ts';
import { type PictureFile, pictures } from './picture-reader.ts';
import { PictureTrack } from './picture-track.ts';
import { type Layout, SpeakerView } from './speaker-view.ts';
import { type Speech, SpeechTimes } from './speech.ts';

/** The size of a picture where nobody ever had one. */
const NO_CAMERA = { width: 640, height: 360 };

/** What Zoom says of speakers and shares, times since meeting zero. */
export type Cut =
  | { readonly atMs: number; readonly speaker: string }
  | { readonly atMs: number; readonly isSharing: boolean };

export interface Composition {
  readonly layout: Exclude<Layout, 'none'>;
  readonly sounds: readonly SoundFile[];
  readonly pictures: readonly PictureFile[];
  readonly cues: readonly Cue[];
  /** In the order of time. */
  readonly cuts: readonly Cut[];
  readonly chapters: readonly Chapter[];
  readonly title: string;
  readonly comment: string;
  /** Meeting zero, Unix ms. */
  readonly startMs: number;
}

export interface Composed {
  /** Who spoke when, by the level of the sound. */
  readonly spoken: readonly Speech[];
  /** Files that are not in it, or not whole. */
  readonly unread: MixReader['unread'];
  readonly endMs: number;
}

/**
 * Writes one file that players open: picture, mixed sound, captions, chapters. It reads the files of the single sources,
 * which are on one time base already, a second at a time. When it fails, every file is closed and nothing is left of it.
 */
export async function composeMeeting(path: string, meeting: Composition): Promise<Composed> {
  const mix = await MixReader.open(meeting.sounds);
  const written = await writeMeeting(path, meeting, mix).finally(() => mix.close());
  return { ...written, unread: mix.unread };
}

async function writeMeeting(
  path: string,
  meeting: Composition,
  mix: MixReader,
): Promise<Omit<Composed, 'unread'>> {
  let encoder: AacEncoder | undefined;
  let file: Mp4File | undefined;
  let stage: Stage | undefined;
  try {
    file = await Mp4File.create(path);
    if (!mix.isEmpty) encoder = await AacEncoder.start();
    stage = new Stage(meeting, file, (path) => mix.unread.push({ path }));
    const spoken = await play(file, mix, encoder, stage);
    const endMs = Math.max(soundMsOf(mix), stage.endMs);
    await stage.close(endMs);
    await putCaptions(file, meeting.cues, endMs);
    const { title, comment, startMs, chapters } = meeting;
    const inside = chapters.filter(({ atMs }) => atMs < endMs);
    await file.close({ title, comment, startMs, chapters: inside });
    return { spoken, endMs };
  } catch (error) {
    // What follows from the first error must not stand for it.
    await Promise.allSettled([encoder?.abort(), file?.abort()]);
    throw error;
  } finally {
    await stage?.release();
  }
}

/** Writes sound and pictures second by second. @returns who spoke when */
async function play(
  file: Mp4File,
  mix: MixReader,
  encoder: AacEncoder | undefined,
  stage: Stage,
): Promise<readonly Speech[]> {
  const sound =
    encoder && file.addTrack({ kind: 'soun', rate: MIX_RATE_HZ, name: 'All', skip: AAC_DELAY });
  const putSound = async (packets: Awaited<ReturnType<AacEncoder['encode']>>) => {
    for (const { data, entry } of packets) {
      const sample = { data, entry, duration: AAC_PACKET, isKey: true };
      if (sound) await file.add(sound, sample);
    }
  };
  const speech = new SpeechTimes();
  const soundMs = soundMsOf(mix);
  for (let atMs = 0; atMs < soundMs || stage.hasMore; atMs += 1000) {
    if (encoder && atMs < soundMs) {
      const { samples, levels } = await mix.next();
      stage.heard(speech.add(atMs, levels));
      const count = Math.min(MIX_RATE_HZ, Math.round((soundMs - atMs) * (MIX_RATE_HZ / 1000)));
      await putSound(await encoder.encode(samples.subarray(0, count)));
    }
    await stage.playUntil(atMs + 1000);
  }
  if (encoder) await putSound(await encoder.finish());
  return speech.finish();
}

function soundMsOf({ seconds }: MixReader): number {
  return Math.round(seconds * 1000);
}

/** The pictures of a file that is being written. */
class Stage {
  endMs = 0;
  hasMore = true;
  readonly #meeting: Composition;
  readonly #file: Mp4File;
  readonly #pictures: ReturnType<typeof pictures>;
  readonly #view: SpeakerView;
  readonly #tracks = new Map<string, PictureTrack>();
  /** What Zoom says, or else what the levels say. */
  readonly #cuts: Cut[];
  readonly #isNamed: boolean;
  #head: Awaited<ReturnType<ReturnType<typeof pictures>['next']>> | undefined;

  constructor(meeting: Composition, file: Mp4File, onBroken: (path: string) => void) {
    this.#meeting = meeting;
    this.#file = file;
    this.#pictures = pictures(meeting.pictures, onBroken);
    this.#view = new SpeakerView(meeting.layout);
    this.#cuts = [...meeting.cuts];
    this.#isNamed = meeting.cuts.some((cut) => 'speaker' in cut);
    // Some players show the first track of a file, so a picture comes before the sound.
    if (meeting.layout !== 'tracks') this.#track('', NO_CAMERA);
  }

  /** Who has become the loudest, which counts where Zoom names no speaker. */
  heard(changes: readonly { atMs: number; speaker: string }[]): void {
    if (this.#isNamed || changes.length === 0) return;
    this.#cuts.push(...changes);
    this.#cuts.sort((a, b) => a.atMs - b.atMs);
  }

  /** Writes all pictures before a moment. */
  async playUntil(untilMs: number): Promise<void> {
    for (;;) {
      this.#head ??= await this.#pictures.next();
      if (this.#head.done) {
        this.hasMore = false;
        break;
      }
      const picture = this.#head.value;
      if (picture.atMs >= untilMs) break;
      this.#head = undefined;
      this.endMs = Math.max(this.endMs, picture.atMs + picture.durationMs);
      await this.#advance(picture.atMs);
      const { layout } = this.#meeting;
      if (layout === 'tracks') {
        const key = picture.isShare ? `share ${picture.source}` : picture.source;
        await this.#track(key, picture.size).show(picture);
      } else if (this.#view.shows(picture)) await this.#track('', picture.size).show(picture);
    }
    await this.#advance(untilMs);
  }

  async close(endMs: number): Promise<void> {
    if (this.#tracks.size === 0) this.#track('', NO_CAMERA);
    for (const track of this.#tracks.values()) await track.close(endMs);
  }

  /** Closes the files of the pictures, which are still open when the meeting file fails before their ends. */
  async release(): Promise<void> {
    await this.#pictures.return();
  }

  /** Follows speakers and shares, and goes black where pictures have ended. */
  async #advance(toMs: number): Promise<void> {
    for (let cut = this.#cuts[0]; cut && cut.atMs <= toMs; cut = this.#cuts[0]) {
      this.#cuts.shift();
      if ('speaker' in cut) this.#view.speaks(cut.speaker);
      else this.#view.shares(cut.isSharing);
    }
    const blackAtMs = this.#view.blackAtMs;
    if (this.#meeting.layout === 'tracks' || blackAtMs === undefined || blackAtMs > toMs) return;
    this.#view.goBlack();
    await this.#tracks.get('')?.black(blackAtMs);
  }

  #track(key: string, size: typeof NO_CAMERA): PictureTrack {
    const known = this.#tracks.get(key);
    if (known) return known;
    const track = new PictureTrack(this.#file, key || 'Speaker view', size);
    this.#tracks.set(key, track);
    return track;
  }
}
