import {
  type CodecName,
  type Frame,
  type FrameSource,
  sourceKey,
} from '../../sdk/consumer/index.ts';

/** The media of one source since the last call of `take`. */
export interface MeterRow extends FrameSource {
  readonly rtmsStreamId: string;
  readonly mediaType: Frame['mediaType'];
  readonly codec: CodecName;
  readonly frames: number;
  readonly bytes: number;
  /** From capture at Zoom until it was read here, of the newest frame, ms. */
  readonly lagMs: number;
}

/** Counts frames by source between two calls of `take`. */
export class MediaMeter {
  #rows = new Map<string, MeterRow>();

  count(frame: Frame, nowMs: number): void {
    const { rtmsStreamId, mediaType, userId, channelId, codec, payload, capturedAt } = frame;
    const key = `${rtmsStreamId} ${mediaType} ${sourceKey(frame)}`;
    const { frames = 0, bytes = 0 } = this.#rows.get(key) ?? {};
    this.#rows.set(key, {
      rtmsStreamId,
      mediaType,
      ...(userId !== undefined && { userId }),
      ...(channelId !== undefined && { channelId }),
      codec,
      frames: frames + 1,
      bytes: bytes + payload.length,
      lagMs: nowMs - capturedAt.getTime(),
    });
  }

  /** Returns what was counted since the last call, in a stable order, and starts again from zero. */
  take(): MeterRow[] {
    const rows = [...this.#rows].sort(([a], [b]) => a.localeCompare(b)).map(([, row]) => row);
    this.#rows = new Map();
    return rows;
  }
}
