import type { FrameView } from '../views.ts';
import { AudioPlayer } from './audio-player.ts';
import { VideoPlayer, type VideoState } from './video-player.ts';

/** A speaker counts as speaking above this, dB below full scale, and for this long after. */
const SPEAKS_DB = -45;
const SPEAKS_MS = 400;
/** How fast a meter falls, dB a second. */
const FALL_DB = 60;
const SILENCE_DB = -96;
const MOST_LEVELS = 5_000;
const MOST_PLAYERS = 30;

export interface SpeakerState {
  readonly source: string;
  readonly who: string;
  readonly level: number;
  readonly speaks: boolean;
}

/** Frames come in bursts, whenever the server has read some. They are shown this much later than the latest of them came. */
const MARGIN_MS = 80;
const MIN_DELAY_MS = 200;
const MAX_DELAY_MS = 8_000;
const WINDOW_S = 8;

/**
 * Says which moment of the meeting is to be shown now. It is as late as the slowest frame of the last seconds needs, so
 * that pictures, levels and sound go on evenly and together.
 */
export class PlayoutClock {
  /** The greatest delay of each of the last seconds. */
  readonly #worst = new Map<number, number>();
  #delayMs = MIN_DELAY_MS;

  arrived(capturedAtMs: number, nowMs: number): void {
    const lateMs = nowMs - capturedAtMs + MARGIN_MS;
    // What Zoom kept while nobody was connected comes much later. Nobody wants to wait for it.
    if (lateMs > MAX_DELAY_MS) return;
    const second = Math.floor(nowMs / 1_000);
    this.#worst.set(second, Math.max(this.#worst.get(second) ?? Number.NEGATIVE_INFINITY, lateMs));
    for (const old of this.#worst.keys()) if (old < second - WINDOW_S) this.#worst.delete(old);
    const wanted = Math.max(...this.#worst.values());
    // Waits longer at once, and shorter only little by little.
    this.#delayMs =
      wanted > this.#delayMs ? wanted : this.#delayMs + (wanted - this.#delayMs) * 0.002;
  }

  /** The moment that is shown now, by Zoom's clock, Unix ms. */
  at(nowMs: number): number {
    return nowMs - this.#delayMs;
  }
}

/** Everything of one meeting that moves or sounds. */
export class MeetingPlayer {
  readonly #clock = new PlayoutClock();
  readonly #audio = new AudioPlayer((source, who, capturedAtMs, level) =>
    this.#measured(source, who, capturedAtMs, level),
  );
  readonly #videos = new Map<string, VideoPlayer>();
  readonly #speakers = new Map<
    string,
    { who: string; level: number; atMs: number; loudAtMs: number }
  >();
  #levels: { source: string; who: string; capturedAtMs: number; level: number }[] = [];
  #request: number;

  constructor() {
    this.#audio.dueIn = (capturedAtMs) => capturedAtMs - this.#clock.at(Date.now());
    const tick = () => {
      this.#tick();
      this.#request = requestAnimationFrame(tick);
    };
    this.#request = requestAnimationFrame(tick);
  }

  push(frames: readonly FrameView[]): void {
    const nowMs = Date.now();
    for (const frame of frames) {
      if (frame.mediaType !== 'deskshare') this.#clock.arrived(frame.capturedAtMs, nowMs);
      if (frame.mediaType === 'audio') {
        this.#audio.push(frame, frame.capturedAtMs - this.#clock.at(nowMs));
        continue;
      }
      let video = this.#videos.get(frame.source);
      if (video === undefined) {
        if (this.#videos.size >= MOST_PLAYERS) continue;
        video = new VideoPlayer(frame);
        this.#videos.set(frame.source, video);
      }
      video.push(frame);
    }
  }

  listen(source: string | undefined): void {
    this.#audio.listen(source);
  }

  video(source: string): VideoPlayer | undefined {
    return this.#videos.get(source);
  }

  videos(): VideoState[] {
    return [...this.#videos.values()].map(({ state }) => state);
  }

  speakers(): SpeakerState[] {
    const playheadMs = this.#clock.at(Date.now());
    return [...this.#speakers].map(([source, { who, level, atMs, loudAtMs }]) => ({
      source,
      who,
      level: Math.max(SILENCE_DB, level - ((playheadMs - atMs) / 1_000) * FALL_DB),
      speaks: playheadMs - loudAtMs < SPEAKS_MS,
    }));
  }

  close(): void {
    cancelAnimationFrame(this.#request);
    this.#audio.close();
    for (const video of this.#videos.values()) video.close();
  }

  #measured(source: string, who: string, capturedAtMs: number, level: number): void {
    this.#levels.push({ source, who, capturedAtMs, level });
    if (this.#levels.length > MOST_LEVELS) this.#levels = this.#levels.slice(-MOST_LEVELS / 2);
  }

  #tick(): void {
    const playheadMs = this.#clock.at(Date.now());
    for (const video of this.#videos.values()) video.tick(playheadMs);
    const due = this.#levels.filter(({ capturedAtMs }) => capturedAtMs <= playheadMs);
    if (due.length === 0) return;
    this.#levels = this.#levels.filter(({ capturedAtMs }) => capturedAtMs > playheadMs);
    for (const { source, who, capturedAtMs, level } of due) {
      const before = this.#speakers.get(source);
      const isLoud = level > SPEAKS_DB;
      this.#speakers.set(source, {
        who: who || before?.who || source,
        level,
        atMs: capturedAtMs,
        loudAtMs: isLoud ? capturedAtMs : (before?.loudAtMs ?? 0),
      });
    }
  }
}
