import { cameraOf, type MediaKey } from './connection/media-key.ts';
import type { FrameMediaType } from './protocol/media-type.ts';

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
  /** Set while the connection is up: a step in capture time up to this is no gap, ms. */
  toleranceMs: number | undefined;
}

/**
 * Finds, per source, the capture times around an interruption. Where Zoom replays what it buffered the
 * capture times go on without a step and there is no gap.
 */
export class CaptureGaps {
  readonly #lanes: Readonly<Record<FrameMediaType, Lane>> = {
    audio: { tracks: new Map(), toleranceMs: undefined },
    video: { tracks: new Map(), toleranceMs: undefined },
    deskshare: { tracks: new Map(), toleranceMs: undefined },
  };
  /** By user id: cameras that have a connection of their own. */
  readonly #cameras = new Map<number, Lane>();

  /** Marks every source of these connections that was live around `sinceMs` (monotonic ms) as cut off. */
  interrupt(keys: readonly MediaKey[], sinceMs: number): void {
    for (const key of keys) cut(this.#lane(key), sinceMs);
  }

  interruptAll(sinceMs: number): void {
    for (const lane of [...Object.values(this.#lanes), ...this.#cameras.values()])
      cut(lane, sinceMs);
  }

  /** From now on frames of this kind come from the new connection. */
  resume(key: MediaKey, toleranceMs: number): void {
    const userId = cameraOf(key);
    if (userId !== undefined && !this.#cameras.has(userId)) {
      this.#cameras.set(userId, { tracks: new Map(), toleranceMs: undefined });
    }
    const lane = this.#lane(key);
    if (lane !== undefined) lane.toleranceMs = toleranceMs;
  }

  dropCamera(userId: number): void {
    this.#cameras.delete(userId);
  }

  /** Notes one frame; returns the gap that it ends, if it ends one. */
  see(
    mediaType: FrameMediaType,
    source: number | string,
    capturedAtMs: number,
    heardAtMs: number,
  ): { fromMs: number; toMs: number } | undefined {
    const lane = this.#laneOf(mediaType, source);
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

  #lane(key: MediaKey): Lane | undefined {
    const userId = cameraOf(key);
    if (userId !== undefined) return this.#cameras.get(userId);
    return key in this.#lanes ? this.#lanes[key as FrameMediaType] : undefined;
  }

  #laneOf(mediaType: FrameMediaType, source: number | string): Lane {
    const camera =
      mediaType === 'video' && this.#cameras.size > 0 && typeof source === 'number'
        ? this.#cameras.get(source)
        : undefined;
    return camera ?? this.#lanes[mediaType];
  }
}

function cut(lane: Lane | undefined, sinceMs: number): void {
  if (lane === undefined || lane.toleranceMs === undefined) return;
  lane.toleranceMs = undefined;
  for (const [source, track] of lane.tracks) {
    if (track.heardAtMs >= sinceMs - RECENT_MS) track.cut = true;
    else lane.tracks.delete(source);
  }
}
