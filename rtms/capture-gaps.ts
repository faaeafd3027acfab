import { cameraOf, type MediaKey } from './connection/media-key.ts';
import type { FrameMediaType } from './protocol/media-type.ts';

/** A source from which a frame came this shortly before an interruption counts as interrupted. */
const RECENT_MS = 5_000;
/** Bounds memory. A meeting has far fewer live sources. */
const MAX_SOURCES = 4_096;

interface Track {
  capturedAtMs: number;
  /** Monotonic ms. */
  heardAtMs: number;
  cut: boolean;
}

interface SourceGroup {
  readonly tracks: Map<number | string, Track>;
  /** A step in capture time up to this is no gap, ms; undefined while the connection is down. */
  toleranceMs: number | undefined;
}

/**
 * Finds the gaps that interruptions leave, per source, from the capture times before and after. If Zoom sends what it
 * buffered meanwhile, the capture times go on without a step, and there is no gap.
 */
export class CaptureGaps {
  readonly #byMediaType: Readonly<Record<FrameMediaType, SourceGroup>> = {
    audio: { tracks: new Map(), toleranceMs: undefined },
    video: { tracks: new Map(), toleranceMs: undefined },
    deskshare: { tracks: new Map(), toleranceMs: undefined },
  };
  /** By user id: participants whose camera has a connection of its own. */
  readonly #cameras = new Map<number, SourceGroup>();

  /** Marks every source of these connections that was live around `sinceMs` (monotonic ms) as interrupted. */
  interrupt(keys: readonly MediaKey[], sinceMs: number): void {
    for (const key of keys) cut(this.#group(key), sinceMs);
  }

  interruptAll(sinceMs: number): void {
    for (const group of [...Object.values(this.#byMediaType), ...this.#cameras.values()])
      cut(group, sinceMs);
  }

  /** From now on the frames of this key come from the new connection. @param toleranceMs see SourceGroup */
  resume(key: MediaKey, toleranceMs: number): void {
    const userId = cameraOf(key);
    if (userId !== undefined && !this.#cameras.has(userId)) {
      this.#cameras.set(userId, { tracks: new Map(), toleranceMs: undefined });
    }
    const group = this.#group(key);
    if (group !== undefined) group.toleranceMs = toleranceMs;
  }

  dropCamera(userId: number): void {
    this.#cameras.delete(userId);
  }

  /**
   * Called for every frame.
   *
   * @param source user id or channel id
   * @param heardAtMs when it was received, monotonic ms
   * @returns the gap that this frame ends, Unix ms; undefined for nearly every frame
   */
  see(
    mediaType: FrameMediaType,
    source: number | string,
    capturedAtMs: number,
    heardAtMs: number,
  ): { fromMs: number; toMs: number } | undefined {
    const group = this.#groupOf(mediaType, source);
    const track = group.tracks.get(source);
    if (track === undefined) {
      if (group.tracks.size < MAX_SOURCES) {
        group.tracks.set(source, { capturedAtMs, heardAtMs, cut: false });
      }
      return undefined;
    }
    const fromMs = track.capturedAtMs;
    track.capturedAtMs = capturedAtMs;
    track.heardAtMs = heardAtMs;
    if (!track.cut || group.toleranceMs === undefined) return undefined;
    track.cut = false;
    return capturedAtMs - fromMs > group.toleranceMs ? { fromMs, toMs: capturedAtMs } : undefined;
  }

  #group(key: MediaKey): SourceGroup | undefined {
    const userId = cameraOf(key);
    if (userId !== undefined) return this.#cameras.get(userId);
    return key in this.#byMediaType ? this.#byMediaType[key as FrameMediaType] : undefined;
  }

  #groupOf(mediaType: FrameMediaType, source: number | string): SourceGroup {
    const camera =
      mediaType === 'video' && this.#cameras.size > 0 && typeof source === 'number'
        ? this.#cameras.get(source)
        : undefined;
    return camera ?? this.#byMediaType[mediaType];
  }
}

function cut(group: SourceGroup | undefined, sinceMs: number): void {
  if (group === undefined || group.toleranceMs === undefined) return;
  group.toleranceMs = undefined;
  for (const [source, track] of group.tracks) {
    if (track.heardAtMs >= sinceMs - RECENT_MS) track.cut = true;
    else group.tracks.delete(source);
  }
}
