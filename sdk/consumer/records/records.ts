import { MEDIA_TYPE_BIT, type PartialMediaSource } from '../../../rtms/protocol/media-type.ts';
import { ServiceError } from '../../../shared/errors.ts';
import { InternedTexts } from '../../../shared/interned-texts.ts';
import { readMediaRecord } from '../../../shared/record/decode-media-record.ts';
import { locateUserRecords, type UserRecordSpan } from '../../../shared/record/kpl.ts';
import type { DecodedMediaRecord } from '../../../shared/record/media-record.ts';
import { asBuffer } from '../../../shared/record/protobuf.ts';
import { ChunkAssembler } from './chunk-assembler.ts';
import { EpochFence, type FenceMark, type SourceId } from './epoch-fence.ts';
import { type Frame, frameOfRecord } from './frame.ts';

/** A record as Kinesis hands it out, whichever client fetched it. */
export interface KinesisRecord {
  readonly data: Uint8Array;
  readonly partitionKey: string;
  readonly sequenceNumber: string;
  /** When Kinesis took the record; absent where the client does not say. */
  readonly arrivedAt?: Date | undefined;
}

/** The records of one GetRecords call. */
export interface Page {
  readonly shardId: string;
  readonly records: readonly KinesisRecord[];
  /** To be saved once the records are processed; absent when there is nothing new. */
  readonly position?: string;
  /** How far behind the newest record of the shard this page is, as Kinesis says. */
  readonly millisBehindLatest?: number;
  /**
   * By our own clock, Unix ms: everything that had arrived until then, less the above, is in this page or an earlier one. When the page
   * was asked for: its answer may have waited in a frozen process.
   */
  readonly asOfMs: number;
}

/** Options of all decoders and readers. */
export interface DecodeOptions {
  /**
   * Called for every record that is foreign, truncated or corrupt, which is then skipped. Throw here to stop instead.
   * `error.detail` has `sequenceNumber` (Kinesis) and `subSequenceNumber` (in its aggregate).
   *
   * @default the error is thrown
   */
  readonly onBadRecord?: (error: ServiceError) => void;
  /**
   * `keep` also returns what was delivered before, and what a runner wrote after it had lost the ownership. It is for
   * checking, not for playing.
   *
   * @default 'drop'
   */
  readonly repeats?: 'drop' | 'keep';
}

/** What a decoder has counted since it was made. */
export interface DecodeCounts {
  /** Frames or events returned. */
  delivered: number;
  /** Events, or frames and chunks, that had been delivered before. */
  repeated: number;
  /** Events, or frames and chunks, of an epoch below the highest seen under their partition key. */
  fenced: number;
  /** Records that were foreign or damaged, and frames that never got all their chunks. */
  bad: number;
}

/**
 * Decodes records of the `media` stream to whole frames: takes aggregates apart, checks them, drops repeats and late
 * writers, and joins chunks. It keeps state between calls, so one decoder must see all records of a partition key, in
 * order.
 */
export class FrameDecoder {
  readonly counts: DecodeCounts = { delivered: 0, repeated: 0, fenced: 0, bad: 0 };
  readonly #fence = new EpochFence();
  readonly #known = new InternedTexts();
  readonly #incomplete: { error: ServiceError; sequenceNumber: string }[] = [];
  readonly #assembler: ChunkAssembler;
  readonly #options: DecodeOptions;
  #beganAt = '';
  #subSequenceNumber = 0;

  constructor(options: DecodeOptions = {}) {
    this.#options = options;
    this.#assembler = new ChunkAssembler((record, sequenceNumber, why) => {
      const { rtmsStreamId, epoch, sequence, chunkIndex } = record;
      const detail = { rtmsStreamId, epoch, sequence, chunkIndex };
      this.#incomplete.push({
        error: new ServiceError('record/malformed', why, { detail }),
        sequenceNumber,
      });
    });
  }

  /** Drops from now on what an earlier reader has seen, and what was fenced for it. */
  restore(seen: readonly FenceMark[]): void {
    this.#fence.restore(seen);
  }

  /** @returns how a checkpoint remembers a frame */
  static markOf(frame: Frame): FenceMark {
    const { partitionKey, rtmsStreamId, epoch, sequence } = frame;
    return [partitionKey, rtmsStreamId, frameSourceId(frame), epoch, sequence];
  }

  /** @returns the marks of the newest frame of each source. Making one for each frame would cost a tenth of reading them */
  static marksOf(frames: readonly Frame[]): FenceMark[] {
    const bySource = new Map<string, Map<SourceId, Frame>>();
    let [lastKey, lastStream] = ['', ''];
    let newest = new Map<SourceId, Frame>();
    for (const frame of frames) {
      const { partitionKey, rtmsStreamId } = frame;
      // Frames of one key follow each other, as an aggregate has one key.
      if (partitionKey !== lastKey || rtmsStreamId !== lastStream) {
        const key = `${partitionKey}\n${rtmsStreamId}`;
        newest = bySource.get(key) ?? new Map();
        bySource.set(key, newest);
        [lastKey, lastStream] = [partitionKey, rtmsStreamId];
      }
      const source = frameSourceId(frame);
      const known = newest.get(source);
      if (known === undefined || isBefore(known, frame)) newest.set(source, frame);
    }
    return [...bySource.values()].flatMap((ofKey) => [...ofKey.values()].map(FrameDecoder.markOf));
  }

  /** Sequence number of the Kinesis record that holds the beginning of the frame yielded last. */
  get beganAt(): string {
    return this.#beganAt;
  }

  /** Position in its aggregate of the record that brought the frame yielded last, from 0. */
  get subSequenceNumber(): number {
    return this.#subSequenceNumber;
  }

  /** Sequence numbers of the Kinesis records with the first chunks of frames that are not whole yet. */
  get waitingSince(): string[] {
    return this.#assembler.waitingSince;
  }

  /** Whether a frame has begun whose last chunk has not come yet. */
  get waiting(): boolean {
    return this.#assembler.waiting;
  }

  /**
   * Yields the frames that this record completes, in order.
   *
   * @throws ServiceError `record/*` at a bad record when there is no `onBadRecord`, after the frames before it
   */
  *decode(record: KinesisRecord): Generator<Frame, void, undefined> {
    const bytes = asBuffer(record.data);
    for (const span of this.#userRecords(bytes, record)) {
      const frame = this.#frame(bytes, span, record.sequenceNumber);
      if (frame) {
        this.counts.delivered += 1;
        this.#subSequenceNumber = span.subSequenceNumber;
        yield frame;
      }
      if (this.#incomplete.length > 0) this.#reportIncomplete();
    }
  }

  /** Reports frames whose chunks are still missing. To be called when no more records will come. */
  finish(): void {
    this.#assembler.finish();
    this.#reportIncomplete();
  }

  #userRecords(
    bytes: Buffer,
    { partitionKey, sequenceNumber }: KinesisRecord,
  ): readonly UserRecordSpan[] {
    try {
      return locateUserRecords(bytes, partitionKey);
    } catch (error) {
      this.#bad(error, sequenceNumber, 0);
      return [];
    }
  }

  #frame(bytes: Buffer, span: UserRecordSpan, sequenceNumber: string): Frame | undefined {
    try {
      const record = readMediaRecord(bytes, span.start, span.end, this.#known);
      return this.#admit(span.partitionKey, record, sequenceNumber);
    } catch (error) {
      this.#bad(error, sequenceNumber, span.subSequenceNumber);
      return undefined;
    }
  }

  #admit(
    partitionKey: string,
    record: DecodedMediaRecord,
    sequenceNumber: string,
  ): Frame | undefined {
    const source = sourceId(record);
    const admission = this.#fence.check(partitionKey, record, source);
    if (admission !== 'admitted') this.counts[admission] += 1;
    if (admission !== 'admitted' && this.#options.repeats !== 'keep') return undefined;
    this.#beganAt = sequenceNumber;
    let { payload } = record;
    if (record.chunkCount > 1 || this.#assembler.waiting) {
      const whole = this.#assembler.add(`${record.rtmsStreamId} ${source}`, record, sequenceNumber);
      if (!whole) return undefined;
      payload = whole.payload;
      this.#beganAt = whole.beganAt;
    }
    const frame = frameOfRecord(record, payload, partitionKey, sequenceNumber);
    if (admission === 'admitted') this.#fence.delivered(partitionKey, record, source);
    return frame;
  }

  #reportIncomplete(): void {
    for (const { error, sequenceNumber } of this.#incomplete.splice(0))
      this.#bad(error, sequenceNumber, 0);
  }

  #bad(error: unknown, sequenceNumber: string, subSequenceNumber: number): void {
    this.counts.bad += 1;
    const located = locate(error, sequenceNumber, subSequenceNumber);
    if (!this.#options.onBadRecord) throw located;
    this.#options.onBadRecord(located);
  }
}

/** Names the source of a frame inside its stream, as an `EpochFence` does. */
export function frameSourceId({ mediaType, userId, channelId }: Frame): SourceId {
  return sourceId({ mediaType: MEDIA_TYPE_BIT[mediaType], userId, channelId });
}

function isBefore(one: Frame, other: Frame): boolean {
  return one.epoch < other.epoch || (one.epoch === other.epoch && one.sequence < other.sequence);
}

/** Names a source. For users it is a number and no text, because every frame needs one. */
function sourceId({
  mediaType,
  userId,
  channelId,
}: PartialMediaSource & { readonly mediaType: number }): SourceId {
  return userId === undefined ? `${mediaType} ${channelId}` : userId * 8 + mediaType;
}

/** @returns the same error with the Kinesis record it is about, in message and detail */
export function locate(
  error: unknown,
  sequenceNumber: string,
  subSequenceNumber: number,
): ServiceError {
  if (!(error instanceof ServiceError)) throw error;
  const what = `bad record at sequence number ${sequenceNumber}: ${error.message}`;
  return new ServiceError(error.code, what, {
    cause: error,
    detail: { ...error.detail, sequenceNumber, subSequenceNumber },
  });
}
