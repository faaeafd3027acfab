import type { FrameView } from '../views.ts';

/**
 * The frames that wait for one tab. A tab that takes them too slowly loses the oldest ones, of video up to the next frame
 * that can be decoded by itself. Lines and state are not in here: no tab loses those.
 */
export class FrameQueue {
  readonly #maxBytes: number;
  #frames: FrameView[] = [];
  #bytes = 0;
  /** Sources of video that wait for a key frame, because one before was dropped. */
  readonly #broken = new Set<string>();
  dropped = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(frame: FrameView): void {
    if (frame.mediaType === 'video') {
      if (frame.key) this.#broken.delete(frame.source);
      if (this.#broken.has(frame.source)) {
        this.dropped += 1;
        return;
      }
    }
    this.#frames.push(frame);
    this.#bytes += sizeOf(frame);
    while (this.#bytes > this.#maxBytes && this.#frames.length > 0) this.#dropOldest();
  }

  /** Takes the oldest frames, of about this many bytes together. */
  take(bytes: number): FrameView[] {
    let count = 0;
    let sum = 0;
    for (const frame of this.#frames) {
      if (count > 0 && sum + sizeOf(frame) > bytes) break;
      sum += sizeOf(frame);
      count += 1;
    }
    this.#bytes -= sum;
    return this.#frames.splice(0, count);
  }

  #dropOldest(): void {
    const oldest = this.#frames.shift();
    if (oldest === undefined) return;
    this.#bytes -= sizeOf(oldest);
    this.dropped += 1;
    if (oldest.mediaType !== 'video') return;
    const nextKey = this.#frames.findIndex((frame) => frame.source === oldest.source && frame.key);
    if (nextKey === -1) this.#broken.add(oldest.source);
    this.#frames = this.#frames.filter((frame, index) => {
      const isUseless = frame.source === oldest.source && (nextKey === -1 || index < nextKey);
      if (!isUseless) return true;
      this.#bytes -= sizeOf(frame);
      this.dropped += 1;
      return false;
    });
  }
}

/** The rest of a frame, as JSON, takes about this much. */
const HEAD_BYTES = 160;

function sizeOf({ data }: FrameView): number {
  return HEAD_BYTES + (data?.length ?? 0);
}
