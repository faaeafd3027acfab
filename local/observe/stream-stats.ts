import { createHash, type Hash } from 'node:crypto';
import type { Frame } from '../../sdk/consumer/index.ts';
import type { Progress } from '../report/reporter.ts';

/** How many recent lags are kept for the median. */
const LAG_WINDOW = 200;

/** The frames of one source as read back. `summarize` compares them with what the simulator sent. */
export interface ReadSource {
  readonly rtmsStreamId: string;
  readonly mediaType: string;
  readonly userId: number | undefined;
  readonly channelId: string | undefined;
  userName: string;
  frames: number;
  bytes: number;
  readonly hash: Hash;
}

/** Counts what was read from the streams, for the progress table and the comparison at the end. */
export class StreamStats {
  readonly sources = new Map<string, ReadSource>();
  readonly #lags = new Map<string, number[]>();
  readonly #lines = new Map<string, { frames: number; bytes: number }>();

  frame(frame: Frame, nowMs: number): void {
    const source = this.#source(frame);
    source.frames += 1;
    source.bytes += frame.payload.length;
    source.hash.update(frame.payload);
    if (frame.userName !== '') source.userName = frame.userName;
    this.#lag(frame.mediaType, nowMs - frame.capturedAt.getTime());
  }

  /** A transcript or chat line. */
  line(mediaType: 'transcript' | 'chat', text: string, spokenAtMs: number, nowMs: number): void {
    const line = this.#lines.get(mediaType) ?? { frames: 0, bytes: 0 };
    line.frames += 1;
    line.bytes += Buffer.byteLength(text);
    this.#lines.set(mediaType, line);
    this.#lag(mediaType, nowMs - spokenAtMs);
  }

  progress(sent: (mediaType: string) => Progress['sent']): Progress[] {
    const read = new Map<string, { frames: number; bytes: number }>();
    for (const { mediaType, frames, bytes } of this.sources.values()) {
      const row = read.get(mediaType) ?? { frames: 0, bytes: 0 };
      read.set(mediaType, { frames: row.frames + frames, bytes: row.bytes + bytes });
    }
    return ['audio', 'video', 'deskshare', 'transcript', 'chat'].map((mediaType) => {
      const ofZoom = sent(mediaType);
      const lagMs = median(this.#lags.get(mediaType) ?? []);
      return {
        mediaType,
        ...(ofZoom && { sent: ofZoom }),
        read: read.get(mediaType) ?? this.#lines.get(mediaType) ?? { frames: 0, bytes: 0 },
        ...(lagMs !== undefined && { lagMs }),
      };
    });
  }

  #source({ rtmsStreamId, mediaType, userId, channelId, userName }: Frame): ReadSource {
    const key = `${rtmsStreamId} ${mediaType} ${userId ?? channelId}`;
    let source = this.sources.get(key);
    if (source === undefined) {
      const hash = createHash('sha256');
      source = { rtmsStreamId, mediaType, userId, channelId, userName, frames: 0, bytes: 0, hash };
      this.sources.set(key, source);
    }
    return source;
  }

  #lag(mediaType: string, lagMs: number): void {
    const lags = this.#lags.get(mediaType) ?? [];
    lags.push(lagMs);
    if (lags.length > LAG_WINDOW) lags.shift();
    this.#lags.set(mediaType, lags);
  }
}

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)];
}
