import type { Cue } from '../text/transcript.ts';
import { putCaptions } from './captions.ts';
import { MIX_RATE_HZ, MixReader, type SoundFile } from './mix-reader.ts';
import type { Chapter } from './mp4-boxes.ts';
import { Mp4File } from './mp4-file.ts';
import type { PictureFile } from './picture-reader.ts';
import { pictures } from './picture-sources.ts';
import { PictureTrack } from './picture-track.ts';
import { SoundTracks } from './sound-tracks.ts';
import { type Layout, SpeakerView } from './speaker-view.ts';
import { type Speech, SpeechTimes } from './speech.ts';

/** The size of a picture where nobody ever had one. */
const NO_CAMERA = { width: 640, height: 360 };

/** Speakers beyond this have no track of their own in the layout `tracks`: each takes an encoder. They are in the mix. */
const MAX_VOICE_TRACKS = 50;

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
  /** Files that are not in it, or not whole: with `packets` or `pictures`, that many of them could not be decoded. */
  readonly unread: readonly {
    readonly path: string;
    readonly packets?: number;
    readonly pictures?: number;
  }[];
  readonly endMs: number;
}

/**
 * Writes one file that players open: picture, mixed sound, captions, chapters. It reads the files of the single sources,
 * which are on one time base already, a second at a time. When it fails, every file is closed and nothing is left of it.
 */
export async function composeMeeting(path: string, meeting: Composition): Promise<Composed> {
  const mix = await MixReader.open(meeting.sounds, meeting.layout === 'tracks');
  const damaged = new Map<string, number>();
  const written = await writeMeeting(path, meeting, mix, damaged).finally(() => mix.close());
  const images = [...damaged].map(([path, pictures]) => ({ path, pictures }));
  return { ...written, unread: [...mix.unread, ...images] };
}

async function writeMeeting(
  path: string,
  meeting: Composition,
  mix: MixReader,
  damaged: Map<string, number>,
): Promise<Omit<Composed, 'unread'>> {
  let sound: SoundTracks | undefined;
  let file: Mp4File | undefined;
  let stage: Stage | undefined;
  try {
    file = await Mp4File.create(path);
    stage = new Stage(meeting, file, mix.unread, damaged);
    if (!mix.isEmpty) sound = await SoundTracks.start(file, voicesOf(meeting));
    const spoken = await play(mix, sound, stage);
    const endMs = Math.max(soundMsOf(mix), stage.endMs);
    await stage.close(endMs);
    await putCaptions(file, meeting.cues, endMs);
    const { title, comment, startMs, chapters } = meeting;
    const inside = chapters.filter(({ atMs }) => atMs < endMs);
    await file.close({ title, comment, startMs, chapters: inside });
    return { spoken, endMs };
  } catch (error) {
    // What follows from the first error must not stand for it.
    await Promise.allSettled([sound?.abort(), file?.abort()]);
    throw error;
  } finally {
    await stage?.release();
  }
}

/** Who has a track of sound: speakers by the key of their source, each with a name. */
function voicesOf({ layout, sounds }: Composition): Map<string, string> {
  const named = sounds.flatMap(({ speaker, name }) =>
    layout === 'tracks' && name !== undefined ? [[speaker, name] as const] : [],
  );
  return new Map([...new Map(named)].slice(0, MAX_VOICE_TRACKS));
}

/** Writes sound and pictures second by second. @returns who spoke when */
async function play(
  mix: MixReader,
  sound: SoundTracks | undefined,
  stage: Stage,
): Promise<readonly Speech[]> {
  const speech = new SpeechTimes();
  const soundMs = soundMsOf(mix);
  for (let atMs = 0; atMs < soundMs || stage.hasMore; atMs += 1000) {
    if (sound && atMs < soundMs) {
      const block = await mix.next();
      stage.heard(speech.add(atMs, block.levels));
      const count = Math.min(MIX_RATE_HZ, Math.round((soundMs - atMs) * (MIX_RATE_HZ / 1000)));
      await sound.add(block, count);
    }
    await stage.playUntil(atMs + 1000);
  }
  await sound?.finish();
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

  /**
   * @param unread gets the files that cannot be read to their end
   * @param damaged counts the pictures of folders that cannot be decoded
   */
  constructor(
    meeting: Composition,
    file: Mp4File,
    unread: { path: string }[],
    damaged: Map<string, number>,
  ) {
    this.#meeting = meeting;
    this.#file = file;
    this.#pictures = pictures(
      meeting.pictures,
      (path) => void unread.push({ path }),
      (path) => void damaged.set(path, (damaged.get(path) ?? 0) + 1),
      meeting.cuts.map(({ atMs }) => atMs),
    );
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
