import type { MediaFrame } from '../../../rtms/events.ts';
import type { AgreedMedia } from '../../../rtms/protocol/agreed-media.ts';
import type { ReadRest } from '../../../rtms/wire/wire.ts';
import type { MemoryPool } from '../../../shared/memory-pool.ts';
import type { Counter } from '../../../shared/metrics.ts';
import type { SourceEncoder } from '../../../shared/record/encode-media-record.ts';
import type { EventOrigin } from '../../../shared/record/event.ts';
import { RECOVERED_FRAME_BYTES } from '../../../shared/record/media-record.ts';
import type { Receipt, Unit } from '../../kinesis/unit.ts';
import { encoderFor } from './frame-record.ts';
import type { LedgerSource } from './ledger.ts';

export interface SourceWriterOptions {
  readonly origin: EventOrigin;
  readonly row: LedgerSource;
  readonly partitionKey: string;
  /** Record limit of the media stream, partition key included. */
  readonly maxRecordBytes: number;
  readonly rest: Pick<ReadRest, 'heldMs'>;
  readonly units: FrameUnits;
  readonly receipt: Receipt;
  readonly framesIn: Counter;
  readonly bytesIn: Counter;
}

/** Makes the units of one source. What does not change from frame to frame is made once. */
export class SourceWriter {
  readonly row: LedgerSource;
  readonly framesIn: Counter;
  readonly bytesIn: Counter;
  readonly #options: SourceWriterOptions;
  readonly #maxMessageBytes: number;
  #encoder: SourceEncoder | undefined;
  /** What the encoder was made for. */
  #media: AgreedMedia | undefined;
  #userName = '';
  #codec = 0;

  constructor(options: SourceWriterOptions) {
    this.row = options.row;
    this.framesIn = options.framesIn;
    this.bytesIn = options.bytesIn;
    this.#options = options;
    const keyBytes = Buffer.byteLength(options.partitionKey);
    this.#maxMessageBytes = options.maxRecordBytes - keyBytes - RECOVERED_FRAME_BYTES;
  }

  /**
   * Makes the unit of a frame. Its number is how many frames the source's row has received.
   *
   * @throws ServiceError `record/malformed` for a frame with impossible numbers
   */
  unitOf(frame: MediaFrame, media: AgreedMedia): FrameUnit {
    const { mediaType, payload, capturedAtMs, receivedAtMs } = frame;
    const { partitionKey, rest, units, receipt } = this.#options;
    const sequence = this.row.received;
    const unit = units.acquire();
    const fields = { sequence, capturedAtMs, receivedAtMs, payload };
    this.#encoderFor(frame, media).splitIntoChunks(fields, this.#maxMessageBytes, unit.records);
    unit.partitionKey = partitionKey;
    unit.class = mediaType;
    unit.sequence = sequence;
    unit.capturedAtMs = capturedAtMs;
    unit.payloadBytes = payload.length;
    unit.heldMs = rest.heldMs;
    unit.receipt = receipt;
    return unit;
  }

  /** Makes another encoder when the name, the codec or the agreed media have changed. */
  #encoderFor(frame: MediaFrame, media: AgreedMedia): SourceEncoder {
    const { userName, codec } = frame;
    if (
      this.#encoder === undefined ||
      this.#media !== media ||
      this.#userName !== userName ||
      this.#codec !== codec
    ) {
      const { origin, units } = this.#options;
      this.#encoder = encoderFor(origin, frame, media, units.memory);
      this.#media = media;
      this.#userName = userName;
      this.#codec = codec;
    }
    return this.#encoder;
  }
}

const NOBODY: Receipt = { written() {}, dropped() {} };
const MAX_SPARE = 64 * 1024;

/** A frame on its way to Kinesis. Once it is written the object serves another frame: see `memory-pool.ts`. */
class FrameUnit implements Unit {
  partitionKey = '';
  class: MediaFrame['mediaType'] = 'audio';
  records: Buffer[] = [];
  sequence = 0;
  capturedAtMs = 0;
  payloadBytes = 0;
  heldMs = 0;
  /** Where the memory of its records comes from. */
  readonly memory: MemoryPool;
  receipt: Receipt = NOBODY;

  constructor(memory: MemoryPool) {
    this.memory = memory;
  }
}

/** The units of a task's frames, used again. One pool for all sessions, because their bursts come at different times. */
export class FrameUnits {
  readonly memory: MemoryPool;
  readonly #spare: FrameUnit[] = [];

  /** @param memory where the frames' records come from and go back to */
  constructor(memory: MemoryPool) {
    this.memory = memory;
  }

  /** A unit whose fields are all still to be set. */
  acquire(): FrameUnit {
    return this.#spare.pop() ?? new FrameUnit(this.memory);
  }

  /** Takes a written unit back. A unit that was reloaded from the disk is left to the garbage collector. */
  release(unit: Unit): void {
    if (unit instanceof FrameUnit && this.#spare.length < MAX_SPARE) this.#spare.push(unit);
  }
}
