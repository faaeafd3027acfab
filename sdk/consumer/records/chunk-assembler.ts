import type { DecodedMediaRecord } from '../../../shared/record/media-record.ts';

/** Far above the largest frame Zoom sends; a set of chunks that claims more is not kept. */
const MAX_FRAME_BYTES = 64 * 1024 * 1024;

/** A frame's chunks are written in one go, so what lacks after this much of the runner's time will not come. */
const MAX_WAIT_MS = 60_000;

const INCOMPLETE = 'frame without all of its chunks';

interface PartialFrame {
  readonly record: DecodedMediaRecord;
  /** Of the Kinesis record that brought the first chunk. */
  readonly sequenceNumber: string;
  readonly chunks: (Buffer | undefined)[];
  missing: number;
  sizeBytes: number;
}

/** Told why a frame will never be whole. @param record its first chunk, from the Kinesis record `sequenceNumber` */
export type GiveUp = (record: DecodedMediaRecord, sequenceNumber: string, why: string) => void;

/** Puts frames that were cut into chunks together again: one frame at a time for each source. */
export class ChunkAssembler {
  readonly #partial = new Map<string, PartialFrame>();
  readonly #giveUp: GiveUp;

  constructor(giveUp: GiveUp) {
    this.#giveUp = giveUp;
  }

  /** The record that brought the first chunk of the frame begun earliest; of none whose first chunk is not here. */
  get firstWaiting(): string | undefined {
    for (const { sequenceNumber, chunks } of this.#partial.values())
      if (chunks[0] !== undefined) return sequenceNumber;
    return undefined;
  }

  /** Is any frame waiting for chunks? */
  get waiting(): boolean {
    return this.#partial.size > 0;
  }

  /**
   * @param source names the (rtmsStreamId, media type, source) the record belongs to
   * @param sequenceNumber of the Kinesis record that brought it
   * @returns the whole frame's payload once its last chunk is here
   */
  add(source: string, record: DecodedMediaRecord, sequenceNumber: string): Buffer | undefined {
    if (this.#partial.size > 0) this.#expire(source, record);
    if (record.chunkCount <= 1) return record.payload;
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
    return Buffer.concat(partial.chunks as Buffer[], partial.sizeBytes);
  }

  /** Gives up all that still waits: nothing more will come. */
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
    this.#giveUp(record, sequenceNumber, why);
  }
}
