import { mediaSource, type PartialMediaSource } from '../../../rtms/protocol/media-type.ts';
import { type Frame, type FrameSource, sourceKey } from '../records/frame.ts';
import { LaneQueue } from './lane-queue.ts';
import type { SpeechNotice } from './speech-notice.ts';
import type { LanePosition, SpeechSettings } from './speech-options.ts';
import type { Piece } from './voice-timeline.ts';

/** The next stretch of a lane. It begins where the one before ended. */
export interface SpeechBlock {
  /** Unix ms of the first sample; samples stand `1000 / rateHz` apart. */
  readonly atMs: number;
  /** Unix ms behind the last sample. */
  readonly endMs: number;
  /** One channel, at the lane's rate. */
  readonly samples: Int16Array;
  /** Whether nothing was heard in all of it. */
  readonly isSilence: boolean;
  /** How much of it was heard and dropped, ms. */
  readonly lostMs: number;
}

/**
 * Why a lane has ended:
 *
 * - `left`: the speaker left, or nothing came of them for `leaveAfterMs`
 * - `ended`: the session or the reading ended
 * - `closed`: its consumer closed it
 * - `revoked`: the consent was taken back. What the lane still held is dropped, and what was made of its sound must be deleted
 */
export type LaneEnd = 'left' | 'ended' | 'closed' | 'revoked';

/**
 * One speaker's sound without a gap, from the first frame on: `for await (const block of lane)`. It can be read once, by one
 * loop. Leaving the loop closes it.
 */
export class SpeakerLane implements AsyncIterableIterator<SpeechBlock> {
  readonly rtmsStreamId: string;
  /** Exactly one of `userId` and `channelId` is given, as in a frame; `userId` 0 is the mix that Zoom makes of everybody. */
  readonly userId?: number;
  readonly channelId?: string;
  /** Of the first frame; empty when Zoom gave none. */
  readonly userName: string;
  readonly rateHz: number;
  readonly joinedAtMs: number;
  readonly #settings: SpeechSettings;
  readonly #queue: LaneQueue;
  #end: LaneEnd | undefined;
  #error: unknown;
  /** Resolves the call of `next` that waits for samples. */
  #wake: (() => void) | undefined;
  /** Resolves the reading that waits for room. */
  #giveRoom: (() => void) | undefined;

  /** @param startMs the lane's first moment, Unix ms */
  constructor(first: Frame, startMs: number, settings: SpeechSettings) {
    const { rateHz, bufferMs } = settings;
    this.rtmsStreamId = first.rtmsStreamId;
    if (first.userId !== undefined) this.userId = first.userId;
    if (first.channelId !== undefined) this.channelId = first.channelId;
    this.userName = first.userName;
    this.rateHz = rateHz;
    this.joinedAtMs = startMs;
    this.#settings = settings;
    this.#queue = new LaneQueue(
      Math.round((startMs * rateHz) / 1000),
      Math.round((bufferMs * rateHz) / 1000),
    );
  }

  /** Whether it is the mix that Zoom makes of everybody, and nobody's voice alone. */
  get isMixed(): boolean {
    return this.userId === 0;
  }

  /** Absent while it goes on. */
  get ended(): LaneEnd | undefined {
    return this.#end;
  }

  /** Names the lane among all lanes of all sessions. */
  get key(): string {
    return laneKey(this);
  }

  /** @param atMs `endMs` of the last block that was processed */
  position(atMs: number): LanePosition {
    return { rtmsStreamId: this.rtmsStreamId, ...this.source, atMs };
  }

  /** Whose lane it is, as frames name their source. */
  get source(): FrameSource {
    return mediaSource(this);
  }

  /** Waits for the next block. @throws what the reading failed with, once all that the lane holds is handed out */
  async next(): Promise<IteratorResult<SpeechBlock, undefined>> {
    const { rateHz } = this;
    while (this.#queue.isEmpty || this.#end === 'closed' || this.#end === 'revoked') {
      if (this.#error !== undefined) throw this.#error;
      if (this.#end !== undefined) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const { position, samples, isSilence, lost } = this.#queue.take(
      Math.round((this.#settings.blockMs * rateHz) / 1000),
    );
    if (!this.#queue.isFull) this.#giveRoom?.();
    const atMs = (position * 1000) / rateHz;
    const endMs = ((position + samples.length) * 1000) / rateHz;
    const lostMs = (lost * 1000) / rateHz;
    return { done: false, value: { atMs, endMs, samples, isSilence, lostMs } };
  }

  /** Ends the lane for its consumer. What the speaker says from now on is not kept. */
  async return(): Promise<IteratorResult<SpeechBlock, undefined>> {
    this.finish('closed');
    return { done: true, value: undefined };
  }

  /** As leaving the loop over the lane does. */
  close(): void {
    this.finish('closed');
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** For the reading only: appends what was heard, and silence before it. */
  add(pieces: readonly Piece[]): void {
    if (this.#end !== undefined) return;
    for (const { position, samples } of pieces) this.#addPiece(position, samples);
    this.#wake?.();
  }

  /** For the reading only: appends silence up to a moment. */
  fillTo(atMs: number): void {
    if (this.#end !== undefined) return;
    this.#queue.fillTo(Math.floor((atMs * this.rateHz) / 1000));
    if (!this.#queue.isEmpty) this.#wake?.();
  }

  /** For the reading only: the moment behind the last sample, Unix ms. */
  get endMs(): number {
    return (this.#queue.end * 1000) / this.rateHz;
  }

  /** For the reading only: what has to be awaited until there is room, if there is none. */
  room(): Promise<void> | undefined {
    if (!this.#queue.isFull || this.#end !== undefined) return undefined;
    return new Promise<void>((resolve) => {
      this.#giveRoom = resolve;
    });
  }

  /** For the reading only: no more sound comes. What the lane holds is still handed out, and then the error is thrown. */
  finish(end: LaneEnd, error?: unknown): void {
    const isNew = this.#end === undefined || (end === 'closed' && this.#end !== 'revoked');
    if (isNew) this.#end = end;
    this.#error ??= error;
    this.#wake?.();
    this.#giveRoom?.();
  }

  /** For the reading only: the consent was taken back. Nothing that the lane holds is handed out any more. */
  revoke(): void {
    const lost = this.#queue.clear();
    this.#error = undefined;
    if (this.#end === undefined || lost > 0)
      this.notice({
        kind: 'revoked',
        atMs: this.endMs,
        lostMs: (lost * 1000) / this.rateHz,
      });
    this.#end = 'revoked';
    this.#wake?.();
    this.#giveRoom?.();
  }

  /** For the reading only: whether there is nothing to hand out, and nothing to come. */
  get isDone(): boolean {
    return this.#end !== undefined && this.#queue.isEmpty;
  }

  notice(notice: Omit<SpeechNotice, keyof FrameSource | 'rtmsStreamId'>): void {
    this.#settings.onNotice({ rtmsStreamId: this.rtmsStreamId, ...this.source, ...notice });
  }

  #addPiece(position: number, samples: Int16Array): void {
    const { rateHz } = this;
    const queue = this.#queue;
    const late = Math.min(Math.max(queue.end - position, 0), samples.length);
    // Less than a millisecond is rounding, or the beginning of a filter.
    if (late * 1000 > rateHz * LATE_MS)
      this.notice({
        kind: 'late',
        atMs: (position * 1000) / rateHz,
        lostMs: (late * 1000) / rateHz,
      });
    if (late === samples.length) return;
    queue.fillTo(position);
    const dropped = queue.add(samples.subarray(late));
    if (dropped > 0)
      this.notice({
        kind: 'dropped',
        atMs: (queue.end * 1000) / rateHz - this.#settings.bufferMs,
        lostMs: (dropped * 1000) / rateHz,
      });
  }
}

/** The look-ahead of Opus is 6.5 ms, by which the first packet of a lane begins before it. */
const LATE_MS = 8;

/** @returns a text that names a speaker of a session */
export function laneKey(of: PartialMediaSource & { readonly rtmsStreamId: string }): string {
  return `${of.rtmsStreamId}\n${sourceKey(of)}`;
}
