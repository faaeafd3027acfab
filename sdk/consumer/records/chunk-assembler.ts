import type { DecodedMediaRecord } from '../../../shared/record/media-record.ts';

/** Far above the largest frame that Zoom sends. A set of chunks that is larger is dropped. */
const MAX_FRAME_BYTES = 64 * 1024 * 1024;

/** The chunks of a frame are written within a second of the runner's time: those missing after this time do not come. */
const MAX_WAIT_MS = 60_000;

const INCOMPLETE = 'frame without all of its chunks';

interface PartialFrame {
  readonly record: DecodedMediaRecord;
  /** Sequence number of the Kinesis record that brought the chunk seen first. */
  readonly sequenceNumber: string;
  readonly chunks: (Buffer | undefined)[];
  missing: number;
  sizeBytes: number;
}

/** A frame put together, and the Kinesis record that brought its first chunk. */
export interface WholeFrame {
  readonly payload: Buffer;
  readonly beganAt: string;
}

/**
 * Told why a frame will never be whole.
 *
 * @param record the chunk of it that was seen first
 * @param sequenceNumber of the Kinesis record that brought this chunk
 */
export type OnIncomplete = (
  record: DecodedMediaRecord,
  sequenceNumber: string,
  why: string,
) => void;

/** Joins the chunks of frames that were cut: one frame at a time for each source. */
export class ChunkAssembler {
  readonly #partial = new Map<string, PartialFrame>();
  readonly #onIncomplete: OnIncomplete;

  constructor(onIncomplete: OnIncomplete) {
    this.#onIncomplete = onIncomplete;
  }

  /** The Kinesis records that brought the first chunks of frames that are not whole yet. */
  get waitingSince(): string[] {
    return [...this.#partial.values()]
      .filter(({ chunks }) => chunks[0] !== undefined)
      .map(({ sequenceNumber }) => sequenceNumber);
  }

  /** Whether any frame waits for chunks. */
  get waiting(): boolean {
    return this.#partial.size > 0;
  }

  /**
   * @param source names the (rtmsStreamId, media type, source) the record belongs to
   * @param sequenceNumber of the Kinesis record that brought it
   * @returns the whole frame once its last chunk is here
   */
  add(source: string, record: DecodedMediaRecord, sequenceNumber: string): WholeFrame | undefined {
    if (this.#partial.size > 0) this.#expire(source, record);
    if (record.chunkCount <= 1) return { payload: record.payload, beganAt: sequenceNumber };
    const partial = this.#partial.get(source) ?? this.#open(source, record, sequenceNumber);
    if (partial.chunks[record.chunkIndex] !== undefined) return undefined;
    partial.chunks[record.chunkIndex] = record.payload;
    partial.sizeBytes += record.payload.length;
    partial.missing -= 1;
    if (partial.sizeBytes > MAX_FRAME_BYTES) {
      this.#drop(source, partial, 'frame larger than 64 MiB');
      return undefined;
    }
    if (partial.missing > 0) return undefined;
    this.#partial.delete(source);
    const payload = Buffer.concat(partial.chunks as Buffer[], partial.sizeBytes);
    return { payload, beganAt: partial.sequenceNumber };
  }

  /** Drops all frames that still wait for chunks: no more records will come. */
  finish(): void {
    for (const [source, partial] of this.#partial) this.#drop(source, partial, INCOMPLETE);
  }

  #open(source: string, record: DecodedMediaRecord, sequenceNumber: string): PartialFrame {
    const missing = record.chunkCount;
    const partial = { record, sequenceNumber, chunks: [], missing, sizeBytes: 0 };
    this.#partial.set(source, partial);
    return partial;
  }

  #expire(source: string, { epoch, sequence, chunkCount, receivedAtMs }: DecodedMediaRecord): void {
    for (const [key, partial] of this.#partial) {
      const { record } = partial;
      const isSame =
        record.epoch === epoch && record.sequence === sequence && record.chunkCount === chunkCount;
      if (key === source ? !isSame : receivedAtMs - record.receivedAtMs > MAX_WAIT_MS) {
        this.#drop(key, partial, INCOMPLETE);
      }
    }
  }

  #drop(source: string, { record, sequenceNumber }: PartialFrame, why: string): void {
    this.#partial.delete(source);
    this.#onIncomplete(record, sequenceNumber, why);
  }
}
