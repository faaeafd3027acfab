/**
 * - `speaker`: the camera of whoever speaks
 * - `share`: the same, but for the times in which somebody shares: then the share
 * - `tracks`: every camera and share as a track of its own
 * - `none`: no meeting file
 */
export type Layout = 'speaker' | 'share' | 'tracks' | 'none';

/** A picture stands this long after its source has fallen silent. After that another source may show, or black. */
const LIVE_MS = 2_000;
const HELD_MS = 10_000;

interface Seen {
  readonly source: string;
  readonly isShare: boolean;
  readonly atMs: number;
  readonly isKey: boolean;
}

/**
 * Decides picture by picture what a viewer sees. It changes the source with a key frame only, because no decoder can begin
 * with another picture, and the pictures are not encoded anew. So a change waits for the next key frame of the source.
 */
export class SpeakerView {
  readonly #layout: Layout;
  readonly #lastMs = new Map<string, number>();
  #shown: { source: string; isShare: boolean } | undefined;
  #speaker: string | undefined;
  #isSharing: boolean | undefined;

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  /** @param source the key of whoever speaks from now on */
  speaks(source: string): void {
    this.#speaker = source;
  }

  /** Somebody began to share, or nobody shares any more. */
  shares(isSharing: boolean): void {
    this.#isSharing = isSharing;
  }

  /** Takes the pictures of all sources in the order of time. @returns whether the viewer sees this one */
  shows(picture: Seen): boolean {
    const { source, isShare, atMs, isKey } = picture;
    if (isShare && this.#layout !== 'share') return false;
    const shown = this.#shown;
    const key = keyOf(picture);
    const isSame = shown !== undefined && keyOf(shown) === key;
    this.#lastMs.set(key, atMs);
    if (isSame) return true;
    if (!isKey) return false;
    if (shown && this.#rank(picture, atMs) <= this.#rank(shown, atMs)) return false;
    this.#shown = { source, isShare };
    return true;
  }

  /** @returns when the picture on the screen has to give way to black; undefined when there is none */
  get blackAtMs(): number | undefined {
    if (!this.#shown) return undefined;
    // A share that nobody moves sends no pictures.
    if (this.#shown.isShare && this.#isSharing === true) return undefined;
    return (this.#lastMs.get(keyOf(this.#shown)) ?? 0) + HELD_MS;
  }

  /** The screen is black now: the next picture has to be a key frame. */
  goBlack(): void {
    this.#shown = undefined;
  }

  #rank({ source, isShare }: Pick<Seen, 'source' | 'isShare'>, atMs: number): number {
    const key = keyOf({ source, isShare });
    const lastMs = this.#lastMs.get(key) ?? Number.NEGATIVE_INFINITY;
    if (isShare) {
      // Without events about shares, pictures tell.
      const isOn = this.#isSharing ?? atMs - lastMs <= HELD_MS;
      return isOn ? 3 : 0;
    }
    if (atMs - lastMs > LIVE_MS) return 0;
    return source === this.#speaker ? 2 : 1;
  }
}

function keyOf({ source, isShare }: { source: string; isShare: boolean }): string {
  return isShare ? `share ${source}` : source;
}
