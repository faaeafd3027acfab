import type { FrameMediaType, MediaType } from './protocol/media-type.ts';

/** A source heard this shortly before an interruption counts as cut off by it. */
const RECENT_MS = 5_000;
/** Bounds memory; a meeting has far fewer live sources. */
const MAX_SOURCES = 4_096;

interface Track {
  capturedAtMs: number;
  /** Monotonic ms. */
  heardAtMs: number;
  cut: boolean;
}

interface Lane {
  readonly tracks: Map<number | string, Track>;
  /** Set while the media type flows: a step in capture time up to this is no hole, ms. */
  toleranceMs: number | undefined;
}

/**
 * Finds, per source, the capture times around an interruption. Where Zoom replays what it buffered the
 * capture times go on without a step and there is no hole.
 */
export class HoleTracker {
  readonly #lanes: Readonly<Record<FrameMediaType, Lane>> = {
    audio: { tracks: new Map(), toleranceMs: undefined },
    video: { tracks: new Map(), toleranceMs: undefined },
    deskshare: { tracks: new Map(), toleranceMs: undefined },
  };

  /** Marks every source of these media types that was live around `sinceMs` (monotonic ms) as cut off. */
  interrupt(mediaTypes: readonly MediaType[], sinceMs: number): void {
    for (const mediaType of mediaTypes) {
      const lane = this.#lane(mediaType);
      if (lane === undefined || lane.toleranceMs === undefined) continue;
      lane.toleranceMs = undefined;
      for (const [source, track] of lane.tracks) {
        if (track.heardAtMs >= sinceMs - RECENT_MS) track.cut = true;
        else lane.tracks.delete(source);
      }
    }
  }

  /** From now on frames of this media type come from the new connection. */
  resume(mediaType: MediaType, toleranceMs: number): void {
    const lane = this.#lane(mediaType);
    if (lane !== undefined) lane.toleranceMs = toleranceMs;
  }

  /** Notes one frame; returns the hole that it ends, if it ends one. */
  see(
    mediaType: FrameMediaType,
    source: number | string,
    capturedAtMs: number,
    heardAtMs: number,
  ): { fromMs: number; toMs: number } | undefined {
    const lane = this.#lanes[mediaType];
    const track = lane.tracks.get(source);
    if (track === undefined) {
      if (lane.tracks.size < MAX_SOURCES) {
        lane.tracks.set(source, { capturedAtMs, heardAtMs, cut: false });
      }
      return undefined;
    }
    const fromMs = track.capturedAtMs;
    track.capturedAtMs = capturedAtMs;
    track.heardAtMs = heardAtMs;
    if (!track.cut || lane.toleranceMs === undefined) return undefined;
    track.cut = false;
    return capturedAtMs - fromMs > lane.toleranceMs ? { fromMs, toMs: capturedAtMs } : undefined;
  }

  #lane(mediaType: MediaType): Lane | undefined {
    return mediaType === 'transcript' || mediaType === 'chat' ? undefined : this.#lanes[mediaType];
  }
}
