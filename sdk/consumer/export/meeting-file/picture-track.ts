import { blackPicture } from './black-picture.ts';
import { avc1, type VideoSize } from './mp4-boxes.ts';
import type { Mp4File, Mp4Track } from './mp4-file.ts';
import type { Picture } from './picture-reader.ts';

/** Black is written anew this often, so that a player can begin anywhere. */
const BLACK_EVERY_MS = 5_000;

/** A first picture that is this early stands from zero on, without black before it. */
const EARLY_MS = 40;

interface Standing extends Pick<Picture, 'data' | 'isKey' | 'entry' | 'atMs'> {
  readonly isBlack: boolean;
}

/** The picture track of a meeting file: one picture after another from zero on, and black where there is none. */
export class PictureTrack {
  readonly #file: Mp4File;
  readonly #track: Mp4Track;
  #blackSize: VideoSize;
  #black: ReturnType<typeof blackPicture> | undefined;
  #blackEntry: Buffer | undefined;
  #variant = 0;
  /** It waits for the next one, which tells how long it stands. */
  #last: Standing | undefined;

  /** @param size of the black before the first picture */
  constructor(file: Mp4File, name: string, size: VideoSize) {
    this.#file = file;
    this.#track = file.addTrack({ kind: 'vide', rate: 1000, name });
    this.#blackSize = size;
  }

  async show({ data, isKey, entry, size, atMs }: Picture): Promise<void> {
    if (!this.#last) {
      // Black before the first picture has its size.
      this.#see(size);
      if (atMs > EARLY_MS) await this.black(0);
    }
    const begins = this.#last ? Math.max(atMs, this.#last.atMs + 1) : 0;
    await this.#put({ data, isKey, entry, atMs: begins, isBlack: false });
    this.#see(size);
  }

  /** Shows black from a moment on. */
  async black(atMs: number): Promise<void> {
    this.#track.size = larger(this.#track.size, this.#blackSize);
    const begins = this.#last ? Math.max(atMs, this.#last.atMs + 1) : 0;
    await this.#put({ ...this.#blackSample(), atMs: begins });
  }

  /** Ends the track. The last picture stands until then. */
  async close(endMs: number): Promise<void> {
    if (!this.#last) await this.black(0);
    await this.#writeLast(Math.max(endMs, (this.#last?.atMs ?? 0) + 1));
  }

  async #put(next: Standing): Promise<void> {
    await this.#writeLast(next.atMs);
    this.#last = next;
  }

  async #writeLast(untilMs: number): Promise<void> {
    let last = this.#last;
    while (last?.isBlack && untilMs - last.atMs > BLACK_EVERY_MS) {
      await this.#write(last, BLACK_EVERY_MS);
      last = { ...this.#blackSample(), atMs: last.atMs + BLACK_EVERY_MS };
    }
    if (last) await this.#write(last, untilMs - last.atMs);
  }

  async #write({ data, isKey, entry }: Standing, duration: number): Promise<void> {
    await this.#file.add(this.#track, { data, isKey, entry, duration });
  }

  #blackSample(): Omit<Standing, 'atMs'> {
    this.#black ??= blackPicture(this.#blackSize);
    this.#blackEntry ??= avc1(this.#blackSize, this.#black.config);
    this.#variant = 1 - this.#variant;
    const data = this.#black.variants[this.#variant] as Buffer;
    return { data, isKey: true, entry: this.#blackEntry, isBlack: true };
  }

  /** Black has the size of the picture before it, so that a player does not resize for it. */
  #see(size: VideoSize): void {
    this.#track.size = larger(this.#track.size, size);
    if (size.width === this.#blackSize.width && size.height === this.#blackSize.height) return;
    this.#blackSize = size;
    this.#black = undefined;
    this.#blackEntry = undefined;
  }
}

function larger(a: VideoSize, b: VideoSize): VideoSize {
  return { width: Math.max(a.width, b.width), height: Math.max(a.height, b.height) };
}
